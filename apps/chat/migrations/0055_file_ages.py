"""Files may end before their messages; the write path's event has the same shape."""

from django.conf import settings
from django.db import migrations, models

from apps.core.migrations_support import edited_function

EDITS = (("'hidden_at', NULL,", "'hidden_at', NULL, 'files_ended_at', NULL,"),)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0012_imported_people"),
        ("chat", "0054_hidden_messages"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="message",
            name="files_ended_at",
            field=models.DateTimeField(
                blank=True,
                help_text="When the time of its files was over; the message itself stays.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="retentionrule",
            name="file_days",
            field=models.PositiveIntegerField(
                help_text="An earlier end of their own for files; empty keeps them as long as their messages.",
                null=True,
            ),
        ),
        migrations.AddConstraint(
            model_name="retentionrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("file_days", None),
                    models.Q(("file_days__gte", 1), ("file_days__lte", 36500)),
                    _connector="OR",
                ),
                name="chat_retentionrule_file_days",
            ),
        ),
        edited_function("chat_send_batch(jsonb)", EDITS),
    ]
