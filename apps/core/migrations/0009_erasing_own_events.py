"""An erasure empties the events that a person caused where they lie: most need nothing that only Python knows.

And its copies take over single events of the log, not windows of it; `core_follow_log` stays for processes of before.
"""

from django.db import migrations

from apps.core.migrations_support import definer_function

# Returns the keys of what it changed. Events of one type are made alike: the first one says what becomes of its words
# and of who said them. Others, and those that still name the person after that, stay as they were, for Python or for
# the next call. Rows are looked up by their key, whatever the planner thinks of the table.
ERASE = """
CREATE OR REPLACE FUNCTION core_erase_own_events(
  p_after bigint, p_until bigint, p_type text, p_holder text, p_words text[], p_people text[],
  p_person uuid, p_member uuid, p_placeholder jsonb
) RETURNS bigint[] LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  here uuid := nullif(current_setting('app.organization', true), '')::uuid;
  own text := 'FROM core_event e WHERE e.id > $1 AND e.id <= $2 AND (e.organization_id = $3) IS TRUE '
    'AND e.actor_id = $4 AND e.stream_id <> $5 AND e.type = $6';
  holder text := CASE p_holder WHEN '' THEN 'e.payload' ELSE format('(e.payload -> %L)', p_holder) END;
  first jsonb; emptied jsonb := '{}'; alike text := 'true'; said text; word text; kind text; done bigint[];
BEGIN
  IF here IS NULL THEN RETURN '{}'; END IF;
  EXECUTE format('SELECT %s %s LIMIT 1', holder, own) INTO first
    USING p_after, p_until, here, p_person, p_member, p_type;
  IF first IS NULL OR jsonb_typeof(first) <> 'object' THEN RETURN '{}'; END IF;
  FOREACH word IN ARRAY p_words LOOP
    kind := jsonb_typeof(first -> word);
    emptied := emptied || jsonb_build_object(
      word, CASE kind WHEN 'string' THEN '""'::jsonb WHEN 'array' THEN '[]' ELSE 'null' END);
    alike := alike || CASE WHEN kind IN ('string', 'array')
      THEN format(' AND jsonb_typeof(%s -> %L) = %L', holder, word, kind)
      ELSE format(' AND jsonb_typeof(%s -> %L) NOT IN (''string'', ''array'')', holder, word) END;
  END LOOP;
  FOREACH word IN ARRAY p_people LOOP
    IF first #>> ARRAY[word, 'id'] = p_person::text
      AND (first -> word) ?& (SELECT array_agg(k) FROM jsonb_object_keys(p_placeholder) k) THEN
      emptied := emptied || jsonb_build_object(word, (first -> word) || p_placeholder);
      alike := alike || format(' AND %s -> %L = %L::jsonb', holder, word, first -> word);
    END IF;
  END LOOP;
  said := format('%s || %L::jsonb', holder, emptied);
  IF p_holder <> '' THEN
    said := format('jsonb_set(e.payload, %L, %s)', ARRAY[p_holder], said);
  END IF;
  EXECUTE format('
    WITH own AS MATERIALIZED (SELECT e.id, e.created_at, %s AS payload %s AND %s),
    clean AS MATERIALIZED (SELECT * FROM own WHERE NOT own.payload::text LIKE ANY ($7)),
    changed AS (
      UPDATE core_event e SET payload = clean.payload, actor_id = ($8 ->> ''id'')::uuid
      FROM clean WHERE e.id = clean.id AND e.created_at = clean.created_at RETURNING e.id)
    SELECT coalesce(array_agg(id), ''{}'') FROM changed', said, own, alike) INTO done
    USING p_after, p_until, here, p_person, p_member, p_type,
      ARRAY['%' || p_person || '%', '%' || p_member || '%', '%@%'], p_placeholder;
  RETURN done;
END $$
"""

# Returns the keys that the log answers for.
FOLLOW = """
CREATE OR REPLACE FUNCTION core_follow_events(p_log text, p_keys bigint[]) RETURNS bigint[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  here uuid := nullif(current_setting('app.organization', true), '')::uuid;
  key text := CASE WHEN p_log = 'core_eventfeed' THEN 'position' ELSE 'id' END;
  done bigint[];
BEGIN
  IF here IS NULL OR p_log NOT IN ('core_eventoutbox', 'core_eventfeed') THEN RETURN '{}'; END IF;
  EXECUTE format('
    WITH followed AS (
      UPDATE %I copy SET payload = e.payload, actor_id = e.actor_id
      FROM core_event e
      WHERE copy.%I = ANY ($1) AND (copy.organization_id = $2) IS TRUE
        AND e.stream_id = copy.stream_id AND e.sequence = copy.sequence AND e.created_at = copy.created_at
        AND (e.organization_id = $2) IS TRUE
      RETURNING copy.%I AS key)
    SELECT coalesce(array_agg(key), ''{}'') FROM followed', p_log, key, key) INTO done USING p_keys, here;
  RETURN done;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0008_following_log")]

    operations = [
        definer_function(
            "core_erase_own_events(bigint, bigint, text, text, text[], text[], uuid, uuid, jsonb)", ERASE
        ),
        definer_function("core_follow_events(text, bigint[])", FOLLOW),
    ]
