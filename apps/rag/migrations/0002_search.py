"""Composite keys, statistics, the words' index, and the functions that search.

Text operators are not leakproof, so under row security they could not use an index: search runs in functions that
name the organization and the visible scopes themselves. They read the organization from the setting that the tenancy
wrapper sends with each statement; without one they find nothing.
"""

from django.db import migrations

from apps.core.migrations_support import composite_key, definer_function, tenant_key, tenant_statistics

PLAIN_STORAGE = "ALTER TABLE rag_chunk ALTER COLUMN embedding SET STORAGE PLAIN"  # no detour on each distance

# With btree_gin the organization is part of the words' index; without it, it is checked on the rows.
WORDS_INDEX = """
DO $do$ BEGIN
  IF EXISTS (SELECT FROM pg_extension WHERE extname = 'btree_gin') THEN
    CREATE INDEX rag_chunk_words ON rag_chunk USING gin (organization_id, tsv) WITH (fastupdate = off);
  ELSE
    CREATE INDEX rag_chunk_words ON rag_chunk USING gin (tsv) WITH (fastupdate = off);
  END IF;
  IF EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm') THEN
    CREATE INDEX rag_termstat_alike ON rag_termstat USING gin (term gin_trgm_ops);
  END IF;
END $do$;
"""

CONFIG = """
CREATE FUNCTION rag_config(p_language text) RETURNS regconfig LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE p_language WHEN 'de' THEN 'pg_catalog.german'::regconfig WHEN 'en' THEN 'pg_catalog.english'::regconfig
    ELSE 'pg_catalog.simple'::regconfig END
$$;
CREATE FUNCTION rag_quoted(p_lexeme text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT '''' || replace(replace(p_lexeme, '\\', '\\\\'), '''', '''''') || ''''
$$;
CREATE FUNCTION rag_phrases(p_language text, p_phrases text[], p_operator text) RETURNS tsquery
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT string_agg('(' || q.query || ')', p_operator)::tsquery
  FROM (SELECT phraseto_tsquery(rag_config(p_language), phrase)::text AS query FROM unnest(p_phrases) phrase) q
  WHERE q.query <> ''
$$;
"""

# Scopes that every one of the principals sees, and since when: an open seat, or a scope open to the organization
# unless the principal is a guest. A principal without an active seat in the organization sees nothing.
VISIBLE = """
CREATE OR REPLACE FUNCTION rag_visible(p_principals uuid[])
RETURNS TABLE (scope_id uuid, since timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH here AS (
    SELECT nullif(current_setting('app.organization', true), '')::uuid AS organization_id
  ), who AS (
    SELECT DISTINCT m.organization_id, m.user_id, r.key = 'guest' AS is_guest
    FROM here JOIN accounts_member m ON m.organization_id = here.organization_id AND m.user_id = ANY (p_principals)
    JOIN accounts_role r ON r.organization_id = m.organization_id AND r.id = m.role_id
    WHERE m.deactivated_at IS NULL
  ), seen AS (
    SELECT w.user_id, s.scope_id, coalesce(s.visible_from, '-infinity') AS since
    FROM who w JOIN accounts_seat s ON s.organization_id = w.organization_id AND s.principal_id = w.user_id
      AND s.left_at IS NULL
    UNION ALL
    SELECT w.user_id, o.id, '-infinity'
    FROM who w JOIN accounts_scope o ON o.organization_id = w.organization_id AND o.audience = 'organization'
    WHERE NOT w.is_guest
  ), each_one AS (
    SELECT seen.user_id, seen.scope_id, min(seen.since) AS since FROM seen GROUP BY 1, 2
  )
  SELECT e.scope_id, max(e.since) FROM each_one e GROUP BY e.scope_id
  HAVING count(*) = (SELECT count(DISTINCT wanted) FROM unnest(p_principals) wanted)
$$
"""

