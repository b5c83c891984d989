"""The one function that changes what the event log says: an erasure takes a person's words and ids out of it."""

from django.db import migrations

from apps.core.migrations_support import definer_function

# Order, type, stream and time of an event never change. Only the current organization's rows are touched.
# IS TRUE: the key finds the row; without statistics the planner would also fetch all of the organization from its index.
REWRITE = """
CREATE OR REPLACE FUNCTION core_rewrite_events(p_log text, p_rewritten jsonb, p_gone bigint[], p_streams uuid[])
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  here uuid := nullif(current_setting('app.organization', true), '')::uuid;
  key text := CASE WHEN p_log = 'core_eventfeed' THEN 'position' ELSE 'id' END;
  done bigint; total bigint := 0;
BEGIN
  IF here IS NULL OR p_log NOT IN ('core_event', 'core_eventoutbox', 'core_eventfeed') THEN RETURN 0; END IF;
  EXECUTE format('
    UPDATE %I e SET payload = r.payload, actor_id = r.actor
    FROM jsonb_to_recordset($1) AS r (key bigint, moment timestamptz, payload jsonb, actor uuid)
    WHERE e.%I = r.key AND e.created_at = r.moment AND (e.organization_id = $2) IS TRUE', p_log, key) USING p_rewritten, here;
  GET DIAGNOSTICS done = ROW_COUNT; total := total + done;
  EXECUTE format('DELETE FROM %I WHERE %I = ANY ($1) AND organization_id = $2', p_log, key) USING p_gone, here;
  GET DIAGNOSTICS done = ROW_COUNT; total := total + done;
  DELETE FROM core_stream WHERE id = ANY (p_streams) AND organization_id = here;
  RETURN total;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0005_outbound_hosts")]

    operations = [
        definer_function(
            "core_rewrite_events(text, jsonb, bigint[], uuid[])",
            REWRITE,
            grant_to=("chat_app", "chat_platform"),
        ),
    ]
