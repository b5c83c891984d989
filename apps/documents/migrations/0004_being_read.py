"""What is being read is counted beside a search."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("documents", "0003_walls")]

    operations = [
        migrations.AddIndex(
            model_name="document",
            index=models.Index(
                fields=["organization", "-id"],
                condition=models.Q(state__in=["queued", "reading"]),
                name="documents_being_read",
            ),
        ),
    ]
