"""Keys that cannot point into another organization, statistics for the planner, room for in-place updates."""

from django.db import migrations

from apps.core.migrations_support import composite_key, tenant_key, tenant_statistics


class Migration(migrations.Migration):
    dependencies = [("runs", "0001_initial"), ("accounts", "0002_composite_keys")]

    operations = [
        tenant_key("runs_run"),
        tenant_key("runs_step"),
        composite_key("runs_run", "scope_id", "accounts_scope", on_delete="SET NULL (scope_id)"),
        composite_key("runs_step", "run_id", "runs_run"),
        composite_key("runs_attempt", "step_id", "runs_step"),
        composite_key("runs_runframe", "run_id", "runs_run"),
        tenant_statistics("runs_run", "principal_id", "scope_id"),
        tenant_statistics("runs_step", "run_id"),
        # heartbeats and progress rewrite the row again and again
        migrations.RunSQL(
            "ALTER TABLE runs_run SET (fillfactor = 70); ALTER TABLE runs_step SET (fillfactor = 70)",
            "ALTER TABLE runs_run RESET (fillfactor); ALTER TABLE runs_step RESET (fillfactor)",
        ),
    ]
