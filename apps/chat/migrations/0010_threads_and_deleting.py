"""Followed threads, and the words of deleted messages for as long as they can come back."""

import apps.core.ids
import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from apps.core.migrations_support import composite_key, tenant_statistics, walled


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_oauth"),
        ("chat", "0020_status"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DeletedMessage",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("body", models.TextField()),
                ("card", models.JSONField(blank=True, null=True)),
                (
                    "files",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), blank=True, default=list, size=None
                    ),
                ),
                (
                    "by_author",
                    models.BooleanField(
                        help_text="What a moderator took away, the author does not bring back."
                    ),
                ),
                ("purge_at", models.DateTimeField()),
                (
                    "message",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="chat.message",
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
            ],
            options={
                "indexes": [models.Index(fields=["purge_at"], name="chat_deletedmessage_purge")],
                "constraints": [
                    models.UniqueConstraint(fields=("message",), name="chat_deletedmessage_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="ThreadFollow",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "is_followed",
                    models.BooleanField(
                        default=True, help_text="False: left on purpose; a mention changes nothing."
                    ),
                ),
                ("read_sequence", models.BigIntegerField(default=0)),
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
                (
                    "thread",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="chat.message",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("is_followed", True)),
                        fields=["organization", "principal"],
                        include=("thread", "read_sequence"),
                        name="chat_threadfollow_principal",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("thread", "principal"), name="chat_threadfollow_once")
                ],
            },
        ),
        composite_key("chat_threadfollow", "conversation_id", "chat_conversation"),
        composite_key("chat_threadfollow", "thread_id", "chat_message"),
        composite_key("chat_deletedmessage", "message_id", "chat_message"),
        walled("chat_threadfollow"),
        walled("chat_deletedmessage"),
        tenant_statistics("chat_threadfollow", "principal_id", "thread_id"),
        tenant_statistics("chat_deletedmessage", "message_id"),
    ]
