"""Row security, composite keys, statistics, and the function that finds whose a reply address is."""

from django.db import migrations

from apps.core.migrations_support import (
    composite_key,
    definer_function,
    tenant_key,
    tenant_statistics,
    walled,
)

FIND_REPLY = """
CREATE OR REPLACE FUNCTION notify_find_reply(p_id uuid) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT r.organization_id FROM notify_replyaddress r WHERE r.id = p_id
$$
"""


class Migration(migrations.Migration):
    dependencies = [("notify", "0001_initial"), ("core", "0004_walls")]

    operations = [
        tenant_key("notify_notification"),
        composite_key("notify_delivery", "notification_id", "notify_notification"),
        walled("notify_notification"),
        walled("notify_delivery"),
        walled("notify_preferences"),
        walled("notify_level"),
        walled("notify_keyword"),
        walled("notify_standing"),
        walled("notify_pushsubscription"),
        walled("notify_replyaddress"),
        tenant_statistics("notify_notification", "recipient_id", "conversation_id"),
        tenant_statistics("notify_delivery", "notification_id"),
        tenant_statistics("notify_level", "place"),
        definer_function("notify_find_reply(uuid)", FIND_REPLY),
    ]
