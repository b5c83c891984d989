"""Words stand in the row of a chunk, and those of what was found by meaning alone are weighed as well.

The vector of a chunk's words did not fit beside its body and its embedding, so it was kept elsewhere, and each row that
a search looked at cost three further reads, once to match it and once to weigh it. Now the body makes room: it is read
for hits alone. Chunks that are there keep theirs where it is until they are written anew.

Candidates by words are those with a rare one. What was near in meaning and held the common ones only counted as if it
held none; a cosine has been filled in the other way round from the beginning.

The model knows English: there meaning counts as much as words, in other languages less. Chosen on judgements for
training: the claims of SciFact, squadshifts-wiki and mlqa-de-dev.
"""

from django.db import migrations

from apps.core.migrations_support import edited_function

_SEARCH = (
    "rag_search(uuid[], text, int[], text[], text[], real[], text[], text[], text, text, jsonb, int, uuid[], text[], boolean)"
)
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
        "        CASE WHEN p.model_version = p_model THEN 1 - (p.embedding <=> v_vector) END AS cosine\n"
        "      FROM rag_chunk p WHERE p.id = e.id OFFSET 0\n",
        "        CASE WHEN p.model_version = p_model THEN 1 - (p.embedding <=> v_vector) END AS cosine,\n"
        "        CASE WHEN e.words IS NULL THEN (  -- as above\n"
        "          SELECT sum(t.weight * ts_rank(plain.tsv, t.query)) / (0.6 + 0.4 * max(length(plain.tsv)) / v_mean)\n"
        "          FROM (SELECT p.tsv || ''::tsvector AS tsv OFFSET 0) plain,\n"
        "            unnest(v_term_languages, v_term_queries, v_term_weights) t (language, query, weight)\n"
        "          WHERE t.language = p.language\n"
        "        ) END AS words\n"
        "      FROM rag_chunk p WHERE p.id = e.id OFFSET 0\n",
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


class Migration(migrations.Migration):
    dependencies = [("rag", "0011_tokens")]

    operations = [
        migrations.RunSQL(_STORAGE.format("MAIN"), _STORAGE.format("EXTENDED")),
        edited_function(_SEARCH, _FILLED + _WEIGHED),
    ]
