"""What stands beside a passage, as far as all of some principals see it; of a passage alone, whether they do."""

from django.db import migrations

from apps.core.migrations_support import definer_function

# Of a document: the pieces before and after. Of a conversation: what was said before and after in the same thread, or
# between threads; of a thread its first message, too. The times bound what the index on scope and time reads.
AROUND = """
CREATE OR REPLACE FUNCTION rag_around(
  p_principals uuid[], p_scopes uuid[], p_classes text[], p_chunks bigint[], p_reach int
) RETURNS TABLE (anchor bigint, chunk bigint, distance int)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH here AS (
    SELECT nullif(current_setting('app.organization', true), '')::uuid AS organization_id
  ), seen AS MATERIALIZED (
    SELECT v.scope_id, v.since FROM rag_visible(p_principals, p_scopes, p_classes) v
  ), anchors AS MATERIALIZED (
    SELECT c.id, c.organization_id, c.scope_id, c.source_type, c.source_id, c.conversation_id, c.thread_id,
      coalesce(c.page, 0) AS page, c.ordinal, c.content_time, seen.since
    FROM here JOIN rag_chunk c ON c.organization_id = here.organization_id AND c.id = ANY (p_chunks)
    JOIN seen ON seen.scope_id = c.scope_id AND c.content_time >= seen.since
  )
  SELECT a.id, a.id, 0 FROM anchors a
  UNION ALL
  SELECT a.id, n.id, n.distance FROM anchors a, LATERAL (
    (SELECT c.id, (-row_number() OVER (ORDER BY c.page DESC, c.ordinal DESC))::int AS distance FROM rag_chunk c
     WHERE c.organization_id = a.organization_id AND c.source_id = a.source_id AND c.source_type = 'document'
       AND c.scope_id = a.scope_id AND c.content_time >= a.since
       AND (coalesce(c.page, 0), c.ordinal) < (a.page, a.ordinal)
     ORDER BY c.page DESC, c.ordinal DESC LIMIT p_reach)
    UNION ALL
    (SELECT c.id, (row_number() OVER (ORDER BY c.page, c.ordinal))::int FROM rag_chunk c
     WHERE c.organization_id = a.organization_id AND c.source_id = a.source_id AND c.source_type = 'document'
       AND c.scope_id = a.scope_id AND c.content_time >= a.since
       AND (coalesce(c.page, 0), c.ordinal) > (a.page, a.ordinal)
     ORDER BY c.page, c.ordinal LIMIT p_reach)
  ) n WHERE a.source_type = 'document' AND p_reach > 0
  UNION ALL
  SELECT a.id, n.id, n.distance FROM anchors a, LATERAL (
    (SELECT c.id, (-row_number() OVER (ORDER BY c.content_time DESC, c.id DESC))::int AS distance FROM rag_chunk c
     WHERE c.organization_id = a.organization_id AND c.scope_id = a.scope_id AND c.source_type = 'message'
       AND c.conversation_id = a.conversation_id AND NOT c.is_generated AND c.content_time >= a.since
       AND c.content_time >= a.content_time - interval '30 days' AND (c.content_time, c.id) < (a.content_time, a.id)
       AND (c.thread_id IS NOT DISTINCT FROM a.thread_id OR (a.thread_id IS NOT NULL AND c.thread_id IS NULL
         AND EXISTS (SELECT 1 FROM rag_chunkmessage m WHERE m.organization_id = a.organization_id
           AND m.message_id = a.thread_id AND m.chunk_id = c.id)))
     ORDER BY c.content_time DESC, c.id DESC LIMIT p_reach)
    UNION ALL
    (SELECT c.id, (row_number() OVER (ORDER BY c.content_time, c.id))::int FROM rag_chunk c
     WHERE c.organization_id = a.organization_id AND c.scope_id = a.scope_id AND c.source_type = 'message'
       AND c.conversation_id = a.conversation_id AND NOT c.is_generated AND c.content_time >= a.since
       AND c.content_time <= a.content_time + interval '30 days' AND (c.content_time, c.id) > (a.content_time, a.id)
       AND (c.thread_id IS NOT DISTINCT FROM a.thread_id OR (a.thread_id IS NULL AND EXISTS (
         SELECT 1 FROM rag_chunkmessage m WHERE m.organization_id = a.organization_id AND m.chunk_id = a.id
           AND m.message_id = c.thread_id)))
     ORDER BY c.content_time, c.id LIMIT p_reach)
  ) n WHERE a.source_type = 'message' AND p_reach > 0
$$
"""


class Migration(migrations.Migration):
    dependencies = [("rag", "0012_words_of_the_near")]

    operations = [definer_function("rag_around(uuid[], uuid[], text[], bigint[], int)", AROUND)]
