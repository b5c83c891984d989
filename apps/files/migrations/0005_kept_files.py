"""Files of a deleted message are kept while it can come back."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("files", "0004_walls"),
    ]

    operations = [
        migrations.AddField(
            model_name="storedfile",
            name="kept_until",
            field=models.DateTimeField(help_text="Until then what carried it can come back.", null=True),
        ),
    ]
