"""Keys that cannot point into another organization, and statistics for the planner."""

from django.db import migrations

from apps.core.migrations_support import composite_key, tenant_key, tenant_statistics


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial"), ("core", "0002_event_log")]

    operations = [
        tenant_key("accounts_role"),
        tenant_key("accounts_scope"),
        tenant_key("accounts_member"),
        composite_key("accounts_member", "role_id", "accounts_role", on_delete="NO ACTION"),
        composite_key("accounts_invitation", "role_id", "accounts_role", on_delete="NO ACTION"),
        composite_key("accounts_seat", "scope_id", "accounts_scope"),
        tenant_statistics("accounts_seat", "scope_id", "principal_id"),
        tenant_statistics("accounts_member", "user_id"),
    ]
