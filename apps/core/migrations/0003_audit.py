"""The audit trail: a table nobody changes, and the three functions that write it."""

from django.db import migrations, models

from apps.core.migrations_support import definer_function

TABLES = """
CREATE TABLE core_auditentry (
  id bigint GENERATED ALWAYS AS IDENTITY, key uuid NOT NULL, organization_id uuid NOT NULL,
  created_at timestamptz NOT NULL, action text NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('done', 'refused', 'failed')), actor_id uuid, on_behalf_of uuid,
  object_type text NOT NULL, object_id text NOT NULL, request_id text NOT NULL, session text NOT NULL,
  details jsonb NOT NULL, address_reference text NOT NULL, person_reference text NOT NULL, seal text NOT NULL,
  address text, person text, number bigint, hash text, chained_at timestamptz,
  CHECK ((number IS NULL) = (hash IS NULL) AND (number IS NULL) = (chained_at IS NULL)),
  PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);
CREATE INDEX core_auditentry_organization ON core_auditentry (organization_id, id);
CREATE INDEX core_auditentry_actor ON core_auditentry (organization_id, actor_id, id);
CREATE INDEX core_auditentry_object ON core_auditentry (organization_id, object_id, id);
CREATE INDEX core_auditentry_action ON core_auditentry (organization_id, action, id);
CREATE INDEX core_auditentry_number ON core_auditentry (organization_id, number);
CREATE INDEX core_auditentry_key ON core_auditentry (organization_id, key);
CREATE INDEX core_auditentry_unchained ON core_auditentry (id) WHERE number IS NULL;
CREATE TABLE core_auditentry_default PARTITION OF core_auditentry DEFAULT;
"""

RECORD = """
CREATE OR REPLACE FUNCTION core_record_audit(p_key uuid, p_action text, p_outcome text, p_actor uuid, p_behalf uuid,
  p_object_type text, p_object_id text, p_request text, p_session text, p_details jsonb,
  p_address_reference text, p_person_reference text, p_seal text, p_address text, p_person text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  here uuid := nullif(current_setting('app.organization', true), '')::uuid;
BEGIN
  IF here IS NULL THEN
    RAISE EXCEPTION 'an audit entry needs an organization' USING ERRCODE = 'insufficient_privilege';
  END IF;
  INSERT INTO core_auditentry (key, organization_id, created_at, action, outcome, actor_id, on_behalf_of, object_type,
      object_id, request_id, session, details, address_reference, person_reference, seal, address, person)
    VALUES (p_key, here, clock_timestamp(), p_action, p_outcome, p_actor, p_behalf, p_object_type,
      p_object_id, p_request, p_session, p_details, p_address_reference, p_person_reference, p_seal, p_address, p_person);
END $$
"""

# One chain a time: the advisory lock keeps a second relay out, the snapshot of the loop is taken after it.
CHAIN = """
CREATE OR REPLACE FUNCTION core_chain_audit(p_limit int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  entry record; head core_auditchain; moment timestamptz; done int := 0;
BEGIN
  PERFORM pg_advisory_xact_lock(1635083369);  -- "audi"
  moment := clock_timestamp();
  FOR entry IN
    SELECT e.*, e.details::text AS details_text
    FROM (SELECT * FROM core_auditentry WHERE number IS NULL ORDER BY id LIMIT p_limit) e
    ORDER BY e.organization_id, e.id
  LOOP
    IF head.organization_id IS DISTINCT FROM entry.organization_id THEN
      INSERT INTO core_auditchain (organization_id, number, hash, chained_at)
        VALUES (entry.organization_id, 0, repeat('0', 64), moment) ON CONFLICT DO NOTHING;
      SELECT * INTO head FROM core_auditchain c WHERE c.organization_id = entry.organization_id FOR UPDATE;
    END IF;
    head.number := head.number + 1;
    head.hash := encode(sha256(decode(head.hash, 'hex') || convert_to(core_audit_netstrings(ARRAY[
      head.number::text, entry.id::text, (extract(epoch FROM entry.created_at) * 1000000)::bigint::text,
      (extract(epoch FROM moment) * 1000000)::bigint::text, entry.key::text, entry.organization_id::text, entry.action,
      entry.outcome, entry.actor_id::text, entry.on_behalf_of::text, entry.object_type, entry.object_id,
      entry.request_id, entry.session, entry.address_reference, entry.person_reference, entry.details_text,
      entry.seal]), 'UTF8')), 'hex');
    UPDATE core_auditentry SET number = head.number, hash = head.hash, chained_at = moment
      WHERE id = entry.id AND created_at = entry.created_at;
    UPDATE core_auditchain SET number = head.number, hash = head.hash, chained_at = moment
      WHERE organization_id = head.organization_id;
    done := done + 1;
  END LOOP;
  RETURN done;
END $$
"""

NETSTRINGS = """
CREATE OR REPLACE FUNCTION core_audit_netstrings(p_parts text[]) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT string_agg(CASE WHEN part IS NULL THEN '-'
    ELSE octet_length(convert_to(part, 'UTF8')) || ':' || part END, '' ORDER BY place)
  FROM unnest(p_parts) WITH ORDINALITY AS listed (part, place)
$$
"""

EMPTY = """
CREATE OR REPLACE FUNCTION core_empty_audit_person(p_person uuid, p_spellings text[]) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  here uuid := nullif(current_setting('app.organization', true), '')::uuid;
  emptied int; more int;
BEGIN
  UPDATE core_auditentry SET address = NULL
    WHERE organization_id = here AND actor_id = p_person AND address IS NOT NULL;
  GET DIAGNOSTICS emptied = ROW_COUNT;
  UPDATE core_auditentry SET person = NULL
    WHERE organization_id = here AND person IS NOT NULL
      AND (object_id = p_person::text OR (actor_id = p_person AND object_id = '') OR lower(person) = ANY (p_spellings));
  GET DIAGNOSTICS more = ROW_COUNT;
  RETURN emptied + more;
END $$
"""

