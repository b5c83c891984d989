"""Row security on every table of an organization."""

from django.db import migrations

from apps.core.migrations_support import tenant_statistics, walled


class Migration(migrations.Migration):
    dependencies = [("agents", "0003_private_answers"), ("core", "0004_walls")]

    operations = [
        walled("agents_agent"),
        walled("agents_answer"),
        tenant_statistics("agents_answer", "asker_id", "conversation_id"),
    ]
