"""Reported messages can be hidden until moderators decide; the write path's event has the same shape."""

from django.db import migrations, models

from apps.core.migrations_support import edited_function

EDITS = (("'deleted_at', NULL,", "'deleted_at', NULL, 'hidden_at', NULL,"),)


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0053_history_is_read"),
    ]

    operations = [
        migrations.AddField(
            model_name="message",
            name="hidden_at",
            field=models.DateTimeField(
                blank=True,
                help_text="Away until moderators decide; `deleted_at` says the same to all who read.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="deletedmessage",
            name="purge_at",
            field=models.DateTimeField(
                help_text="Empty while a hidden message waits for the decision.", null=True
            ),
        ),
        edited_function("chat_send_batch(jsonb)", EDITS),
    ]
