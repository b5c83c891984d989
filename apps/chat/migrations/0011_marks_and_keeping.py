"""Priority, pins and acknowledgements of messages; saved ones, bookmarks and forwarded copies."""

import apps.core.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from apps.core.migrations_support import composite_key, edited_function, tenant_statistics, walled

# A draft may carry a priority, and name people that are told beside those its text mentions (`@here`).
EDITS = (
    ("card jsonb, person jsonb", "card jsonb, priority text, also uuid[], person jsonb"),
    (
        "attachments, card, person, trace, sent_at, k)",
        "attachments, card, priority, also, person, trace, sent_at, k)",
    ),
    ("p_drafts @? '$[*].mentions[*]'", "p_drafts @? '$[*].mentions[*]' OR p_drafts @? '$[*].also[*]'"),
    ("AS d (id uuid, mentions uuid[]) JOIN", "AS d (id uuid, mentions uuid[], also uuid[]) JOIN"),
    ("p.principal_id = ANY (d.mentions)", "p.principal_id = ANY (d.mentions || d.also)"),
    ("mentions, card, version, sent_at)", "mentions, card, priority, version, sent_at)"),
    ("n.card, 1, n.moment", "n.card, coalesce(n.priority, ''), 1, n.moment"),
    (
        "'card', n.card,",
        "'card', n.card, 'priority', coalesce(n.priority, ''), 'pinned_at', NULL, 'acknowledged', '[]'::jsonb,",
    ),
)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_oauth"),
        ("chat", "0010_threads_and_deleting"),
        ("files", "0005_kept_files"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Acknowledgement",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="Bookmark",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("title", models.CharField(max_length=100)),
                ("url", models.CharField(blank=True, default="", max_length=2000)),
            ],
        ),
        migrations.CreateModel(
            name="Forward",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "comment",
                    models.TextField(blank=True, default="", help_text="What the forwarder wrote above it."),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SavedMessage",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.AddField(
            model_name="message",
            name="pinned_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="message",
            name="priority",
            field=models.CharField(
                blank=True,
                choices=[("important", "Important"), ("urgent", "Urgent")],
                db_default="",
                default="",
                max_length=9,
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("pinned_at", None), _negated=True),
                fields=["conversation", "pinned_at"],
                name="chat_message_pinned",
            ),
        ),
        migrations.AddField(
            model_name="acknowledgement",
            name="message",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="chat.message",
            ),
        ),
        migrations.AddField(
            model_name="acknowledgement",
            name="organization",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organization"
            ),
        ),
        migrations.AddField(
            model_name="acknowledgement",
            name="principal",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="bookmark",
            name="conversation",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="chat.conversation",
            ),
        ),
        migrations.AddField(
            model_name="bookmark",
            name="created_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="bookmark",
            name="file",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="files.storedfile",
            ),
        ),
        migrations.AddField(
            model_name="bookmark",
            name="organization",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organization"
            ),
        ),
        migrations.AddField(
            model_name="forward",
            name="author",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="forward",
            name="message",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="chat.message",
            ),
        ),
        migrations.AddField(
            model_name="forward",
            name="organization",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organization"
            ),
        ),
        migrations.AddField(
            model_name="savedmessage",
            name="message",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="chat.message",
            ),
        ),
        migrations.AddField(
            model_name="savedmessage",
            name="organization",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organization"
            ),
        ),
        migrations.AddField(
            model_name="savedmessage",
            name="principal",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddConstraint(
            model_name="acknowledgement",
            constraint=models.UniqueConstraint(
                fields=("message", "principal"), name="chat_acknowledgement_once"
            ),
        ),
        migrations.AddIndex(
            model_name="bookmark",
            index=models.Index(fields=["conversation", "id"], name="chat_bookmark_conversation"),
        ),
        migrations.AddConstraint(
            model_name="bookmark",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("url", ""), models.Q(("file", None), _negated=True)),
                    models.Q(models.Q(("url", ""), _negated=True), ("file", None)),
                    _connector="OR",
                ),
                name="chat_bookmark_one_target",
            ),
        ),
        migrations.AddIndex(
            model_name="forward",
            index=models.Index(fields=["organization", "author"], name="chat_forward_author"),
        ),
        migrations.AddConstraint(
            model_name="forward",
            constraint=models.UniqueConstraint(fields=("message",), name="chat_forward_once"),
        ),
        migrations.AddConstraint(
            model_name="savedmessage",
            constraint=models.UniqueConstraint(
                fields=("principal", "message"), name="chat_savedmessage_once"
            ),
        ),
        composite_key("chat_acknowledgement", "message_id", "chat_message"),
        composite_key("chat_bookmark", "conversation_id", "chat_conversation"),
        composite_key("chat_bookmark", "file_id", "files_storedfile"),
        composite_key("chat_forward", "message_id", "chat_message"),
        composite_key("chat_savedmessage", "message_id", "chat_message"),
        walled("chat_acknowledgement"),
        walled("chat_bookmark"),
        walled("chat_forward"),
        walled("chat_savedmessage"),
        tenant_statistics("chat_acknowledgement", "message_id"),
        tenant_statistics("chat_bookmark", "conversation_id"),
        tenant_statistics("chat_forward", "author_id"),
        tenant_statistics("chat_savedmessage", "principal_id", "message_id"),
        edited_function("chat_send_batch(jsonb)", EDITS),
    ]
