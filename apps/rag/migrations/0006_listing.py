"""Searches that list: messages that fulfil every operator and hold every word, the newest first.

The operators' conditions are written into the statement by `search_filter_<name>`, functions that migrations made:
the planner sees one statement with all of them, and what a message is asked cannot be forgotten afterwards.
"""

from django.db import migrations

from apps.core.migrations_support import definer_function, search_filter

# A word is found in any of its spellings; where all are stop words of a language, texts in it are not asked for it.
EVERY_WORD = """
CREATE OR REPLACE FUNCTION rag_every_word(p_language text, p_words int[], p_languages text[], p_forms text[], p_must text[])
RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp AS $$
  WITH spelled AS (
    SELECT f.word, plainto_tsquery(rag_config(p_language), f.form)::text AS query
    FROM unnest(p_words, p_languages, p_forms) f (word, language, form) WHERE f.language = p_language
  ), word AS (
    SELECT string_agg('(' || s.query || ')', ' | ') AS query FROM spelled s WHERE s.query <> '' GROUP BY s.word
  ), both_kinds AS (
    SELECT w.query FROM word w UNION ALL SELECT rag_phrases(p_language, p_must, '&')::text
  )
  SELECT string_agg('(' || b.query || ')', ' & ')::tsquery FROM both_kinds b
$$
"""

