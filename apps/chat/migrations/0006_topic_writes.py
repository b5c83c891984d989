"""The write path puts a message into its topic, makes the topic with its first message, and keeps to who may post."""

from importlib import import_module

from django.db import migrations

from apps.core.migrations_support import definer_function

BEFORE = import_module("apps.chat.migrations.0004_walls").send_batch()
EDITS = (
    (
        "trace text, sent_at timestamptz\n",
        (
            "trace text, sent_at timestamptz,\n"
            "      topic text, topic_key uuid, announces boolean, announce_scopes uuid[]\n"
        ),
    ),
    (
        "trace, sent_at, k)\n    WHERE",
        "trace, sent_at, topic, topic_key, announces, announce_scopes, k)\n    WHERE",
    ),
    (
        "AS moment, d.k, c.scope_id FROM d\n",
        (
            "AS moment, d.k, c.scope_id,\n"
            "      CASE WHEN d.thread IS NULL THEN d.topic END AS topic, d.topic_key, r.topic_id AS thread_topic FROM d\n"
        ),
    ),
    (
        "    WHERE NOT EXISTS (SELECT 1 FROM known WHERE known.draft = d.id)\n",
        (
            "    LEFT JOIN chat_message r ON r.id = d.thread AND r.conversation_id = c.id AND r.thread_id IS NULL\n"
            "    WHERE NOT EXISTS (SELECT 1 FROM known WHERE known.draft = d.id)\n"
        ),
    ),
    (
        (
            "(d.thread IS NULL OR EXISTS (SELECT 1 FROM chat_message r WHERE r.id = d.thread\n"
            "        AND r.conversation_id = c.id AND r.thread_id IS NULL))\n"
        ),
        (
            "(d.thread IS NULL OR r.id IS NOT NULL)\n"
            "      AND (d.topic IS NULL OR c.kind = 'channel')\n"
            "      AND (c.who_posts = 'everyone' OR c.created_by_id = d.sender OR d.announces\n"
            "        OR c.scope_id = ANY (d.announce_scopes) OR (d.thread IS NOT NULL AND c.takes_replies))\n"
        ),
    ),
    (
        "  ), counted AS (\n",
        # Sends of one conversation wait for each other, so a topic that is not there now is made by this statement.
        """  ), wanted AS MATERIALIZED (
    SELECT DISTINCT ON (f.conversation, lower(f.topic)) f.organization, f.conversation, f.topic, f.topic_key, f.sender
    FROM first f WHERE f.topic IS NOT NULL ORDER BY f.conversation, lower(f.topic), f.k
  ), made AS (
    INSERT INTO chat_topic (id, created_at, organization_id, conversation_id, name, created_by_id)
    SELECT w.topic_key, now(), w.organization, w.conversation, w.topic, w.sender FROM wanted w
    ON CONFLICT DO NOTHING RETURNING id, conversation_id, name
  ), subjects AS MATERIALIZED (
    SELECT t.id, t.conversation_id, t.name FROM wanted w
    JOIN chat_topic t ON t.conversation_id = w.conversation AND lower(t.name) = lower(w.topic)
    UNION SELECT made.id, made.conversation_id, made.name FROM made
    UNION SELECT t.id, t.conversation_id, t.name FROM chat_topic t
      WHERE t.id IN (SELECT f.thread_topic FROM first f WHERE f.thread_topic IS NOT NULL)
  ), counted AS (
""",
    ),
    (
        "    SELECT f.*, b.base + row_number()",
        "    SELECT f.*, u.id AS subject, u.name AS subject_name, b.base + row_number()",
    ),
    (
        "FROM first f JOIN bumped b ON b.id = f.conversation\n",
        (
            "FROM first f JOIN bumped b ON b.id = f.conversation\n"
            "    LEFT JOIN subjects u ON u.conversation_id = f.conversation\n"
            "      AND (u.id = f.thread_topic OR lower(u.name) = lower(f.topic))\n"
        ),
    ),
    ("mentions, card, version, sent_at)\n", "mentions, card, version, sent_at, topic_id)\n"),
    ("n.mentions, n.card, 1, n.moment FROM", "n.mentions, n.card, 1, n.moment, n.subject FROM"),
    (
        "'thread', n.thread,\n",
        (
            "'thread', n.thread,\n      'topic', CASE WHEN n.subject IS NOT NULL THEN\n"
            "        jsonb_build_object('id', n.subject, 'name', n.subject_name) END,\n"
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


def send_batch():
    """Return the function with the edits."""
    text = BEFORE
    for before, after in EDITS:
        start, found, end = text.partition(before)
        if not found:
            raise ValueError(before)
        text = start + after + end
    return text


class Migration(migrations.Migration):
    dependencies = [("chat", "0005_topics")]

    operations = [
        migrations.RunSQL(send_batch(), BEFORE),
        definer_function("chat_lock_streams(uuid[])", LOCK_STREAMS),
    ]
