"""Topics of channels, what one wants of them, marks of reading ahead, and channels where only some post."""

import apps.core.ids
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

from apps.core.migrations_support import composite_key, tenant_key, tenant_statistics, walled

# A message is in a topic of its own conversation, or in none: the conversation is part of the key.
TOPIC_KEY = """
ALTER TABLE chat_topic ADD CONSTRAINT chat_topic_conversation_key UNIQUE (organization_id, conversation_id, id);
ALTER TABLE chat_message ADD CONSTRAINT chat_message_topic_id_organization_fk
  FOREIGN KEY (organization_id, conversation_id, topic_id) REFERENCES chat_topic (organization_id, conversation_id, id)
  DEFERRABLE INITIALLY DEFERRED;
"""
NO_TOPIC_KEY = """
ALTER TABLE chat_message DROP CONSTRAINT chat_message_topic_id_organization_fk;
ALTER TABLE chat_topic DROP CONSTRAINT chat_topic_conversation_key;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_oauth"),
        ("chat", "0032_marked_messages"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="TopicPreference",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "level",
                    models.CharField(choices=[("followed", "Followed"), ("muted", "Muted")], max_length=8),
                ),
            ],
        ),
        migrations.RenameField(
            model_name="conversation",
            old_name="topic",
            new_name="description",
        ),
        migrations.AddField(
            model_name="conversation",
            name="takes_replies",
            field=models.BooleanField(
                db_default=True,
                default=True,
                help_text="Where only announcers post: the others may reply in threads.",
            ),
        ),
        migrations.AddField(
            model_name="conversation",
            name="who_posts",
            field=models.CharField(
                choices=[("everyone", "Everyone"), ("announcers", "Announcers")],
                db_default="everyone",
                default="everyone",
                max_length=10,
            ),
        ),
        migrations.CreateModel(
            name="ReadMark",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("place", models.UUIDField()),
                ("sequence", models.BigIntegerField()),
                (
                    "conversation",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="chat.conversation",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "principal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Topic",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("name", models.CharField(max_length=60)),
                ("resolved_at", models.DateTimeField(blank=True, null=True)),
                (
                    "conversation",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="chat.conversation",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "resolved_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="message",
            name="topic",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                help_text="Empty is the general topic; replies have that of their thread.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="chat.topic",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("topic", None), _negated=True),
                fields=["topic", "sequence"],
                name="chat_message_topic",
            ),
        ),
        migrations.AddField(
            model_name="topicpreference",
            name="conversation",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="chat.conversation",
            ),
        ),
        migrations.AddField(
            model_name="topicpreference",
            name="organization",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organization"
            ),
        ),
        migrations.AddField(
            model_name="topicpreference",
            name="principal",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="topicpreference",
            name="topic",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="chat.topic",
            ),
        ),
        migrations.AddConstraint(
            model_name="readmark",
            constraint=models.UniqueConstraint(
                fields=("organization", "principal", "conversation", "place"), name="chat_readmark_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="topic",
            constraint=models.UniqueConstraint(
                models.F("conversation"),
                django.db.models.functions.text.Lower("name"),
                name="chat_topic_name",
            ),
        ),
        migrations.AddIndex(
            model_name="topicpreference",
            index=models.Index(
                fields=["organization", "principal", "conversation"], name="chat_topicpreference_own"
            ),
        ),
        migrations.AddConstraint(
            model_name="topicpreference",
            constraint=models.UniqueConstraint(
                fields=("principal", "topic"), name="chat_topicpreference_once"
            ),
        ),
        tenant_key("chat_topic"),
        composite_key("chat_topic", "conversation_id", "chat_conversation"),
        composite_key("chat_topicpreference", "conversation_id", "chat_conversation"),
        composite_key("chat_topicpreference", "topic_id", "chat_topic"),
        composite_key("chat_readmark", "conversation_id", "chat_conversation"),
        migrations.RunSQL(TOPIC_KEY, NO_TOPIC_KEY),
        walled("chat_topic"),
        walled("chat_topicpreference"),
        walled("chat_readmark"),
        tenant_statistics("chat_topic", "conversation_id"),
        tenant_statistics("chat_topicpreference", "principal_id", "conversation_id", "topic_id"),
        tenant_statistics("chat_readmark", "principal_id", "conversation_id"),
    ]
