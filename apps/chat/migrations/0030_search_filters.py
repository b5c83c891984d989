"""What the operators of a search ask of a message, and the index of the newest messages of an organization.

Each filter runs inside the search statement, in a function that passes the walls: every table it reads is named with
the organization of the message.
"""

from django.db import migrations, models

from apps.core.migrations_support import search_filter

HERE = "x.organization_id = m.organization_id"

FILTERS = {
    "sender": "m.sender_id = ANY ({values}::uuid[])",
    "conversation": "m.conversation_id = ANY ({values}::uuid[])",
    "sent": "m.sent_at >= coalesce(nullif({values}[1], ''), '-infinity')::timestamptz "
    "AND m.sent_at < coalesce(nullif({values}[2], ''), 'infinity')::timestamptz",
    "message": "m.id = {values}[1]::uuid",
    "around": f"EXISTS (SELECT FROM chat_message x WHERE {HERE} AND x.id = {{values}}[1]::uuid "
    "AND x.conversation_id = m.conversation_id AND m.sequence BETWEEN x.sequence - {values}[2]::int "
    "AND x.sequence + {values}[2]::int)",
    "link": "strpos(m.body, '://') > 0",
    "attachment": f"EXISTS (SELECT FROM chat_attachment x WHERE {HERE} AND x.message_id = m.id)",
    "image": f"EXISTS (SELECT FROM chat_attachment x JOIN files_storedfile f ON f.organization_id = x.organization_id "
    f"AND f.id = x.file_id WHERE {HERE} AND x.message_id = m.id AND f.media_type LIKE 'image/%')",
    "file_name": f"EXISTS (SELECT FROM chat_attachment x JOIN files_storedfile f "
    f"ON f.organization_id = x.organization_id AND f.id = x.file_id WHERE {HERE} AND x.message_id = m.id "
    "AND f.name ILIKE {values}[1])",
    "reaction": f"EXISTS (SELECT FROM chat_reaction x WHERE {HERE} AND x.message_id = m.id)",
    "mentioned": f"EXISTS (SELECT FROM chat_mention x WHERE {HERE} AND x.message_id = m.id "
    "AND x.principal_id = {reader})",
    "unread": "m.conversation_id = ANY ({values}::uuid[]) AND m.sender_id <> {reader} "
    f"AND EXISTS (SELECT FROM chat_membership x WHERE {HERE} AND x.conversation_id = m.conversation_id "
    "AND x.principal_id = {reader} AND x.left_at IS NULL AND m.sequence > x.last_read_sequence)",
    "reply": "m.thread_id IS NOT NULL",
    "edited": "m.edited_at IS NOT NULL",
}

# has:link, where few messages have one; a condition that Django's migrations cannot write
LINKS = """
CREATE INDEX chat_message_link ON chat_message (organization_id, sent_at DESC, id DESC) WHERE strpos(body, '://') > 0
"""


class Migration(migrations.Migration):
    dependencies = [("chat", "0015_previews"), ("files", "0002_composite_keys")]

    operations = [
        *(search_filter(name, condition) for name, condition in FILTERS.items()),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["organization", "-sent_at", "-id"], name="chat_message_newest"),
        ),
        migrations.RunSQL(LINKS, "DROP INDEX chat_message_link"),
    ]
