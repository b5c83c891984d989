"""Row security on the event log and its neighbours, and what operators may know of all organizations together.

The functions answer counts, ages and ids; what an event or a dead letter says is read inside its organization.
"""

from django.db import migrations, models

from apps.core.migrations_support import definer_function, walled

LOG_STATE = """
CREATE OR REPLACE FUNCTION core_log_state() RETURNS TABLE (outbox bigint, lag_seconds float8, head bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT count(*), coalesce(extract(epoch FROM now() - min(o.created_at)), 0)::float8,
    (SELECT coalesce(max(f.position), 0) FROM core_eventfeed f)
  FROM core_eventoutbox o
$$
"""

# A cursor stands at the consumer's last event, so what lies between it and the head may all be for others.
WAITING = """
CREATE OR REPLACE FUNCTION core_waiting(p_consumers text[], p_types text[], p_most int)
RETURNS TABLE (consumer text, waiting bigint, since timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT d.name, count(w.created_at), min(w.created_at)
  FROM unnest(p_consumers, p_types) AS d (name, type) JOIN core_consumer c ON c.name = d.name
  LEFT JOIN LATERAL (SELECT f.created_at FROM core_eventfeed f WHERE f.position > c.position AND f.type = d.type
    ORDER BY f.position LIMIT p_most) w ON true
  GROUP BY d.name
$$
"""

OPEN_DEAD_LETTERS = """
CREATE OR REPLACE FUNCTION core_open_dead_letters()
RETURNS TABLE (id bigint, organization_id uuid, consumer text, created_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT d.id, d.organization_id, d.consumer, d.created_at FROM core_deadletter d WHERE d.state = 'open'
$$
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0003_audit")]

    operations = [
        # The same key of the same person in two organizations is two requests.
        migrations.RunSQL("DELETE FROM core_retrykey WHERE organization_id IS NULL", migrations.RunSQL.noop),
        migrations.AlterField("retrykey", "organization_id", models.UUIDField()),
        migrations.RemoveConstraint("retrykey", "core_retrykey_once"),
        migrations.AddConstraint(
            "retrykey",
            models.UniqueConstraint(
                fields=["organization_id", "principal_id", "key"], name="core_retrykey_once"
            ),
        ),
        walled("core_stream"),
        walled("core_event"),
        walled("core_eventoutbox"),
        walled("core_eventfeed"),
        walled("core_deadletter"),
        walled("core_retrykey"),
        walled("core_auditentry"),
        walled("core_auditchain"),
        definer_function("core_log_state()", LOG_STATE),
        definer_function("core_waiting(text[], text[], int)", WAITING),
        definer_function("core_open_dead_letters()", OPEN_DEAD_LETTERS),
    ]