# Terms that mean a word of the query almost as well: compounds that hold it, and spellings close to one that the
# organization never wrote. Needs pg_trgm to be fast enough; without it there are none.
ALIKE = """
CREATE OR REPLACE FUNCTION rag_alike(p_lexeme text, p_language text, p_is_known boolean)
RETURNS TABLE (term text, weight real)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
  here uuid := nullif(current_setting('app.organization', true), '')::uuid;
  compounds int := 0;
BEGIN
  IF here IS NULL OR length(p_lexeme) < 4 OR p_lexeme ~ '[^[:alpha:]]'
    OR NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm') THEN
    RETURN;
  END IF;
  IF p_language = 'de' THEN
    RETURN QUERY
      SELECT s.term, 0.3::real FROM rag_termstat s
      WHERE s.organization_id = here AND (s.term LIKE p_lexeme || '%' OR s.term LIKE '%' || p_lexeme)
        AND s.term <> p_lexeme AND s.term !~ '[^[:alpha:]-]'
      ORDER BY s.chunks DESC, s.term LIMIT 8;
    GET DIAGNOSTICS compounds = ROW_COUNT;
  END IF;
  IF NOT p_is_known AND compounds = 0 AND length(p_lexeme) >= 5 THEN
    RETURN QUERY
      SELECT s.term, (0.6 * similarity(s.term, p_lexeme))::real FROM rag_termstat s
      WHERE s.organization_id = here AND s.term % p_lexeme AND similarity(s.term, p_lexeme) >= 0.45
      ORDER BY similarity(s.term, p_lexeme) DESC, s.term LIMIT 4;
  END IF;
END $$
"""

