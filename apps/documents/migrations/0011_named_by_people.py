"""Whether somebody gave a document its title; of those that are there, nobody knows."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("documents", "0010_imap_sources")]

    operations = [
        migrations.AddField(
            model_name="document",
            name="is_named",
            field=models.BooleanField(
                db_default=False, help_text="Somebody gave it its title: no content changes that."
            ),
        ),
    ]