# The owner of the functions is the writer where that role exists, else the owner of the tables.
KEEP = """
CREATE OR REPLACE FUNCTION core_keep_audit() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  writer name := pg_get_userbyid((SELECT proowner FROM pg_proc WHERE oid = 'core_chain_audit(int)'::regprocedure));
  chained text[] := ARRAY['number', 'hash', 'chained_at'];
  personal text[] := ARRAY['address', 'person'];
BEGIN
  IF TG_OP = 'UPDATE' AND current_user = writer THEN
    IF OLD.number IS NULL AND NEW.number IS NOT NULL AND to_jsonb(OLD) - chained = to_jsonb(NEW) - chained THEN
      RETURN NEW;
    END IF;
    IF to_jsonb(OLD) - personal = to_jsonb(NEW) - personal AND (NEW.address IS NULL OR NEW.address = OLD.address)
        AND (NEW.person IS NULL OR NEW.person = OLD.person) THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER core_auditentry_keep BEFORE UPDATE OR DELETE ON core_auditentry
  FOR EACH ROW EXECUTE FUNCTION core_keep_audit();
CREATE TRIGGER core_auditentry_stay BEFORE TRUNCATE ON core_auditentry EXECUTE FUNCTION core_keep_audit();
CREATE TRIGGER core_auditentry_stay BEFORE TRUNCATE ON core_auditentry_default EXECUTE FUNCTION core_keep_audit();
"""

# As in 0002, and each partition of the trail is kept from TRUNCATE by its own trigger (rows inherit theirs).
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
        IF parent = 'core_auditentry' THEN
          EXECUTE format('CREATE TRIGGER core_auditentry_stay BEFORE TRUNCATE ON %I '
            'EXECUTE FUNCTION core_keep_audit()', name);
        END IF;
        made := made + 1;
      END IF;
    END LOOP;
  END LOOP;
  RETURN made;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0002_event_log")]

    operations = [
        migrations.CreateModel(
            name="AuditChain",
            fields=[
                ("organization_id", models.UUIDField(primary_key=True, serialize=False)),
                ("number", models.BigIntegerField()),
                ("hash", models.TextField()),
                ("chained_at", models.DateTimeField()),
            ],
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(TABLES, "DROP TABLE core_auditentry")],
            state_operations=[
                migrations.CreateModel(
                    name="AuditEntry",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        (
                            "key",
                            models.UUIDField(
                                help_text="Made by the writer; what addresses name, and what shows a copied entry."
                            ),
                        ),
                        ("organization_id", models.UUIDField()),
                        ("created_at", models.DateTimeField()),
                        ("action", models.TextField()),
                        (
                            "outcome",
                            models.TextField(
                                choices=[("done", "Done"), ("refused", "Refused"), ("failed", "Failed")]
                            ),
                        ),
                        ("actor_id", models.UUIDField(null=True)),
                        ("on_behalf_of", models.UUIDField(null=True)),
                        ("object_type", models.TextField()),
                        ("object_id", models.TextField()),
                        ("request_id", models.TextField()),
                        ("session", models.TextField()),
                        ("details", models.JSONField()),
                        ("address_reference", models.TextField()),
                        ("person_reference", models.TextField()),
                        (
                            "seal",
                            models.TextField(
                                help_text="Keyed hash of all above but time and id, made outside the database."
                            ),
                        ),
                        ("address", models.TextField(null=True)),
                        ("person", models.TextField(null=True)),
                        (
                            "number",
                            models.BigIntegerField(
                                help_text="Gap-free in the chain; empty until chained.", null=True
                            ),
                        ),
                        ("hash", models.TextField(null=True)),
                        ("chained_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                fields=["organization_id", "id"], name="core_auditentry_organization"
                            ),
                            models.Index(
                                fields=["organization_id", "actor_id", "id"], name="core_auditentry_actor"
                            ),
                            models.Index(
                                fields=["organization_id", "object_id", "id"], name="core_auditentry_object"
                            ),
                            models.Index(
                                fields=["organization_id", "action", "id"], name="core_auditentry_action"
                            ),
                            models.Index(fields=["organization_id", "number"], name="core_auditentry_number"),
                            models.Index(fields=["organization_id", "key"], name="core_auditentry_key"),
                            models.Index(
                                condition=models.Q(("number__isnull", True)),
                                fields=["id"],
                                name="core_auditentry_unchained",
                            ),
                        ],
                    },
                ),
            ],
        ),
        definer_function(
            "core_record_audit(uuid, text, text, uuid, uuid, text, text, text, text, jsonb, text, text, text, text, text)",
            RECORD,
        ),
        migrations.RunSQL(NETSTRINGS, "DROP FUNCTION core_audit_netstrings(text[])"),
        definer_function("core_chain_audit(int)", CHAIN, grant_to=("chat_platform",)),
        definer_function("core_empty_audit_person(uuid, text[])", EMPTY),
        migrations.RunSQL(KEEP, "DROP FUNCTION core_keep_audit() CASCADE"),
        migrations.RunSQL(MAKE_PARTITIONS, migrations.RunSQL.noop),
        migrations.RunSQL("SELECT core_make_partitions(2)", migrations.RunSQL.noop),
    ]