# One call ranks at most p_limit chunks by words and meaning together. The legs and the weights are those of the
# measured design: sum of idf times ts_rank per term over the length, candidates from the rarest words, 100 nearest
# vectors (exact where few rows are visible), missing cosines filled in, 0.6 words + 0.4 meaning.
SEARCH = """
CREATE OR REPLACE FUNCTION rag_search(
  p_principals uuid[], p_language text, p_words int[], p_languages text[], p_forms text[], p_weights real[], p_must text[], p_not text[],
  p_vector text, p_model text, p_filters jsonb, p_limit int
) RETURNS TABLE (
  chunk bigint, score float8, words float8, cosine float8, source_type text, source uuid, moment timestamptz, found bigint
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan
-- Unpacking a text vector costs far more than an operator, and the index of words is in memory: tell the planner.
SET random_page_cost = 1.1 SET cpu_operator_cost = 0.02 AS $$
#variable_conflict use_column
DECLARE
  nearest CONSTANT int := 100;
  few CONSTANT int := 2000;  -- visible rows up to which every one with any of the words is scored
  -- Visible rows up to which sorting them all by distance is faster than the index: it reads 100 / share of them.
  v_most CONSTANT int := (SELECT least(greatest(35 * sqrt(greatest(c.reltuples, 0)), 5000), 40000)
    FROM pg_class c WHERE c.oid = 'rag_chunk'::regclass);
  v_here uuid := nullif(current_setting('app.organization', true), '')::uuid;
  v_seen uuid[]; v_later uuid[]; v_since timestamptz[];
  v_authors uuid[]; v_documents uuid[]; v_conversations uuid[]; v_sources text[]; v_types text[]; v_spoken text[];
  v_before timestamptz := (p_filters ->> 'before')::timestamptz;
  v_after timestamptz := (p_filters ->> 'after')::timestamptz;
  v_file boolean := coalesce((p_filters ->> 'has_file')::boolean, false);
  v_human boolean := coalesce((p_filters ->> 'exclude_generated')::boolean, false);
  v_vector halfvec(384) := p_vector::halfvec(384);
  v_must_de tsquery := rag_phrases('de', p_must, '&'); v_must_en tsquery := rag_phrases('en', p_must, '&');
  v_must_simple tsquery := rag_phrases('simple', p_must, '&'); v_must tsquery;
  v_not_de tsquery := rag_phrases('de', p_not, '|'); v_not_en tsquery := rag_phrases('en', p_not, '|');
  v_not_simple tsquery := rag_phrases('simple', p_not, '|'); v_not boolean;
  v_total float8; v_mean float8; v_visible bigint;
  v_term_languages text[]; v_term_queries tsquery[]; v_term_weights float8[];
  v_rare tsquery; v_every tsquery; v_query tsquery;
  l_ids bigint[] := '{}'; l_words float8[] := '{}'; l_found bigint := 0; d_ids bigint[] := '{}';
BEGIN
  IF v_here IS NULL OR coalesce(cardinality(p_principals), 0) = 0 THEN RETURN; END IF;

  SELECT array_agg(v.scope_id),
         array_agg(v.scope_id ORDER BY v.scope_id) FILTER (WHERE v.since > '-infinity'),
         array_agg(v.since ORDER BY v.scope_id) FILTER (WHERE v.since > '-infinity')
    INTO v_seen, v_later, v_since FROM rag_visible(p_principals) v;
  IF v_seen IS NULL THEN RETURN; END IF;

  SELECT array_agg(x::uuid) INTO v_authors FROM jsonb_array_elements_text(p_filters -> 'authors') x;
  SELECT array_agg(x::uuid) INTO v_documents FROM jsonb_array_elements_text(p_filters -> 'documents') x;
  SELECT array_agg(x::uuid) INTO v_conversations FROM jsonb_array_elements_text(p_filters -> 'conversations') x;
  SELECT array_agg(x) INTO v_sources FROM jsonb_array_elements_text(p_filters -> 'sources') x;
  SELECT array_agg(x) INTO v_types FROM jsonb_array_elements_text(p_filters -> 'media_types') x;
  SELECT array_agg(x) INTO v_spoken FROM jsonb_array_elements_text(p_filters -> 'languages') x;
  SELECT string_agg(q::text, ' | ')::tsquery INTO v_must
    FROM unnest(ARRAY[v_must_de, v_must_en, v_must_simple]) q WHERE q IS NOT NULL;
  v_not := coalesce(v_not_de, v_not_en, v_not_simple) IS NOT NULL;
  SELECT s.chunks, s.mean_words INTO v_total, v_mean FROM rag_indexstat s WHERE s.organization_id = v_here;
  v_total := greatest(coalesce(v_total, 0), 1000); v_mean := greatest(coalesce(v_mean, 0), 10);

  SELECT count(*) INTO v_visible FROM (
    SELECT 1 FROM rag_chunk p WHERE <visible> AND <filters> LIMIT v_most + 1
  ) some_of_them;
  IF v_visible = 0 THEN RETURN; END IF;

  WITH form AS (
    SELECT f.word, f.language, x.lexeme, max(f.weight) AS weight
    FROM unnest(p_words, p_languages, p_forms, p_weights) f (word, language, form, weight),
      unnest(tsvector_to_array(to_tsvector(rag_config(f.language), f.form))) x (lexeme)
    GROUP BY 1, 2, 3
  ), said AS (  -- a word that is a stop word in the query's language says nothing in the others
    SELECT DISTINCT f.word FROM form f
    WHERE f.language = p_language OR (p_language NOT IN ('de', 'en') AND f.language IN ('de', 'en'))
  ), counted AS (
    SELECT f.*, coalesce(s.chunks, 0) AS chunks, max(coalesce(s.chunks, 0)) OVER (PARTITION BY f.word) AS of_word
    FROM form f JOIN said USING (word) LEFT JOIN rag_termstat s ON s.organization_id = v_here AND s.term = f.lexeme
  ), alike AS (
    SELECT c.word, c.language, a.term AS lexeme, max(c.weight * a.weight) AS weight
    FROM counted c, rag_alike(c.lexeme, c.language, c.of_word > 0) a
    WHERE c.weight = 1 AND c.of_word <= greatest(20, v_total * 0.005)
    GROUP BY 1, 2, 3
  ), term AS (
    SELECT c.word, c.language, c.lexeme, c.weight, c.chunks FROM counted c
    UNION ALL
    SELECT a.word, a.language, a.lexeme, a.weight, coalesce(s.chunks, 0) FROM alike a
    LEFT JOIN rag_termstat s ON s.organization_id = v_here AND s.term = a.lexeme
    WHERE NOT EXISTS (SELECT 1 FROM form f WHERE f.word = a.word AND f.language = a.language AND f.lexeme = a.lexeme)
  ), of_word AS (
    SELECT t.word, sum(t.chunks) AS chunks
    FROM (SELECT DISTINCT word, lexeme, chunks FROM term) t GROUP BY t.word
  ), summed AS (
    SELECT w.word, sum(w.chunks) OVER (ORDER BY w.chunks, w.word) AS running,
      row_number() OVER (ORDER BY w.chunks, w.word) AS nth FROM of_word w
  )
  SELECT array_agg(t.language), array_agg(rag_quoted(t.lexeme)::tsquery),
    array_agg(t.weight * ln(1 + (v_total - least(t.chunks, v_total) + 0.5) / (greatest(t.chunks, 1) + 0.5))),
    string_agg(rag_quoted(t.lexeme), ' | ')
      FILTER (WHERE s.nth = 1 OR s.running <= greatest(2000, v_total * 0.04))::tsquery,
    string_agg(rag_quoted(t.lexeme), ' | ')::tsquery
    INTO v_term_languages, v_term_queries, v_term_weights, v_rare, v_every
    FROM term t JOIN summed s USING (word);

  v_query := coalesce(v_must, CASE WHEN v_visible <= few THEN v_every ELSE v_rare END);
  FOR attempt IN 1..2 LOOP
    EXIT WHEN v_query IS NULL;
    WITH term AS MATERIALIZED (
      SELECT * FROM unnest(v_term_languages, v_term_queries, v_term_weights) t (language, query, weight)
    ), scored AS (  -- the empty vector makes a plain copy: unpacked once, not for each term
      SELECT p.id, count(*) OVER () AS found, coalesce(sum_of.rank, 0) / (0.6 + 0.4 * sum_of.length / v_mean) AS words
      FROM (SELECT * FROM rag_chunk p WHERE p.tsv @@ v_query AND <visible> AND <filters> LIMIT 10000) p
      CROSS JOIN LATERAL (
        SELECT sum(t.weight * ts_rank(plain.tsv, t.query)) FILTER (WHERE t.language = p.language) AS rank,
          max(length(plain.tsv)) AS length
        FROM (SELECT p.tsv || ''::tsvector AS tsv OFFSET 0) plain, term t
      ) sum_of
    )
    SELECT coalesce(array_agg(s.id), '{}'), coalesce(array_agg(s.words), '{}'), coalesce(max(s.found), 0)
      INTO l_ids, l_words, l_found FROM (
        SELECT * FROM scored ORDER BY words DESC, id DESC LIMIT p_limit
      ) s;
    -- the rare words alone found too little, and no meaning fills up: let the common ones speak too
    EXIT WHEN v_query = v_must OR v_query = v_every OR v_vector IS NOT NULL OR l_found >= p_limit;
    v_query := v_every;
  END LOOP;

  IF v_vector IS NOT NULL AND v_visible <= v_most THEN
    SELECT coalesce(array_agg(n.id), '{}') INTO d_ids FROM (
      SELECT p.id FROM rag_chunk p
      WHERE <visible> AND <filters> AND p.model_version = p_model AND p.embedding IS NOT NULL
      ORDER BY (p.embedding <=> v_vector) + 0.0, p.id DESC LIMIT greatest(nearest, p_limit)
    ) n;
  ELSIF v_vector IS NOT NULL THEN
    PERFORM set_config('hnsw.iterative_scan', 'relaxed_order', true),
      set_config('hnsw.ef_search', nearest::text, true), set_config('hnsw.max_scan_tuples', '40000', true);
    SELECT coalesce(array_agg(n.id), '{}') INTO d_ids FROM (
      SELECT p.id FROM rag_chunk p WHERE <visible> AND <filters> AND p.model_version = p_model
      ORDER BY p.embedding <=> v_vector LIMIT nearest
    ) n;
  END IF;

  IF cardinality(l_ids) = 0 AND cardinality(d_ids) = 0 THEN
    IF v_term_queries IS NULL AND v_must IS NULL AND v_vector IS NULL THEN  -- filters alone: the newest first
      RETURN QUERY SELECT p.id, 0::float8, 0::float8, NULL::float8, p.source_type::text, p.source_id, p.content_time,
        v_visible FROM rag_chunk p WHERE <visible> AND <filters> ORDER BY p.content_time DESC, p.id DESC LIMIT p_limit;
    END IF;
    RETURN;
  END IF;
  RETURN QUERY
  WITH lexical AS (
    SELECT * FROM unnest(l_ids, l_words) x (id, words)
  ), either AS (
    SELECT coalesce(x.id, y.id) AS id, coalesce(x.words, 0) AS words
    FROM lexical x FULL JOIN unnest(d_ids) y (id) ON y.id = x.id
  ), measured AS (
    SELECT e.id, e.words, p.source_type::text AS source_type, p.source_id, p.content_time,
      CASE WHEN p.model_version = p_model THEN 1 - (p.embedding <=> v_vector) END AS cosine
    FROM either e JOIN rag_chunk p ON p.id = e.id
  ), ends AS (
    SELECT min(m.cosine) AS low, max(m.cosine) AS high, max(m.words) AS best FROM measured m
  )
  SELECT m.id,
    CASE WHEN v_vector IS NULL THEN coalesce(m.words / nullif(b.best, 0), 0)
      ELSE 0.6 * coalesce(m.words / nullif(b.best, 0), 0)
        + 0.4 * coalesce((m.cosine - b.low) / nullif(b.high - b.low, 0), 0) END AS score,
    coalesce(m.words / nullif(b.best, 0), 0), m.cosine::float8, m.source_type, m.source_id, m.content_time, l_found
  FROM measured m, ends b ORDER BY score DESC, m.id DESC LIMIT p_limit;
END $$
"""

