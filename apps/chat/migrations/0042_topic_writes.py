"""The write path puts a message into its topic, makes the topic with its first message, and keeps to who may post."""

from django.db import migrations

from apps.core.migrations_support import definer_function, edited_function

EDITS = (
    (
        "trace text, sent_at timestamptz\n",
        (
            "trace text, sent_at timestamptz,\n"
            "      topic text, topic_key uuid, announces boolean, announce_scopes uuid[]\n"
        ),
    ),
    (
        "person, trace, sent_at, k)",
        "person, trace, sent_at, topic, topic_key, announces, announce_scopes, k)",
    ),
    (
        "c.scope_id, s.last_sequence,\n",
        (
            "c.scope_id, s.last_sequence,\n"
            "      CASE WHEN d.thread IS NOT NULL THEN (SELECT r.topic_id FROM chat_message r WHERE r.id = d.thread) END"
            " AS thread_topic,\n"
        ),
    ),
    (
        "WHEN p.id IS NULL OR s.id IS NULL THEN false\n",
        """WHEN p.id IS NULL OR s.id IS NULL THEN false
        WHEN d.topic IS NOT NULL AND d.thread IS NULL AND c.kind <> 'channel' THEN false
        WHEN c.who_posts <> 'everyone' AND c.created_by_id IS DISTINCT FROM d.sender
          AND NOT coalesce(d.announces, false) AND NOT coalesce(c.scope_id = ANY (d.announce_scopes), false)
          AND (d.thread IS NULL OR NOT c.takes_replies) THEN false
""",
    ),
    (
        "  ), numbered AS MATERIALIZED (\n",
        # Sends of one conversation wait for each other, so a topic that is not there now is made by this statement.
        """  ), wanted AS MATERIALIZED (
    SELECT DISTINCT ON (f.conversation, lower(f.topic)) f.organization, f.conversation, f.topic, f.topic_key, f.sender
    FROM chosen f WHERE f.id = f.first AND f.topic IS NOT NULL AND f.thread IS NULL
    ORDER BY f.conversation, lower(f.topic), f.k
  ), made AS (
    INSERT INTO chat_topic (id, created_at, organization_id, conversation_id, name, created_by_id)
    SELECT w.topic_key, now(), w.organization, w.conversation, w.topic, w.sender FROM wanted w
    ON CONFLICT DO NOTHING RETURNING id, conversation_id, name
  ), subjects AS MATERIALIZED (
    SELECT t.id, t.conversation_id, t.name FROM wanted w
    JOIN chat_topic t ON t.conversation_id = w.conversation AND lower(t.name) = lower(w.topic)
    UNION SELECT made.id, made.conversation_id, made.name FROM made
    UNION SELECT t.id, t.conversation_id, t.name FROM chosen f JOIN chat_topic t ON t.id = f.thread_topic
  ), numbered AS MATERIALIZED (
""",
    ),
    (
        "FROM (SELECT c.*, c.last_sequence + row_number()",
        "FROM (SELECT c.*, u.id AS subject, u.name AS subject_name, c.last_sequence + row_number()",
    ),
    (
        "FROM chosen c WHERE c.id = c.first) n\n",
        """FROM chosen c LEFT JOIN subjects u ON u.conversation_id = c.conversation
        AND (u.id = c.thread_topic OR (c.thread IS NULL AND lower(u.name) = lower(c.topic)))
      WHERE c.id = c.first) n
""",
    ),
    ("mentions, card, priority, version, sent_at)", "mentions, card, priority, version, sent_at, topic_id)"),
    (
        "n.card, coalesce(n.priority, ''), 1, n.moment",
        "n.card, coalesce(n.priority, ''), 1, n.moment, n.subject",
    ),
    (
        "'thread', n.thread,\n",
        (
            "'thread', n.thread,\n        'topic', CASE WHEN n.subject IS NOT NULL THEN\n"
            "          jsonb_build_object('id', n.subject, 'name', n.subject_name) END,\n"
        ),
    ),
)
# The runtime role changes no counter; it may make senders of its organization wait while topics change.
LOCK_STREAMS = """
CREATE OR REPLACE FUNCTION chat_lock_streams(p_streams uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM 1 FROM core_stream s WHERE s.id = ANY (p_streams)
    AND s.organization_id = nullif(current_setting('app.organization', true), '')::uuid
    ORDER BY s.id FOR NO KEY UPDATE;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("chat", "0041_topics")]

    operations = [
        edited_function("chat_send_batch(jsonb)", EDITS),
        definer_function("chat_lock_streams(uuid[])", LOCK_STREAMS),
    ]
