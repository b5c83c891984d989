"""The partitioned tables of the event log and the functions that write them."""

from django.db import migrations

from apps.core.migrations_support import definer_function

COLUMNS = """
  organization_id uuid NOT NULL, scope_id uuid, stream_id uuid NOT NULL, sequence bigint NOT NULL, type text NOT NULL,
  payload jsonb NOT NULL, actor_id uuid, trace_id text NOT NULL DEFAULT '', created_at timestamptz NOT NULL
"""

TABLES = f"""
CREATE TABLE core_event (id bigint GENERATED ALWAYS AS IDENTITY, {COLUMNS}, PRIMARY KEY (id, created_at))
  PARTITION BY RANGE (created_at);
CREATE INDEX core_event_stream ON core_event (stream_id, sequence);
CREATE INDEX core_event_organization ON core_event (organization_id, created_at);
CREATE TABLE core_event_default PARTITION OF core_event DEFAULT;

CREATE TABLE core_eventfeed (position bigint GENERATED ALWAYS AS IDENTITY (CACHE 1), event_id bigint NOT NULL, {COLUMNS},
  PRIMARY KEY (position, created_at)) PARTITION BY RANGE (created_at);
CREATE TABLE core_eventfeed_default PARTITION OF core_eventfeed DEFAULT;

ALTER TABLE core_eventoutbox SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 200);
ALTER TABLE core_stream SET (fillfactor = 50);
"""

MAKE_PARTITIONS = """
CREATE OR REPLACE FUNCTION core_make_partitions(p_months int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  made int := 0; parent text; start date; name text;
BEGIN
  FOR parent IN SELECT c.relname FROM pg_partitioned_table p JOIN pg_class c ON c.oid = p.partrelid
      WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1 LOOP  -- all are partitioned by created_at
    FOR step IN 0..p_months LOOP
      start := (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => step))::date;
      name := format('%s_%s', parent, to_char(start, 'YYYYMM'));
      IF to_regclass(name) IS NULL THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', name, parent,
          start::timestamp AT TIME ZONE 'UTC', (start + interval '1 month')::timestamp AT TIME ZONE 'UTC');
        made := made + 1;
      END IF;
    END LOOP;
  END LOOP;
  RETURN made;
END $$
"""

DROP_FEED = """
CREATE OR REPLACE FUNCTION core_drop_consumed_feed() RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  dropped int := 0; slowest bigint; part record; newest bigint;
BEGIN
  SELECT min(position) INTO slowest FROM core_consumer;
  FOR part IN
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'core_eventfeed'::regclass AND c.relname ~ '^core_eventfeed_[0-9]{6}$'
      AND c.relname < 'core_eventfeed_' || to_char((now() AT TIME ZONE 'UTC') - interval '1 month', 'YYYYMM')
  LOOP
    EXECUTE format('SELECT max(position) FROM %I', part.relname) INTO newest;
    IF newest IS NULL OR newest <= slowest THEN
      EXECUTE format('DROP TABLE %I', part.relname);
      dropped := dropped + 1;
    END IF;
  END LOOP;
  RETURN dropped;
END $$
"""

RECORD = """
CREATE OR REPLACE FUNCTION core_record_event(p_organization uuid, p_scope uuid, p_stream uuid, p_type text,
  p_payload jsonb, p_actor uuid, p_trace text) RETURNS TABLE (sequence bigint, created_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  here uuid := nullif(current_setting('app.organization', true), '')::uuid;
  number bigint;
BEGIN
  IF here IS DISTINCT FROM p_organization THEN
    RAISE EXCEPTION 'event of organization % recorded in the context of %', p_organization, here
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  INSERT INTO core_stream AS s (id, organization_id, last_sequence) VALUES (p_stream, p_organization, 1)
    ON CONFLICT (id) DO UPDATE SET last_sequence = s.last_sequence + 1 WHERE s.organization_id = p_organization
    RETURNING s.last_sequence INTO number;
  IF number IS NULL THEN
    RAISE EXCEPTION 'stream % belongs to another organization', p_stream USING ERRCODE = 'insufficient_privilege';
  END IF;
  INSERT INTO core_event (organization_id, scope_id, stream_id, sequence, type, payload, actor_id, trace_id, created_at)
    VALUES (p_organization, p_scope, p_stream, number, p_type, p_payload, p_actor, p_trace, now());
  INSERT INTO core_eventoutbox (organization_id, scope_id, stream_id, sequence, type, payload, actor_id, trace_id, created_at)
    VALUES (p_organization, p_scope, p_stream, number, p_type, p_payload, p_actor, p_trace, now());
  RETURN QUERY SELECT number, now();
END $$
"""

OWNED = """
REVOKE ALL ON FUNCTION core_make_partitions(int), core_drop_consumed_feed() FROM PUBLIC;
DO $do$ BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'chat_platform') THEN
    GRANT EXECUTE ON FUNCTION core_make_partitions(int), core_drop_consumed_feed() TO chat_platform;
  END IF;
END $do$;
SELECT core_make_partitions(2);
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]

    operations = [
        migrations.RunSQL(TABLES, "DROP TABLE core_event, core_eventfeed"),
        migrations.RunSQL(MAKE_PARTITIONS, "DROP FUNCTION core_make_partitions(int)"),
        migrations.RunSQL(DROP_FEED, "DROP FUNCTION core_drop_consumed_feed()"),
        # These two create and drop tables, so they belong to the owner of the tables, not to the writer.
        migrations.RunSQL(OWNED, migrations.RunSQL.noop),
        definer_function("core_record_event(uuid, uuid, uuid, text, jsonb, uuid, text)", RECORD),
    ]
