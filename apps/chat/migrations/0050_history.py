"""The write path takes messages of before: written elsewhere, at another time, by people who may have no seat here.

Such a draft says `history`. Its event is `message.imported`, so nothing that answers new messages hears of it; it gives
nobody a mention, and whoever had read everything before it has read it, too. Reactions come with it.
"""

from django.db import migrations

from apps.core.migrations_support import edited_function

EVENT = "SELECT n.organization, n.scope_id, n.conversation, n.number, {type}, n.payload, n.sender, n.trace, now()\n"
TYPE = "CASE WHEN n.history THEN 'message.imported' ELSE 'message.sent' END"
LOGGED = EVENT + "    FROM numbered n ORDER BY n.k\n  ), boxed AS ("
BOXED = EVENT + "    FROM numbered n ORDER BY n.k\n  )\n  SELECT"
FIELDS = "history boolean, edited_at timestamptz, reactions jsonb"
ADDED = """  IF p_drafts @? '$[*].reacted[*]' THEN
    INSERT INTO chat_reaction (id, created_at, organization_id, message_id, principal_id, emoji)
    SELECT r.id, m.sent_at, m.organization_id, m.id, r.principal, r.emoji
    FROM jsonb_to_recordset(p_drafts) AS d (id uuid, history boolean, reacted jsonb) JOIN chat_message m ON m.id = d.id,
      jsonb_to_recordset(d.reacted) AS r (id uuid, principal uuid, emoji text)
    WHERE d.history
    ON CONFLICT DO NOTHING;
  END IF;
  IF p_drafts @? '$[*] ? (@.history == true)' THEN
    UPDATE chat_membership p SET last_read_sequence = h.head
    FROM (SELECT m.conversation_id, min(m.sequence) AS first, max(m.sequence) AS head
      FROM jsonb_to_recordset(p_drafts) AS d (id uuid, history boolean) JOIN chat_message m ON m.id = d.id
      WHERE d.history GROUP BY m.conversation_id) h
    WHERE p.conversation_id = h.conversation_id AND p.left_at IS NULL AND p.last_read_sequence < h.head
      AND NOT EXISTS (SELECT FROM chat_message x WHERE x.conversation_id = h.conversation_id
        AND x.sequence > p.last_read_sequence AND x.sequence < h.first AND x.sender_id <> p.principal_id
        AND x.deleted_at IS NULL);
  END IF;
"""
EDITS = (
    (
        "card jsonb, priority text, also uuid[], person jsonb",
        f"card jsonb, priority text, also uuid[], {FIELDS}, person jsonb",
    ),
    (
        "attachments, card, priority, also, person, trace",
        "attachments, card, priority, also, history, edited_at, reactions, person, trace",
    ),
    ("AND c.archived_at IS NULL\n", "AND (c.archived_at IS NULL OR d.history)\n"),
    (
        "WHEN p.id IS NULL OR s.id IS NULL THEN false",
        "WHEN (p.id IS NULL AND d.history IS NOT TRUE) OR s.id IS NULL THEN false",
    ),
    (
        "WHEN c.who_posts <> 'everyone' AND",
        "WHEN c.who_posts <> 'everyone' AND d.history IS NOT TRUE AND",
    ),
    ("mentions, card, priority, version, sent_at", "mentions, card, priority, version, edited_at, sent_at"),
    ("coalesce(n.priority, ''), 1, n.moment", "coalesce(n.priority, ''), 1, n.edited_at, n.moment"),
    ("'version', 1, 'edited_at', NULL,", "'version', 1, 'edited_at', n.edited_at,"),
    ("'reactions', '[]'::jsonb,", "'reactions', coalesce(n.reactions, '[]'::jsonb),"),
    (LOGGED.format(type="'message.sent'"), LOGGED.format(type=TYPE)),
    (BOXED.format(type="'message.sent'"), BOXED.format(type=TYPE)),
    (
        "AS d (id uuid, mentions uuid[], also uuid[]) JOIN chat_message m ON m.id = d.id\n",
        (
            "AS d (id uuid, mentions uuid[], also uuid[], history boolean)\n"
            "      JOIN chat_message m ON m.id = d.id AND d.history IS NOT TRUE\n"
        ),
    ),
    (
        "  IF p_drafts @? '$[*].attachments[*]' THEN\n",
        ADDED + "  IF p_drafts @? '$[*].attachments[*]' THEN\n",
    ),
)


class Migration(migrations.Migration):
    dependencies = [("chat", "0043_search_topics")]

    operations = [edited_function("chat_send_batch(jsonb)", EDITS)]
