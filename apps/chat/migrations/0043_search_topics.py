"""Searches know topics, and what was read in a topic or a thread ahead of the conversation."""

from django.db import migrations

from apps.core.migrations_support import search_filter

HERE = "x.organization_id = m.organization_id"

FILTERS = {
    "unread": "m.conversation_id = ANY ({values}::uuid[]) AND m.sender_id <> {reader} "
    f"AND EXISTS (SELECT FROM chat_membership x WHERE {HERE} AND x.conversation_id = m.conversation_id "
    "AND x.principal_id = {reader} AND x.left_at IS NULL AND m.sequence > x.last_read_sequence) "
    f"AND NOT EXISTS (SELECT FROM chat_readmark x WHERE {HERE} AND x.principal_id = {{reader}} "
    "AND x.conversation_id = m.conversation_id AND x.sequence >= m.sequence "
    "AND (x.place = coalesce(m.topic_id, m.conversation_id) OR x.place = m.thread_id))",
    "topic": "m.topic_id = ANY ({values}::uuid[])",
}


class Migration(migrations.Migration):
    dependencies = [("chat", "0042_topic_writes")]

    operations = [search_filter(name, condition) for name, condition in FILTERS.items()]
