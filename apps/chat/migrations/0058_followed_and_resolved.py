"""What one follows, and what is resolved, as conditions of a search."""

from django.db import migrations

from apps.core.migrations_support import search_filter

FILTERS = {
    "followed": (
        "(m.topic_id = ANY ({values}::uuid[]) OR EXISTS (SELECT FROM chat_threadfollow x "
        "WHERE x.organization_id = m.organization_id AND x.thread_id = coalesce(m.thread_id, m.id) "
        "AND x.principal_id = {reader} AND x.is_followed))"
    ),
    "resolved": (
        "EXISTS (SELECT FROM chat_topic x WHERE x.organization_id = m.organization_id AND x.id = m.topic_id "
        "AND x.resolved_at IS NOT NULL)"
    ),
}


class Migration(migrations.Migration):
    dependencies = [("chat", "0057_edit_window")]

    operations = [search_filter(name, condition) for name, condition in FILTERS.items()]
