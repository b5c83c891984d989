"""Search plans anew only what depends on the values: the statements over chunks.

All statements of a search were planned each time, which took as long as a small search itself. Who sees what, what the
filters say, what the words weigh and the last step have one plan for all values; it is kept for the connection.
"""

from importlib import import_module

from django.db import migrations

from apps.core.migrations_support import definer_function

_words = import_module("apps.rag.migrations.0002_search")
_conditions = import_module("apps.rag.migrations.0005_conditions")


def _changed(text: str, *changes: tuple[str, str]) -> str:
    """Return a text with each first one replaced by its second; every first one must be there."""
    for old, new in changes:
        if old not in text:
            raise ValueError(old)
        text = text.replace(old, new)
    return text


_AS_SQL = "LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$\n"
_AS_PLPGSQL = """LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
"""
VISIBLE = _changed(
    _conditions.VISIBLE,
    ("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"),
    (_AS_SQL, _AS_PLPGSQL),
    (
        "coalesce(classes ? o.data_class, true))\n    )\n$$",
        "coalesce(classes ? o.data_class, true))\n    );\nEND $$",
    ),
)
# Asked for each spelling of each word: what needs no statement comes first.
ALIKE = _changed(
    _words.ALIKE,
    (
        "NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm')",
        "to_regprocedure('similarity(text, text)') IS NULL",
    ),
)


_MEASURED = """SELECT e.id, e.words, p.source_type::text AS source_type, p.source_id, p.content_time,
      CASE WHEN p.model_version = p_model THEN 1 - (p.embedding <=> v_vector) END AS cosine
    FROM either e JOIN rag_chunk p ON p.id = e.id
"""
# A few hundred rows by their keys, never the whole table to join them with.
_MEASURED_BY_KEY = """SELECT e.id, e.words, p.source_type, p.source_id, p.content_time, p.cosine
    FROM either e CROSS JOIN LATERAL (
      SELECT p.source_type::text AS source_type, p.source_id, p.content_time,
        CASE WHEN p.model_version = p_model THEN 1 - (p.embedding <=> v_vector) END AS cosine
      FROM rag_chunk p WHERE p.id = e.id OFFSET 0
    ) p
"""


def _phrases(operator: str, given: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        (
            f"rag_phrases('{language}', {given}, '{operator}')",
            f"CASE WHEN {given} <> '{{}}' THEN rag_phrases('{language}', {given}, '{operator}') END",
        )
        for language in ("de", "en", "simple")
    )


SEARCH = _changed(
    _conditions.SEARCH,
    ("SET plan_cache_mode = force_custom_plan\n", "SET plan_cache_mode = force_generic_plan\n"),
    ("  nearest CONSTANT int := 100;\n", "  mode text;\n  nearest CONSTANT int := 100;\n"),
    *_phrases("&", "p_must"),
    *_phrases("|", "p_not"),
    (
        "  SELECT count(*) INTO v_visible FROM (\n",
        "  mode := set_config('plan_cache_mode', 'force_custom_plan', true);\n  SELECT count(*) INTO v_visible FROM (\n",
    ),
    (
        "  WITH form AS (\n",
        "  mode := set_config('plan_cache_mode', 'force_generic_plan', true);\n  WITH form AS (\n",
    ),
    (
        "  FOR attempt IN 1..2 LOOP\n",
        "  mode := set_config('plan_cache_mode', 'force_custom_plan', true);\n  FOR attempt IN 1..2 LOOP\n",
    ),
    (
        "  RETURN QUERY\n  WITH lexical AS (\n",
        "  mode := set_config('plan_cache_mode', 'force_generic_plan', true);\n  RETURN QUERY\n  WITH lexical AS (\n",
    ),
    (_MEASURED, _MEASURED_BY_KEY),
)


class Migration(migrations.Migration):
    dependencies = [("rag", "0006_listing")]

    operations = [
        definer_function("rag_visible(uuid[], uuid[], text[])", VISIBLE, grant_to=()),
        definer_function("rag_alike(text, text, boolean)", ALIKE, grant_to=()),
        definer_function(_conditions._NEW, SEARCH),  # noqa: SLF001 - the signature has not changed
    ]
