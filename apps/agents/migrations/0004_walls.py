"""Row security on every table of an organization."""

from django.db import migrations

from apps.core.migrations_support import walled


class Migration(migrations.Migration):
    dependencies = [("agents", "0003_private_answers"), ("core", "0004_walls")]

    operations = [
        walled("agents_agent"),
        walled("agents_answer"),
    ]
