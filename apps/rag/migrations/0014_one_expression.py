"""A search asks its rows in statements of its own: conditions that there are, and one expression that weighs the words.

A row's words were weighed by a query over the terms, with a copy of its vector of words: 8 to 13 us a row, of which the
ranking itself is one or two. Written out, the terms cost 2 to 3 us together. Only a vector that is compressed is copied,
so that it is unpacked once. Statements of their own may be given to several processes, which costs 10 to 20 ms: no.

With the index of 0015 comparing all is faster than the index of vectors for half as many rows again: of 100,000 passages
20,000 in 34 against 38 ms, 10,000 in 11 against 46.
"""

from importlib import import_module

from django.db import migrations

from apps.core.migrations_support import definer_function, edited_function

_NEW = import_module("apps.rag.migrations.0010_searches")._NEW  # noqa: SLF001 - the signature stays
SEARCH = """
CREATE OR REPLACE FUNCTION rag_search(
  p_principals uuid[], p_language text, p_words int[], p_languages text[], p_forms text[], p_weights real[], p_must text[], p_not text[],
  p_vector text, p_model text, p_filters jsonb, p_limit int,
  p_scopes uuid[] DEFAULT NULL, p_classes text[] DEFAULT NULL, p_traced boolean DEFAULT false
) RETURNS TABLE (
  chunk bigint, score float8, words float8, cosine float8, source_type text, source uuid, moment timestamptz, found bigint,
  words_rank int, meaning_rank int, trace jsonb
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan
-- Unpacking a text vector costs far more than an operator, and the index of words is in memory: tell the planner.
SET random_page_cost = 1.1 SET cpu_operator_cost = 0.02
-- To start a process that helps takes longer than the search.
SET max_parallel_workers_per_gather = 0 AS $$
#variable_conflict use_column
DECLARE
  v_share CONSTANT float8 := CASE WHEN p_language = 'en' THEN 0.5 ELSE 0.6 END;  -- of the words
  v_begun timestamptz := clock_timestamp(); v_counted timestamptz; v_weighed timestamptz; v_said timestamptz;
  nearest CONSTANT int := 100;
  few CONSTANT int := 2000;  -- visible rows up to which every one with any of the words is scored
  -- Visible rows up to which sorting them all by distance is faster than the index: it reads 100 / share of them.
  v_most CONSTANT int := (SELECT least(greatest(50 * sqrt(greatest(c.reltuples, 0)), 5000), 40000)
    FROM pg_class c WHERE c.oid = 'rag_chunk'::regclass);
  v_here uuid := nullif(current_setting('app.organization', true), '')::uuid;
  v_seen uuid[]; v_later uuid[]; v_since timestamptz[];
  v_vector halfvec(384) := p_vector::halfvec(384);
  v_must_de tsquery; v_must_en tsquery; v_must_simple tsquery; v_must tsquery;
  v_not_de tsquery; v_not_en tsquery; v_not_simple tsquery;
  -- Of a statement over chunks `p`: $1 v_here, $2 v_seen, $3 v_later, $4 v_since. Planned each time with the values.
  v_visible_rows CONSTANT text := 'p.organization_id = $1 AND p.scope_id = ANY ($2)'; v_conditions text; v_weight text;
  v_total float8; v_mean float8; v_visible bigint;
  v_term_languages text[]; v_term_queries tsquery[]; v_term_weights float8[];
  v_rare tsquery; v_every tsquery; v_query tsquery; v_of_rare bigint; v_of_every bigint; v_by_words boolean;
  v_by_audience boolean;
  v_knows_audiences CONSTANT boolean := EXISTS (
    SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass('rag_chunk_words') AND a.attname = 'scope_id');
  l_ids bigint[] := '{}'; l_words float8[] := '{}'; l_found bigint := 0; d_ids bigint[] := '{}';
BEGIN
  IF v_here IS NULL OR coalesce(cardinality(p_principals), 0) = 0 THEN RETURN; END IF;

  SELECT array_agg(v.scope_id),
         array_agg(v.scope_id ORDER BY v.scope_id) FILTER (WHERE v.since > '-infinity'),
         array_agg(v.since ORDER BY v.scope_id) FILTER (WHERE v.since > '-infinity')
    INTO v_seen, v_later, v_since FROM rag_visible(p_principals, p_scopes, p_classes) v;
  IF v_seen IS NULL THEN RETURN; END IF;

  IF p_must <> '{}' THEN
    v_must_de := rag_phrases('de', p_must, '&'); v_must_en := rag_phrases('en', p_must, '&');
    v_must_simple := rag_phrases('simple', p_must, '&');
    SELECT string_agg(q::text, ' | ')::tsquery INTO v_must
      FROM unnest(ARRAY[v_must_de, v_must_en, v_must_simple]) q WHERE q IS NOT NULL;
  END IF;
  IF p_not <> '{}' THEN
    v_not_de := rag_phrases('de', p_not, '|'); v_not_en := rag_phrases('en', p_not, '|');
    v_not_simple := rag_phrases('simple', p_not, '|');
  END IF;
  v_conditions := concat(
    CASE WHEN v_later IS NOT NULL THEN
      ' AND (NOT p.scope_id = ANY ($3) OR p.content_time >= ($4)[array_position($3, p.scope_id)])' END,
    (SELECT string_agg(  -- a list is NULL where it is not asked for
      CASE x.name WHEN 'documents' THEN ' AND p.source_type = ''document''' ELSE '' END
        || format(' AND p.%I = ANY (%L::%s[])', x.of_rows,
          ARRAY(SELECT jsonb_array_elements_text(p_filters -> x.name)), x.type), '')
      FROM (VALUES ('authors', 'author_id', 'uuid'), ('conversations', 'conversation_id', 'uuid'),
        ('documents', 'source_id', 'uuid'), ('sources', 'source_type', 'text'), ('media_types', 'media_type', 'text'),
        ('languages', 'language', 'text')) x (name, of_rows, type)
      WHERE p_filters ? x.name),
    ' AND p.content_time < ' || quote_literal((p_filters ->> 'before')::timestamptz),
    ' AND p.content_time >= ' || quote_literal((p_filters ->> 'after')::timestamptz),
    CASE WHEN (p_filters ->> 'has_file')::boolean THEN ' AND p.has_file' END,
    CASE WHEN (p_filters ->> 'exclude_generated')::boolean THEN ' AND NOT p.is_generated' END,
    CASE WHEN v_must IS NOT NULL THEN format(
      ' AND p.tsv @@ %L::tsquery AND coalesce(p.tsv @@ CASE p.language WHEN ''de'' THEN %L::tsquery'
        ' WHEN ''en'' THEN %L::tsquery ELSE %L::tsquery END, true)', v_must, v_must_de, v_must_en, v_must_simple) END,
    CASE WHEN coalesce(v_not_de, v_not_en, v_not_simple) IS NOT NULL THEN format(
      ' AND NOT coalesce(p.tsv @@ CASE p.language WHEN ''de'' THEN %L::tsquery WHEN ''en'' THEN %L::tsquery'
        ' ELSE %L::tsquery END, false)', v_not_de, v_not_en, v_not_simple) END);
  SELECT s.chunks, s.mean_words INTO v_total, v_mean FROM rag_indexstat s WHERE s.organization_id = v_here;
  v_total := greatest(coalesce(v_total, 0), 1000); v_mean := greatest(coalesce(v_mean, 0), 10);

  EXECUTE 'SELECT count(*) FROM (SELECT 1 FROM rag_chunk p WHERE ' || v_visible_rows || v_conditions || ' LIMIT $5) some_of_them'
    INTO v_visible USING v_here, v_seen, v_later, v_since, v_most + 1;
  IF v_visible = 0 THEN RETURN; END IF;
  v_counted := clock_timestamp();

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
    string_agg(DISTINCT rag_quoted(t.lexeme), ' | ')
      FILTER (WHERE s.nth = 1 OR s.running <= greatest(2000, v_total * 0.04))::tsquery,
    string_agg(DISTINCT rag_quoted(t.lexeme), ' | ')::tsquery,
    max(s.running) FILTER (WHERE s.nth = 1 OR s.running <= greatest(2000, v_total * 0.04)), max(s.running)
    INTO v_term_languages, v_term_queries, v_term_weights, v_rare, v_every, v_of_rare, v_of_every
    FROM term t JOIN summed s USING (word);
  SELECT 'CASE p.language' || string_agg(format(' WHEN %L THEN %s', x.language, x.weighed), '') || ' ELSE 0 END'
    INTO v_weight FROM (
      SELECT t.language, string_agg(format('%L::float8 * ts_rank(p.tsv, %L::tsquery)', t.weight, t.query), ' + ') AS weighed
      FROM (
        SELECT t.language, t.query, sum(t.weight) AS weight
        FROM unnest(v_term_languages, v_term_queries, v_term_weights) t (language, query, weight) GROUP BY 1, 2
      ) t GROUP BY t.language
    ) x;

  v_weighed := clock_timestamp();
  v_query := coalesce(v_must, CASE WHEN v_visible <= few THEN v_every ELSE v_rare END);
  FOR attempt IN 1..2 LOOP
    EXIT WHEN v_query IS NULL;
    -- The planner takes a look at a text vector for nothing and reads every visible row to find a few hundred with a
    -- word. What is not said as a condition of an index is left to the index of words: with the audiences where they are
    -- few and large (it is asked for each, 0.1 ms), and less than what the organization has.
    v_by_words := v_must IS NULL AND v_visible >= CASE WHEN v_query = v_every THEN v_of_every ELSE v_of_rare END;
    v_by_audience := v_by_words AND v_visible BETWEEN 200 * cardinality(v_seen) AND v_most AND v_knows_audiences;
    EXECUTE 'WITH scored AS (
        SELECT p.id, count(*) OVER () AS found, ' || coalesce(v_weight, '0') || ' / (0.6 + 0.4 * length(p.tsv) / $5) AS words
        FROM (
          SELECT p.id, p.language,
            CASE WHEN pg_column_compression(p.tsv) IS NULL THEN p.tsv ELSE p.tsv || ''''::tsvector END AS tsv
          FROM rag_chunk p WHERE p.tsv @@ $6 AND '
        || CASE WHEN v_by_audience THEN '(p.organization_id = $1) IS TRUE AND p.scope_id = ANY ($2)'
          WHEN v_by_words THEN 'p.organization_id = $1 AND (p.scope_id = ANY ($2)) IS TRUE'
          ELSE v_visible_rows END || v_conditions || ' LIMIT 10000
        ) p
      )
      SELECT coalesce(array_agg(s.id), ''{}''), coalesce(array_agg(s.words), ''{}''), coalesce(max(s.found), 0)
      FROM (SELECT * FROM scored ORDER BY words DESC, id DESC LIMIT $7) s'
      INTO l_ids, l_words, l_found USING v_here, v_seen, v_later, v_since, v_mean, v_query, p_limit;
    -- the rare words alone found too little, and no meaning fills up: let the common ones speak too
    EXIT WHEN v_query = v_must OR v_query = v_every OR v_vector IS NOT NULL OR l_found >= p_limit;
    v_query := v_every;
  END LOOP;

  v_said := clock_timestamp();
  IF v_vector IS NOT NULL AND v_visible <= v_most THEN
    EXECUTE 'SELECT coalesce(array_agg(n.id), ''{}'') FROM (
        SELECT p.id FROM rag_chunk p
        WHERE ' || v_visible_rows || v_conditions || ' AND p.model_version = $5 AND p.embedding IS NOT NULL
        ORDER BY (p.embedding <=> $6) + 0.0, p.id DESC LIMIT $7
      ) n'
      INTO d_ids USING v_here, v_seen, v_later, v_since, p_model, v_vector, greatest(nearest, p_limit);
  ELSIF v_vector IS NOT NULL THEN
    PERFORM set_config('hnsw.iterative_scan', 'relaxed_order', true),
      set_config('hnsw.ef_search', nearest::text, true), set_config('hnsw.max_scan_tuples', '40000', true);
    EXECUTE 'SELECT coalesce(array_agg(n.id), ''{}'') FROM (
        SELECT p.id FROM rag_chunk p WHERE ' || v_visible_rows || v_conditions || ' AND p.model_version = $5
        ORDER BY p.embedding <=> $6 LIMIT $7
      ) n'
      INTO d_ids USING v_here, v_seen, v_later, v_since, p_model, v_vector, nearest;
  END IF;

  IF p_traced THEN
    RETURN QUERY SELECT NULL::bigint, NULL::float8, NULL::float8, NULL::float8, NULL::text, NULL::uuid, NULL::timestamptz,
      l_found, NULL::int, NULL::int, jsonb_build_object(
        'path', CASE WHEN v_term_queries IS NULL AND v_must IS NULL AND v_vector IS NULL THEN 'newest'
          WHEN v_vector IS NULL THEN 'words' WHEN v_visible <= v_most THEN 'exact' ELSE 'index' END,
        'visible', v_visible, 'most', v_most, 'with_words', l_found, 'near', cardinality(d_ids),
        'candidates', (SELECT count(*) FROM (SELECT unnest(l_ids) UNION SELECT unnest(d_ids)) either),
        'stages', jsonb_build_object(
          'visible', rag_ms(v_begun, v_counted), 'weighing', rag_ms(v_counted, v_weighed),
          'words', rag_ms(v_weighed, v_said), 'meaning', rag_ms(v_said, clock_timestamp())));
  END IF;
  IF cardinality(l_ids) = 0 AND cardinality(d_ids) = 0 THEN
    IF v_term_queries IS NULL AND v_must IS NULL AND v_vector IS NULL THEN  -- filters alone: the newest first
      RETURN QUERY EXECUTE 'SELECT p.id, 0::float8, 0::float8, NULL::float8, p.source_type::text, p.source_id, p.content_time,
          $5, NULL::int, NULL::int, NULL::jsonb
        FROM rag_chunk p WHERE ' || v_visible_rows || v_conditions || ' ORDER BY p.content_time DESC, p.id DESC LIMIT $6'
        USING v_here, v_seen, v_later, v_since, v_visible, p_limit;
    END IF;
    RETURN;
  END IF;
  RETURN QUERY
  WITH lexical AS (
    SELECT * FROM unnest(l_ids, l_words) WITH ORDINALITY x (id, words, nth)
  ), either AS (
    SELECT coalesce(x.id, y.id) AS id, x.words, x.nth AS words_nth, y.nth AS meaning_nth
    FROM lexical x FULL JOIN unnest(d_ids) WITH ORDINALITY y (id, nth) ON y.id = x.id
  ), measured AS (
    SELECT e.id, coalesce(e.words, p.words, 0) AS words, e.words_nth, e.meaning_nth, p.source_type, p.source_id, p.content_time, p.cosine
    FROM either e CROSS JOIN LATERAL (
      SELECT p.source_type::text AS source_type, p.source_id, p.content_time,
        CASE WHEN p.model_version = p_model THEN 1 - (p.embedding <=> v_vector) END AS cosine,
        CASE WHEN e.words IS NULL THEN (  -- as above, in a plan that is kept
          SELECT sum(t.weight * ts_rank(plain.tsv, t.query)) / (0.6 + 0.4 * max(length(plain.tsv)) / v_mean)
          FROM (SELECT p.tsv || ''::tsvector AS tsv OFFSET 0) plain,
            unnest(v_term_languages, v_term_queries, v_term_weights) t (language, query, weight)
          WHERE t.language = p.language
        ) END AS words
      FROM rag_chunk p WHERE p.id = e.id OFFSET 0
    ) p
  ), ends AS (
    SELECT min(m.cosine) AS low, max(m.cosine) AS high, max(m.words) AS best FROM measured m
  )
  SELECT m.id,
    CASE WHEN v_vector IS NULL THEN coalesce(m.words / nullif(b.best, 0), 0)
      ELSE v_share * coalesce(m.words / nullif(b.best, 0), 0)
        + (1 - v_share) * coalesce((m.cosine - b.low) / nullif(b.high - b.low, 0), 0) END AS score,
    coalesce(m.words / nullif(b.best, 0), 0), m.cosine::float8, m.source_type, m.source_id, m.content_time, l_found,
    m.words_nth::int, m.meaning_nth::int, NULL::jsonb
  FROM measured m, ends b ORDER BY score DESC, m.id DESC LIMIT p_limit;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("rag", "0013_around")]

    operations = [
        definer_function(_NEW, SEARCH),
        edited_function("rag_recall(uuid[], text, text, uuid[], text[])", [("35 * sqrt(", "50 * sqrt(")]),
    ]
