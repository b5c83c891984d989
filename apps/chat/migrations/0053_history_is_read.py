"""Messages know that they were imported, so that none of them is ever unread.

Moving markers was not enough: who had something unread before an import kept the marker, and then all that came after it
counted, too. Markers of the others still move, so that what is counted from stays near the head.
"""

from django.db import migrations, models

from apps.core.migrations_support import edited_function

READ = "AND x.sequence > p.last_read_sequence AND x.sequence < h.first AND x.sender_id <> p.principal_id\n"
EDITS = (
    ("version, edited_at, sent_at, topic_id)", "version, edited_at, sent_at, topic_id, is_history)"),
    ("n.edited_at, n.moment, n.subject", "n.edited_at, n.moment, n.subject, coalesce(n.history, false)"),
    (READ, READ.replace("\n", " AND NOT x.is_history\n")),
)
# What was imported before: its key begins with its place in the other system.
MARK = """
UPDATE chat_message m SET is_history = true
FROM chat_importedconversation i
WHERE i.organization_id = m.organization_id AND i.conversation_id = m.conversation_id
  AND starts_with(m.client_key, 'slack:' || i.external_id || ':')
"""


class Migration(migrations.Migration):
    dependencies = [("chat", "0052_imported_pins")]

    operations = [
        migrations.AddField(
            model_name="message",
            name="is_history",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Imported: written elsewhere before, never unread."
            ),
        ),
        migrations.RunSQL(MARK, migrations.RunSQL.noop),
        edited_function("chat_send_batch(jsonb)", EDITS),
    ]
