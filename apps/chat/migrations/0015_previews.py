"""What stands behind links, and whether an organization wants that."""

import apps.core.ids
import django.db.models.deletion
from django.db import migrations, models

from apps.core.migrations_support import composite_key, edited_function, tenant_key, tenant_statistics, walled

EDITS = (("'acknowledged', '[]'::jsonb,", "'acknowledged', '[]'::jsonb, 'previews', '[]'::jsonb,"),)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_oauth"),
        ("chat", "0014_custom_emoji"),
    ]

    operations = [
        migrations.CreateModel(
            name="LinkPreview",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("url", models.CharField(max_length=2000)),
                ("url_hash", models.CharField(max_length=64)),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("ready", "Ready"), ("nothing", "Nothing")],
                        default="waiting",
                        max_length=7,
                    ),
                ),
                ("title", models.CharField(blank=True, default="", max_length=200)),
                ("description", models.CharField(blank=True, default="", max_length=400)),
                ("site", models.CharField(blank=True, default="", max_length=100)),
                ("fetched_at", models.DateTimeField(blank=True, null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="MessagePolicy",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("link_previews", models.BooleanField(default=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="MessagePreview",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("position", models.PositiveSmallIntegerField()),
                ("is_hidden", models.BooleanField(default=False)),
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
                (
                    "preview",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="chat.linkpreview",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="linkpreview",
            constraint=models.UniqueConstraint(
                fields=("organization", "url_hash"), name="chat_linkpreview_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="messagepolicy",
            constraint=models.UniqueConstraint(fields=("organization",), name="chat_messagepolicy_once"),
        ),
        migrations.AddIndex(
            model_name="messagepreview",
            index=models.Index(fields=["preview"], name="chat_messagepreview_preview"),
        ),
        migrations.AddConstraint(
            model_name="messagepreview",
            constraint=models.UniqueConstraint(
                fields=("message", "preview"), name="chat_messagepreview_once"
            ),
        ),
        tenant_key("chat_linkpreview"),
        composite_key("chat_messagepreview", "message_id", "chat_message"),
        composite_key("chat_messagepreview", "preview_id", "chat_linkpreview"),
        walled("chat_messagepolicy"),
        walled("chat_linkpreview"),
        walled("chat_messagepreview"),
        tenant_statistics("chat_linkpreview", "url_hash"),
        tenant_statistics("chat_messagepreview", "message_id", "preview_id"),
        edited_function("chat_send_batch(jsonb)", EDITS),
    ]
