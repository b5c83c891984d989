"""Words stand in the row of a chunk, and those of what was found by meaning alone are weighed as well.

The vector of a chunk's words did not fit beside its body and its embedding, so it was kept elsewhere, and each row that
a search looked at cost three further reads, once to match it and once to weigh it. Now the body makes room: it is read
for hits alone. Chunks that are there keep theirs where it is until they are written anew.

Candidates by words are those with a rare one. What was near in meaning and held the common ones only counted as if it
held none; a cosine has been filled in the other way round from the beginning.

Rows with a word are found by the index of words where that means fewer rows than those that are visible.

The model knows English: there meaning counts as much as words, in other languages less. Chosen on judgements for
training: the claims of SciFact, squadshifts-wiki and mlqa-de-dev.
"""

from django.db import migrations

from apps.core.migrations_support import edited_function

_SEARCH = "rag_search(uuid[], text, int[], text[], text[], real[], text[], text[], text, text, jsonb, int, uuid[], text[], boolean)"
_STORAGE = "ALTER TABLE rag_chunk ALTER COLUMN tsv SET STORAGE {}"
_FILLED = [
    (
        "coalesce(x.words, 0) AS words, x.nth AS words_nth, y.nth AS meaning_nth\n",
        "x.words, x.nth AS words_nth, y.nth AS meaning_nth\n",
    ),
    (
        "SELECT e.id, e.words, e.words_nth,",
        "SELECT e.id, coalesce(e.words, p.words, 0) AS words, e.words_nth,",
    ),
    (
        (
            "        CASE WHEN p.model_version = p_model THEN 1 - (p.embedding <=> v_vector) END AS cosine\n"
            "      FROM rag_chunk p WHERE p.id = e.id OFFSET 0\n"
        ),
        (
            "        CASE WHEN p.model_version = p_model THEN 1 - (p.embedding <=> v_vector) END AS cosine,\n"
            "        CASE WHEN e.words IS NULL THEN (  -- as above\n"
            "          SELECT sum(t.weight * ts_rank(plain.tsv, t.query)) / (0.6 + 0.4 * max(length(plain.tsv)) / v_mean)\n"
            "          FROM (SELECT p.tsv || ''::tsvector AS tsv OFFSET 0) plain,\n"
            "            unnest(v_term_languages, v_term_queries, v_term_weights) t (language, query, weight)\n"
            "          WHERE t.language = p.language\n"
            "        ) END AS words\n"
            "      FROM rag_chunk p WHERE p.id = e.id OFFSET 0\n"
        ),
    ),
]
_WEIGHED = [
    (
        "  mode text;\n",
        "  mode text;\n  v_share CONSTANT float8 := CASE WHEN p_language = 'en' THEN 0.5 ELSE 0.6 END;  -- of the words\n",
    ),
    (
        "ELSE 0.6 * coalesce(m.words / nullif(b.best, 0), 0)\n        + 0.4 * coalesce(",
        "ELSE v_share * coalesce(m.words / nullif(b.best, 0), 0)\n        + (1 - v_share) * coalesce(",
    ),
]
# The planner takes a look at a text vector for nothing and reads every visible row to find a few hundred with a word.
# What is not said as a condition of an index is left to the index of words.
_BY_WORDS = [
    (
        "  v_rare tsquery; v_every tsquery; v_query tsquery;\n",
        "  v_rare tsquery; v_every tsquery; v_query tsquery; v_of_rare bigint; v_of_every bigint; v_by_words boolean;\n",
    ),
    (
        (
            "    string_agg(rag_quoted(t.lexeme), ' | ')::tsquery\n"
            "    INTO v_term_languages, v_term_queries, v_term_weights, v_rare, v_every\n"
        ),
        (
            "    string_agg(rag_quoted(t.lexeme), ' | ')::tsquery,\n"
            "    max(s.running) FILTER (WHERE s.nth = 1 OR s.running <= greatest(2000, v_total * 0.04)), max(s.running)\n"
            "    INTO v_term_languages, v_term_queries, v_term_weights, v_rare, v_every, v_of_rare, v_of_every\n"
        ),
    ),
    (
        "    EXIT WHEN v_query IS NULL;\n",
        (
            "    EXIT WHEN v_query IS NULL;\n"
            "    v_by_words := v_must IS NULL AND v_visible >= CASE WHEN v_query = v_every THEN v_of_every ELSE v_of_rare END;\n"
        ),
    ),
    (
        "p.tsv @@ v_query AND p.organization_id = v_here AND p.scope_id = ANY (v_seen)\n",
        (
            "p.tsv @@ v_query AND p.organization_id = v_here\n"
            "        AND CASE WHEN v_by_words THEN (p.scope_id = ANY (v_seen)) IS TRUE ELSE p.scope_id = ANY (v_seen) END\n"
        ),
    ),
]


class Migration(migrations.Migration):
    dependencies = [("rag", "0011_tokens")]

    operations = [
        migrations.RunSQL(_STORAGE.format("MAIN"), _STORAGE.format("EXTENDED")),
        edited_function(_SEARCH, _FILLED + _WEIGHED + _BY_WORDS),
    ]
