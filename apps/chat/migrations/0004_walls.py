"""Row security on every table of an organization, and a batch that keeps to it and to its indexes."""

from importlib import import_module

from django.db import migrations

from apps.core.migrations_support import tenant_statistics, walled

BEFORE = import_module("apps.chat.migrations.0003_write_path").SEND_BATCH
EDITS = (
    # The batcher stores drafts of many organizations and opens none; whoever has opened one stores its drafts only.
    (
        "attachments, card, person, trace, sent_at, k)\n  ), known AS",
        """attachments, card, person, trace, sent_at, k)
    WHERE nullif(current_setting('app.organization', true), '') IS NULL
      OR t.organization = nullif(current_setting('app.organization', true), '')::uuid
  ), known AS""",
    ),
    # A set from jsonb counts as a hundred rows, which made reading every counter look cheap; an array counts as ten.
    (
        "BEGIN\n  PERFORM",
        """DECLARE
  v_streams uuid[] := ARRAY(SELECT DISTINCT (e.value ->> 'conversation')::uuid FROM jsonb_array_elements(p_drafts) e);
BEGIN
  PERFORM""",
    ),
    (
        "s.id IN (SELECT (e.value ->> 'conversation')::uuid FROM jsonb_array_elements(p_drafts) e)",
        "s.id = ANY (v_streams)",
    ),
    ("WHERE s.id = c.conversation\n", "WHERE s.id = c.conversation AND s.id = ANY (v_streams)\n"),
)


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
        migrations.RunSQL(send_batch(), BEFORE),
        tenant_statistics("chat_conversation", "scope_id"),
        tenant_statistics("chat_draft", "principal_id", "conversation_id"),
        tenant_statistics("chat_attachment", "message_id", "file_id"),
        tenant_statistics("chat_reaction", "message_id"),
        tenant_statistics("chat_messagerevision", "message_id"),
    ]
