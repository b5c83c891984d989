"""Pictures of emoji."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("files", "0005_kept_files"),
    ]

    operations = [
        migrations.AlterField(
            model_name="storedfile",
            name="purpose",
            field=models.CharField(
                choices=[("attachment", "attachment"), ("avatar", "profile picture"), ("emoji", "emoji")],
                default="attachment",
                max_length=10,
            ),
        ),
    ]