LIST = """
CREATE OR REPLACE FUNCTION rag_list(
  p_principals uuid[], p_reader uuid, p_scopes uuid[], p_classes text[], p_words int[], p_languages text[], p_forms text[], p_must text[],
  p_not text[], p_demands jsonb, p_time timestamptz, p_moment timestamptz, p_id uuid, p_limit int
) RETURNS TABLE (message uuid, chunk_time timestamptz, moment timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp
SET random_page_cost = 1.1 SET jit = off AS $$
#variable_conflict use_column
DECLARE
  v_here uuid := nullif(current_setting('app.organization', true), '')::uuid;
  v_seen uuid[]; v_later uuid[]; v_since timestamptz[];
  v_de tsquery := rag_every_word('de', p_words, p_languages, p_forms, p_must);
  v_en tsquery := rag_every_word('en', p_words, p_languages, p_forms, p_must);
  v_simple tsquery := rag_every_word('simple', p_words, p_languages, p_forms, p_must);
  v_not_de tsquery := rag_phrases('de', p_not, '|'); v_not_en tsquery := rag_phrases('en', p_not, '|');
  v_not_simple tsquery := rag_phrases('simple', p_not, '|');
  v_demand jsonb; v_values text[]; v_text text;
  v_where text := 'm.organization_id = $1 AND m.deleted_at IS NULL AND m.scope_id = ANY ($2)';
  v_chunks text := 'p.organization_id = $1 AND p.scope_id = ANY ($2) AND p.source_type = ''message''';
BEGIN
  IF v_here IS NULL OR coalesce(cardinality(p_principals), 0) = 0 THEN RETURN; END IF;
  SELECT array_agg(v.scope_id),
         array_agg(v.scope_id ORDER BY v.scope_id) FILTER (WHERE v.since > '-infinity'),
         array_agg(v.since ORDER BY v.scope_id) FILTER (WHERE v.since > '-infinity')
    INTO v_seen, v_later, v_since FROM rag_visible(p_principals, p_scopes, p_classes) v;
  IF v_seen IS NULL THEN RETURN; END IF;
  IF v_later IS NOT NULL THEN
    v_where := v_where || ' AND (NOT m.scope_id = ANY ($3) OR m.sent_at >= ($4)[array_position($3, m.scope_id)])';
  END IF;

  FOR v_demand IN SELECT d FROM jsonb_array_elements(p_demands) d LOOP
    IF v_demand ->> 'filter' !~ '^[a-z_]+$' THEN RAISE EXCEPTION 'no such filter'; END IF;
    v_values := ARRAY(SELECT x FROM jsonb_array_elements_text(v_demand -> 'values') WITH ORDINALITY e (x, n) ORDER BY n);
    EXECUTE format('SELECT %I($1, $2)', 'search_filter_' || (v_demand ->> 'filter')) INTO v_text USING v_values, p_reader;
    v_where := v_where || CASE WHEN (v_demand ->> 'not')::boolean THEN ' AND NOT (' ELSE ' AND (' END || v_text || ')';
    IF v_demand ->> 'filter' IN ('sender', 'conversation') AND NOT (v_demand ->> 'not')::boolean THEN
      v_chunks := v_chunks || format(' AND p.%I = ANY (%L::uuid[])',
        CASE v_demand ->> 'filter' WHEN 'sender' THEN 'author_id' ELSE 'conversation_id' END, v_values);
    END IF;
  END LOOP;
  IF coalesce(v_not_de, v_not_en, v_not_simple) IS NOT NULL THEN
    v_where := v_where || format(' AND NOT (coalesce(to_tsvector(''pg_catalog.german'', m.body) @@ %L::tsquery, false)
      OR coalesce(to_tsvector(''pg_catalog.english'', m.body) @@ %L::tsquery, false)
      OR coalesce(to_tsvector(''pg_catalog.simple'', m.body) @@ %L::tsquery, false))', v_not_de, v_not_en, v_not_simple);
  END IF;

  IF v_de IS NULL AND v_en IS NULL AND v_simple IS NULL THEN
    IF p_moment IS NOT NULL THEN v_where := v_where || ' AND (m.sent_at, m.id) < ($6, $7)'; END IF;
    RETURN QUERY EXECUTE 'SELECT m.id, m.sent_at, m.sent_at FROM chat_message m WHERE ' || v_where
      || ' ORDER BY m.sent_at DESC, m.id DESC LIMIT $8'
      USING v_here, v_seen, v_later, v_since, p_time, p_moment, p_id, p_limit;
    RETURN;
  END IF;

  v_text := format('CASE p.language WHEN ''de'' THEN %L::tsquery WHEN ''en'' THEN %L::tsquery ELSE %L::tsquery END',
    v_de, v_en, v_simple);
  IF v_de IS NOT NULL AND v_en IS NOT NULL AND v_simple IS NOT NULL THEN  -- one question to the index of words
    v_chunks := v_chunks || format(' AND p.tsv @@ %L::tsquery', v_de || v_en || v_simple);
  END IF;
  IF p_moment IS NOT NULL THEN
    v_chunks := v_chunks || ' AND p.content_time <= $5';
    v_where := v_where || ' AND (p.content_time, m.sent_at, m.id) < ($5, $6, $7)';
  END IF;
  -- Where short messages share a chunk, the words must stand in this one; spellings that the index folds are let pass.
  RETURN QUERY EXECUTE 'SELECT DISTINCT m.id, p.content_time, m.sent_at
    FROM rag_chunk p JOIN rag_chunkmessage c ON c.organization_id = p.organization_id AND c.chunk_id = p.id
    JOIN chat_message m ON m.organization_id = c.organization_id AND m.id = c.message_id
    WHERE ' || v_chunks || ' AND coalesce(p.tsv @@ ' || v_text || ', true) AND ' || v_where || '
      AND CASE WHEN m.body ~ (CASE p.language WHEN ''de'' THEN ''[^\\x01-\\x7fäöüÄÖÜß]'' ELSE ''[^\\x01-\\x7f]'' END)
        OR NOT EXISTS (SELECT FROM rag_chunkmessage o WHERE o.organization_id = p.organization_id AND o.chunk_id = p.id
          AND o.message_id <> m.id)
        THEN true ELSE coalesce(to_tsvector(rag_config(p.language), m.body) @@ ' || v_text || ', true) END
    ORDER BY p.content_time DESC, m.sent_at DESC, m.id DESC LIMIT $8'
    USING v_here, v_seen, v_later, v_since, p_time, p_moment, p_id, p_limit;
END $$
"""

LANGUAGE = (
    "EXISTS (SELECT FROM rag_chunkmessage x JOIN rag_chunk y ON y.organization_id = x.organization_id "
    "AND y.id = x.chunk_id WHERE x.organization_id = m.organization_id AND x.message_id = m.id "
    "AND y.language = ANY ({values}))"
)
MEDIA_TYPE = (
    "EXISTS (SELECT FROM chat_attachment x JOIN files_storedfile f ON f.organization_id = x.organization_id "
    "AND f.id = x.file_id WHERE x.organization_id = m.organization_id AND x.message_id = m.id "
    "AND f.media_type = ANY ({values}))"
)


class Migration(migrations.Migration):
    dependencies = [("rag", "0005_conditions"), ("chat", "0030_search_filters")]

    operations = [
        search_filter("language", LANGUAGE),
        search_filter("media_type", MEDIA_TYPE),
        search_filter("source", "'message' = ANY ({values})"),
        migrations.RunSQL(EVERY_WORD, "DROP FUNCTION rag_every_word(text, int[], text[], text[], text[])"),
        definer_function(
            "rag_list(uuid[], uuid, uuid[], text[], int[], text[], text[], text[], text[], jsonb, timestamptz, timestamptz, "
            "uuid, int)",
            LIST,
        ),
    ]
