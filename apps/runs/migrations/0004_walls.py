"""Row security on every table of an organization."""

from django.db import migrations

from apps.core.migrations_support import definer_function, tenant_statistics, walled

QUEUE_FIGURES = """
CREATE OR REPLACE FUNCTION runs_queue_figures(p_open text[], p_failed text)
RETURNS TABLE (queue text, queued bigint, running bigint, oldest_due_at timestamptz, failed bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT r.queue::text, count(*) FILTER (WHERE r.state = ANY (p_open) AND r.lease_owner = ''),
    count(*) FILTER (WHERE r.lease_owner <> ''),
    min(r.due_at) FILTER (WHERE r.state = ANY (p_open) AND r.lease_owner = '' AND r.due_at <= now()),
    count(*) FILTER (WHERE r.state = p_failed AND r.finished_at > now() - interval '1 hour')
  FROM runs_run r
  WHERE r.state = ANY (p_open) OR (r.state = p_failed AND r.finished_at > now() - interval '1 hour')
  GROUP BY r.queue
$$
"""


class Migration(migrations.Migration):
    dependencies = [("runs", "0003_console_indexes"), ("core", "0004_walls")]

    operations = [
        walled("runs_run"),
        walled("runs_step"),
        walled("runs_attempt"),
        walled("runs_runframe"),
        definer_function("runs_queue_figures(text[], text)", QUEUE_FIGURES),
        tenant_statistics("runs_attempt", "step_id"),
        tenant_statistics("runs_runframe", "run_id"),
    ]
