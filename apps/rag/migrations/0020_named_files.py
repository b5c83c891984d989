"""A search is narrowed down to files of a name: documents by their title or file, messages by what they carry.

What is named so is found first, by the name alone, and then looked up by its ids: asked of each passage, a search of
300,000 would read two other tables for each of them. Of 20,000 documents with 100,000 passages a name that 20 of them
have takes 25 ms, one that all have 300. Where nothing but a name is asked, a document stands for itself
once, with its first passage, so that a long one does not take the places of the others.
"""

from django.db import migrations

from apps.core.migrations_support import definer_function, edited_function

_SEARCH = "rag_search(uuid[], text, int[], text[], text[], real[], text[], text[], text, text, jsonb, int, uuid[], text[], boolean)"
NAMED = """
CREATE OR REPLACE FUNCTION rag_named(p_pattern text, p_here uuid, p_seen uuid[]) RETURNS text
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
  SELECT format('(p.source_id = ANY (%L::uuid[]) OR p.id = ANY (%L::bigint[]))',
    ARRAY(SELECT d.id FROM documents_document d WHERE d.organization_id = p_here AND d.scope_id = ANY (p_seen)
      AND (d.title ILIKE p_pattern OR d.name ILIKE p_pattern)),
    ARRAY(SELECT DISTINCT c.chunk_id FROM files_storedfile f
      JOIN chat_attachment x ON x.organization_id = f.organization_id AND x.file_id = f.id
      JOIN rag_chunkmessage c ON c.organization_id = x.organization_id AND c.message_id = x.message_id
      WHERE f.organization_id = p_here AND f.name ILIKE p_pattern))
$$
"""
_CONDITIONS = "    ' AND p.content_time < ' || quote_literal((p_filters ->> 'before')::timestamptz),\n"
_NAMES = """    (SELECT string_agg(x.joined || rag_named(x.pattern, v_here, v_seen), '') FROM (
      SELECT ' AND ' AS joined, y AS pattern FROM jsonb_array_elements_text(p_filters -> 'file_names') y
      UNION ALL SELECT ' AND NOT ', y FROM jsonb_array_elements_text(p_filters -> 'not_file_names') y) x),
"""
_NEWEST = """p.source_id, p.content_time,
          $5, NULL::int, NULL::int, NULL::jsonb
        FROM rag_chunk p WHERE ' || v_visible_rows || v_conditions || ' ORDER BY"""
_NEWEST_ONCE = """p.source_id, p.content_time,
          ' || CASE WHEN p_filters ? 'file_names' THEN 'count(*) OVER ()' ELSE '$5' END || ', NULL::int, NULL::int, NULL::jsonb
        FROM ' || CASE WHEN p_filters ? 'file_names' THEN '(
          SELECT p.id, p.source_type, p.source_id, p.content_time,
            row_number() OVER (PARTITION BY p.source_type, p.source_id ORDER BY p.page, p.ordinal, p.id) AS nth
          FROM rag_chunk p WHERE ' || v_visible_rows || v_conditions || '
        ) p WHERE (p.nth = 1 OR p.source_type <> ''document'')'
        ELSE 'rag_chunk p WHERE ' || v_visible_rows || v_conditions END || ' ORDER BY"""


class Migration(migrations.Migration):
    dependencies = [
        ("rag", "0019_finished_searches"),
        ("chat", "0030_search_filters"),
        ("documents", "0011_named_by_people"),
    ]

    operations = [
        definer_function("rag_named(text, uuid, uuid[])", NAMED, grant_to=()),
        edited_function(_SEARCH, [(_CONDITIONS, _NAMES + _CONDITIONS), (_NEWEST, _NEWEST_ONCE)]),
    ]