VISIBLE_ROWS = """p.organization_id = v_here AND p.scope_id = ANY (v_seen)
      AND (v_later IS NULL OR NOT p.scope_id = ANY (v_later)
        OR p.content_time >= v_since[array_position(v_later, p.scope_id)])"""
FILTERED_ROWS = """(v_authors IS NULL OR p.author_id = ANY (v_authors))
      AND (v_conversations IS NULL OR p.conversation_id = ANY (v_conversations))
      AND (v_documents IS NULL OR (p.source_type = 'document' AND p.source_id = ANY (v_documents)))
      AND (v_sources IS NULL OR p.source_type = ANY (v_sources))
      AND (v_types IS NULL OR p.media_type = ANY (v_types)) AND (v_spoken IS NULL OR p.language = ANY (v_spoken))
      AND (v_before IS NULL OR p.content_time < v_before) AND (v_after IS NULL OR p.content_time >= v_after)
      AND (NOT v_file OR p.has_file) AND (NOT v_human OR NOT p.is_generated)
      AND (v_must IS NULL OR (p.tsv @@ v_must AND coalesce(p.tsv @@ CASE p.language WHEN 'de' THEN v_must_de
        WHEN 'en' THEN v_must_en ELSE v_must_simple END, true)))
      AND (NOT v_not OR NOT coalesce(p.tsv @@ CASE p.language WHEN 'de' THEN v_not_de WHEN 'en' THEN v_not_en
        ELSE v_not_simple END, false))"""

