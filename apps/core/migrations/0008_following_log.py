"""The copies of the event log take over what an erasure made of it: worked out once for each event, not three times."""

from django.db import migrations

from apps.core.migrations_support import definer_function

# IS TRUE: as in 0006, the key finds the row.
FOLLOW = """
CREATE OR REPLACE FUNCTION core_follow_log(p_log text, p_after bigint, p_until bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  here uuid := nullif(current_setting('app.organization', true), '')::uuid;
  key text := CASE WHEN p_log = 'core_eventfeed' THEN 'position' ELSE 'id' END;
  done bigint;
BEGIN
  IF here IS NULL OR p_log NOT IN ('core_eventoutbox', 'core_eventfeed') THEN RETURN 0; END IF;
  EXECUTE format('
    UPDATE %I copy SET payload = e.payload, actor_id = e.actor_id
    FROM core_event e
    WHERE copy.%I > $1 AND copy.%I <= $2 AND (copy.organization_id = $3) IS TRUE
      AND e.stream_id = copy.stream_id AND e.sequence = copy.sequence AND e.created_at = copy.created_at
      AND (e.organization_id = $3) IS TRUE
      AND (e.payload, e.actor_id) IS DISTINCT FROM (copy.payload, copy.actor_id)', p_log, key, key)
    USING p_after, p_until, here;
  GET DIAGNOSTICS done = ROW_COUNT;
  RETURN done;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0007_audit_numbers")]

    operations = [definer_function("core_follow_log(text, bigint, bigint)", FOLLOW)]
