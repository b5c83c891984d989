"""Row security on every table of an organization; a batch stores only what belongs to an organization that is open."""

from importlib import import_module

from django.db import migrations

from apps.core.migrations_support import tenant_statistics, walled

BEFORE = import_module("apps.chat.migrations.0003_write_path").SEND_BATCH
# The batcher stores drafts of many organizations and opens none; whoever has opened one stores its drafts only.
DRAFTS = "attachments, card, person, trace, sent_at, k)\n  ), known AS"
OPEN = """attachments, card, person, trace, sent_at, k)
    WHERE nullif(current_setting('app.organization', true), '') IS NULL
      OR t.organization = nullif(current_setting('app.organization', true), '')::uuid
  ), known AS"""


class Migration(migrations.Migration):
    dependencies = [("chat", "0003_write_path"), ("core", "0003_walls")]

    operations = [
        walled("chat_conversation"),
        walled("chat_membership"),
        walled("chat_draft"),
        walled("chat_message"),
        walled("chat_messagerevision"),
        walled("chat_mention"),
        walled("chat_attachment"),
        walled("chat_reaction"),
        migrations.RunSQL(OPEN.join(BEFORE.split(DRAFTS, 1)), BEFORE),
        tenant_statistics("chat_conversation", "scope_id"),
        tenant_statistics("chat_draft", "principal_id", "conversation_id"),
        tenant_statistics("chat_attachment", "message_id", "file_id"),
        tenant_statistics("chat_reaction", "message_id"),
        tenant_statistics("chat_messagerevision", "message_id"),
    ]
