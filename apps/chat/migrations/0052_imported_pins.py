"""An imported conversation knows which pins and bookmarks were taken."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0051_imports"),
    ]

    operations = [
        migrations.AddField(
            model_name="importedconversation",
            name="taken",
            field=models.JSONField(
                db_default=[],
                default=list,
                help_text="Pins and bookmarks that were taken; a later import leaves them alone.",
            ),
        ),
    ]
