"""Composite keys, statistics, and `send_batch`: the only place that writes message, event and outbox row together."""

from django.db import migrations

from apps.core.migrations_support import composite_key, definer_function, tenant_key, tenant_statistics

# One call stores many drafts of many conversations and organizations. Each draft is judged alone: one that does not
# fit (archived, not a member, foreign organization, unknown thread, a file of someone else) is absent from the answer
# and harms no other. The counter rows are locked first, in one order; the second statement's snapshot is taken after
# that, so a client key stored by a concurrent batch is seen and no number is taken for it.
SEND_BATCH = """
CREATE OR REPLACE FUNCTION chat_send_batch(p_drafts jsonb)
RETURNS TABLE (draft uuid, message uuid, sequence bigint, sent_at timestamptz, repeated boolean, same_body boolean, payload text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
  PERFORM 1 FROM core_stream s
    WHERE s.id IN (SELECT (e.value ->> 'conversation')::uuid FROM jsonb_array_elements(p_drafts) e)
    ORDER BY s.id FOR NO KEY UPDATE;
  RETURN QUERY
  WITH d AS MATERIALIZED (
    SELECT * FROM ROWS FROM (jsonb_to_recordset(p_drafts) AS (
      id uuid, organization uuid, conversation uuid, sender uuid, client_key text, thread uuid, body text, html text,
      mentions uuid[], everyone boolean, attachments uuid[], card jsonb, person jsonb, trace text, sent_at timestamptz
    )) WITH ORDINALITY AS t(id, organization, conversation, sender, client_key, thread, body, html, mentions, everyone,
      attachments, card, person, trace, sent_at, k)
  ), known AS MATERIALIZED (
    SELECT d.id AS draft, m.id AS message, m.sequence, m.sent_at, d.k,
      (m.body = d.body OR m.version > 1 OR m.deleted_at IS NOT NULL)
        AND m.thread_id IS NOT DISTINCT FROM d.thread AS same_body
    FROM d JOIN chat_message m ON m.conversation_id = d.conversation AND m.sender_id = d.sender
      AND m.client_key = d.client_key AND m.organization_id = d.organization
  ), fit AS MATERIALIZED (
    SELECT d.id, d.organization, d.conversation, d.sender, d.client_key, d.thread, d.body, d.html, d.mentions, d.everyone,
      d.attachments, d.card, d.person, d.trace, coalesce(d.sent_at, now()) AS moment, d.k, c.scope_id FROM d
    JOIN chat_conversation c ON c.id = d.conversation AND c.organization_id = d.organization AND c.archived_at IS NULL
    JOIN chat_membership s ON s.conversation_id = c.id AND s.organization_id = c.organization_id
      AND s.principal_id = d.sender AND s.left_at IS NULL
    WHERE NOT EXISTS (SELECT 1 FROM known WHERE known.draft = d.id)
      AND (d.thread IS NULL OR EXISTS (SELECT 1 FROM chat_message r WHERE r.id = d.thread
        AND r.conversation_id = c.id AND r.thread_id IS NULL))
      AND NOT EXISTS (SELECT 1 FROM unnest(d.attachments) a (file) WHERE NOT EXISTS (
        SELECT 1 FROM files_storedfile f WHERE f.id = a.file AND f.organization_id = c.organization_id
          AND f.uploader_id = d.sender AND f.state = 'ready'))
  ), first AS MATERIALIZED (
    SELECT DISTINCT ON (f.conversation, f.sender, f.client_key) f.* FROM fit f
    ORDER BY f.conversation, f.sender, f.client_key, f.k
  ), counted AS (
    SELECT f.conversation, count(*) AS n FROM first f GROUP BY f.conversation
  ), bumped AS (
    UPDATE core_stream s SET last_sequence = s.last_sequence + c.n FROM counted c WHERE s.id = c.conversation
    RETURNING s.id, s.last_sequence - c.n AS base
  ), numbered AS MATERIALIZED (
    SELECT f.*, b.base + row_number() OVER (PARTITION BY f.conversation ORDER BY f.k) AS number,
      CASE WHEN f.everyone THEN ARRAY(SELECT s.principal_id FROM chat_membership s
        WHERE s.conversation_id = f.conversation AND s.left_at IS NULL AND s.principal_id <> f.sender)
      ELSE ARRAY(SELECT s.principal_id FROM chat_membership s WHERE s.conversation_id = f.conversation
        AND s.left_at IS NULL AND s.principal_id = ANY(f.mentions) AND s.principal_id <> f.sender) END AS notified
    FROM first f JOIN bumped b ON b.id = f.conversation
  ), stored AS (
    INSERT INTO chat_message (id, organization_id, conversation_id, scope_id, sequence, sender_id, client_key, thread_id,
      body, html, mentions, card, version, sent_at)
    SELECT n.id, n.organization, n.conversation, n.scope_id, n.number, n.sender, n.client_key, n.thread,
      n.body, n.html, n.mentions, n.card, 1, n.moment FROM numbered n ORDER BY n.conversation, n.number
  ), mentioned AS (
    INSERT INTO chat_mention (organization_id, conversation_id, message_id, principal_id, sequence)
    SELECT n.organization, n.conversation, n.id, p.principal, n.number FROM numbered n, unnest(n.notified) p (principal)
  ), attached AS (
    INSERT INTO chat_attachment (organization_id, message_id, file_id, position)
    SELECT n.organization, n.id, a.file, a.position FROM numbered n,
      unnest(n.attachments) WITH ORDINALITY a (file, position)
  ), opened AS (
    INSERT INTO files_filescope (organization_id, file_id, scope_id)
    SELECT DISTINCT n.organization, a.file, n.scope_id FROM numbered n, unnest(n.attachments) a (file)
    ON CONFLICT DO NOTHING
  ), told AS MATERIALIZED (
    SELECT n.*, jsonb_build_object('message', jsonb_build_object(
      'id', n.id, 'conversation', n.conversation, 'sequence', n.number, 'sender', n.person, 'body', n.body,
      'html', n.html, 'sent_at', n.moment, 'version', 1, 'edited_at', NULL, 'deleted_at', NULL, 'thread', n.thread,
      'client_key', n.client_key, 'mentions', to_jsonb(n.mentions), 'reactions', '[]'::jsonb, 'replies', NULL,
      'card', n.card, 'attachments', coalesce((
        SELECT jsonb_agg(jsonb_build_object('id', f.id, 'name', f.name, 'media_type', f.media_type,
          'size_bytes', f.declared_size_bytes) ORDER BY a.position)
        FROM unnest(n.attachments) WITH ORDINALITY a (file, position) JOIN files_storedfile f ON f.id = a.file
      ), '[]'::jsonb))) AS payload
    FROM numbered n
  ), logged AS (
    INSERT INTO core_event (organization_id, scope_id, stream_id, sequence, type, payload, actor_id, trace_id, created_at)
    SELECT t.organization, t.scope_id, t.conversation, t.number, 'message.sent', t.payload, t.sender, t.trace, now()
    FROM told t ORDER BY t.conversation, t.number
  ), boxed AS (
    INSERT INTO core_eventoutbox (organization_id, scope_id, stream_id, sequence, type, payload, actor_id, trace_id, created_at)
    SELECT t.organization, t.scope_id, t.conversation, t.number, 'message.sent', t.payload, t.sender, t.trace, now()
    FROM told t ORDER BY t.conversation, t.number
  )
  SELECT known.draft, known.message, known.sequence, known.sent_at, true, known.same_body, NULL::text FROM known
  UNION ALL
  SELECT f.id, t.id, t.number, t.moment, f.id <> t.id, f.body = t.body AND f.thread IS NOT DISTINCT FROM t.thread,
    CASE WHEN f.id = t.id THEN t.payload::text END
  FROM fit f JOIN told t ON t.conversation = f.conversation AND t.sender = f.sender AND t.client_key = f.client_key;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0002_initial"),
        ("core", "0002_event_log"),
        ("accounts", "0002_composite_keys"),
        ("files", "0002_composite_keys"),
    ]

    operations = [
        tenant_key("chat_conversation"),
        tenant_key("chat_message"),
        composite_key("chat_conversation", "scope_id", "accounts_scope", on_delete="NO ACTION"),
        composite_key("chat_membership", "conversation_id", "chat_conversation"),
        composite_key("chat_draft", "conversation_id", "chat_conversation"),
        composite_key("chat_message", "conversation_id", "chat_conversation"),
        composite_key("chat_messagerevision", "message_id", "chat_message"),
        composite_key("chat_mention", "conversation_id", "chat_conversation"),
        composite_key("chat_mention", "message_id", "chat_message"),
        composite_key("chat_attachment", "message_id", "chat_message"),
        composite_key("chat_attachment", "file_id", "files_storedfile", on_delete="NO ACTION"),
        composite_key("chat_reaction", "message_id", "chat_message"),
        tenant_statistics("chat_message", "conversation_id"),
        tenant_statistics("chat_membership", "conversation_id", "principal_id"),
        tenant_statistics("chat_mention", "principal_id", "conversation_id"),
        definer_function("chat_send_batch(jsonb)", SEND_BATCH),
    ]
