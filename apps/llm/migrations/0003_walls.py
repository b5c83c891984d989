"""Row security on every table of an organization."""

from django.db import migrations

from apps.core.migrations_support import walled


class Migration(migrations.Migration):
    dependencies = [("llm", "0002_ledger"), ("core", "0004_walls")]

    operations = [
        walled("llm_usageentry"),
        walled("llm_dailyusage"),
        walled("llm_reservation"),
    ]
