"""Row security on every table of an organization; a batch stores only what belongs to an organization that is open."""

from importlib import import_module

from django.db import migrations

from apps.core.migrations_support import walled

BEFORE = import_module("apps.chat.migrations.0003_write_path").SEND_BATCH
# The batcher stores drafts of many organizations and opens none; whoever has opened one stores its drafts only.
DRAFTS = "attachments, card, person, trace, sent_at, k)\n  ), known AS"
OPEN = """attachments, card, person, trace, sent_at, k)
    WHERE nullif(current_setting('app.organization', true), '') IS NULL
      OR t.organization = nullif(current_setting('app.organization', true), '')::uuid
  ), known AS"""


class Migration(migrations.Migration):
    dependencies = [("chat", "0003_write_path"), ("core", "0004_walls")]

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
    ]