# Which words of texts a query's words match, by the same stemmers: for highlighting. Reads no table.
MATCHING = """
CREATE FUNCTION rag_matching(p_languages text[], p_words text[], p_query_languages text[], p_query_forms text[])
RETURNS TABLE (language text, word text) LANGUAGE sql STABLE AS $$
  WITH q AS MATERIALIZED (
    SELECT DISTINCT f.language, x.lexeme FROM unnest(p_query_languages, p_query_forms) f (language, form),
      unnest(tsvector_to_array(to_tsvector(rag_config(f.language), f.form))) x (lexeme)
  )
  SELECT b.language, b.word FROM unnest(p_languages, p_words) b (language, word)
  WHERE EXISTS (
    SELECT 1 FROM unnest(tsvector_to_array(to_tsvector(rag_config(b.language), b.word))) x (lexeme)
    JOIN q ON q.language = b.language AND (q.lexeme = x.lexeme OR (b.language = 'de' AND length(q.lexeme) >= 4
      AND (starts_with(x.lexeme, q.lexeme) OR right(x.lexeme, length(q.lexeme)) = q.lexeme)))
  )
$$
"""

# Counts the words of the current organization anew and writes only what changed.
REFRESH_TERMS = """
CREATE OR REPLACE FUNCTION rag_refresh_terms() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  here uuid := nullif(current_setting('app.organization', true), '')::uuid;
  total bigint; mean float8;
BEGIN
  IF here IS NULL THEN RETURN 0; END IF;
  CREATE TEMPORARY TABLE counted ON COMMIT DROP AS
    SELECT word AS term, ndoc AS chunks
    FROM ts_stat(format('SELECT tsv FROM public.rag_chunk WHERE organization_id = %L', here));
  INSERT INTO rag_termstat AS s (organization_id, term, chunks) SELECT here, c.term, c.chunks FROM counted c
    ON CONFLICT (organization_id, term) DO UPDATE SET chunks = excluded.chunks WHERE s.chunks <> excluded.chunks;
  DELETE FROM rag_termstat s WHERE s.organization_id = here
    AND NOT EXISTS (SELECT 1 FROM counted c WHERE c.term = s.term);
  DROP TABLE counted;
  SELECT count(*), coalesce(avg(length(tsv)), 0) INTO total, mean FROM rag_chunk WHERE organization_id = here;
  INSERT INTO rag_indexstat (organization_id, chunks, mean_words, refreshed_at) VALUES (here, total, mean, now())
    ON CONFLICT (organization_id) DO UPDATE SET chunks = excluded.chunks, mean_words = excluded.mean_words,
      refreshed_at = excluded.refreshed_at;
  RETURN total;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("rag", "0001_initial"),
        ("accounts", "0002_composite_keys"),
        ("chat", "0003_write_path"),
        ("documents", "0002_composite_keys"),
    ]

    operations = [
        tenant_key("rag_chunk"),
        composite_key("rag_chunk", "scope_id", "accounts_scope"),
        composite_key("rag_chunk", "conversation_id", "chat_conversation"),
        composite_key("rag_chunk", "document_id", "documents_document"),
        composite_key("rag_chunkmessage", "chunk_id", "rag_chunk"),
        tenant_statistics("rag_chunk", "scope_id", "source_id"),
        tenant_statistics("rag_chunkmessage", "message_id", "chunk_id"),
        migrations.RunSQL(PLAIN_STORAGE, migrations.RunSQL.noop),
        migrations.RunSQL(WORDS_INDEX, "DROP INDEX IF EXISTS rag_chunk_words, rag_termstat_alike"),
        migrations.RunSQL(
            CONFIG, "DROP FUNCTION rag_phrases(text, text[], text), rag_quoted(text), rag_config(text)"
        ),
        definer_function("rag_visible(uuid[])", VISIBLE, grant_to=()),
        definer_function("rag_alike(text, text, boolean)", ALIKE, grant_to=()),
        definer_function(
            "rag_search(uuid[], text, int[], text[], text[], real[], text[], text[], text, text, jsonb, int)",
            SEARCH.replace("<visible>", VISIBLE_ROWS).replace("<filters>", FILTERED_ROWS),
        ),
        migrations.RunSQL(MATCHING, "DROP FUNCTION rag_matching(text[], text[], text[], text[])"),
        definer_function("rag_refresh_terms()", REFRESH_TERMS),
    ]
