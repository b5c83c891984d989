import django.db.models.deletion
from django.db import migrations, models

import apps.core.ids
from apps.core.migrations_support import definer_function, walled

# Over all organizations, for the metrics of a process that sees one at a time: two numbers, no content.
WAITING = """
CREATE OR REPLACE FUNCTION security_audit_waiting() RETURNS TABLE (entries bigint, oldest_seconds double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8
  FROM core_auditentry WHERE number IS NULL
$$
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [("core", "0004_walls"), ("accounts", "0003_walls")]

    operations = [
        migrations.CreateModel(
            name="AuditCheck",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("requested_by_id", models.UUIDField(null=True)),
                ("entries", models.BigIntegerField()),
                ("waiting", models.BigIntegerField()),
                ("head", models.BigIntegerField(help_text="Number of the last entry that was read.")),
                ("anchors", models.PositiveIntegerField(help_text="Anchors that were compared.")),
                ("last_anchor", models.BigIntegerField()),
                ("emptied", models.BigIntegerField(help_text="Personal values an erasure took.")),
                ("findings", models.JSONField(default=list)),
                ("findings_total", models.PositiveIntegerField()),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization", "-created_at"], name="security_auditcheck_newest")
                ],
            },
        ),
        walled("security_auditcheck"),
        definer_function("security_audit_waiting()", WAITING),
    ]
