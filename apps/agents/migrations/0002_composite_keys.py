"""Keys that cannot point into another organization."""

from django.db import migrations

from apps.core.migrations_support import composite_key, tenant_key


class Migration(migrations.Migration):
    dependencies = [("agents", "0001_initial"), ("accounts", "0002_composite_keys")]

    operations = [
        tenant_key("agents_agent"),
        composite_key("agents_answer", "agent_id", "agents_agent", on_delete="NO ACTION"),
    ]
