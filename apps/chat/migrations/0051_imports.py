"""Imports of history: what was found, what became of it, and who and what is which here."""

import apps.core.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from apps.core.migrations_support import composite_key, tenant_key, tenant_statistics, walled


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_oauth"),
        ("chat", "0050_history"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="HistoryImport",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("kind", models.CharField(default="slack", help_text="The other system.", max_length=20)),
                (
                    "source",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Which workspace: the same one again adds what is new.",
                        max_length=40,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("checking", "looking through"),
                            ("refused", "refused"),
                            ("ready", "waits for you"),
                            ("running", "importing"),
                            ("done", "imported"),
                            ("failed", "failed"),
                            ("cancelled", "stopped"),
                        ],
                        default="checking",
                        max_length=9,
                    ),
                ),
                ("file_id", models.UUIDField(help_text="The archive; empty once it is deleted.", null=True)),
                ("file_name", models.CharField(blank=True, default="", max_length=255)),
                (
                    "fetches_files",
                    models.BooleanField(default=False, help_text="Fetch files the archive only names."),
                ),
                ("run_id", models.UUIDField(null=True)),
                (
                    "report",
                    models.JSONField(
                        default=dict, help_text="What the archive holds: numbers and names of channels."
                    ),
                ),
                ("result", models.JSONField(default=dict, help_text="What was stored, in numbers.")),
                ("error_code", models.CharField(blank=True, default="", max_length=80)),
                ("confirmed_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ImportedConversation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("source", models.CharField(max_length=40)),
                ("external_id", models.CharField(max_length=60)),
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
            ],
        ),
        migrations.CreateModel(
            name="ImportedPerson",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("source", models.CharField(max_length=40)),
                ("external_id", models.CharField(max_length=60)),
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
            name="ImportedSeat",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
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
            name="ImportNote",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "is_check",
                    models.BooleanField(help_text="Found while looking through; otherwise while storing."),
                ),
                ("code", models.CharField(max_length=40)),
                (
                    "place",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="File, channel or person of the archive.",
                        max_length=100,
                    ),
                ),
                (
                    "moment",
                    models.CharField(blank=True, default="", help_text="The message's `ts`.", max_length=30),
                ),
                ("detail", models.CharField(blank=True, default="", max_length=200)),
                (
                    "history_import",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="chat.historyimport",
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
        ),
        migrations.AddIndex(
            model_name="historyimport",
            index=models.Index(fields=["organization", "-id"], name="chat_historyimport_newest"),
        ),
        migrations.AddConstraint(
            model_name="importedconversation",
            constraint=models.UniqueConstraint(
                fields=("organization", "source", "external_id"), name="chat_importedconversation_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="importedperson",
            constraint=models.UniqueConstraint(
                fields=("organization", "source", "external_id"), name="chat_importedperson_once"
            ),
        ),
        migrations.AddIndex(
            model_name="importedseat",
            index=models.Index(fields=["organization", "principal"], name="chat_importedseat_waiting"),
        ),
        migrations.AddConstraint(
            model_name="importedseat",
            constraint=models.UniqueConstraint(
                fields=("conversation", "principal"), name="chat_importedseat_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="importnote",
            constraint=models.UniqueConstraint(
                fields=("history_import", "is_check", "code", "place", "moment", "detail"),
                name="chat_importnote_once",
            ),
        ),
        tenant_key("chat_historyimport"),
        composite_key("chat_importnote", "history_import_id", "chat_historyimport"),
        composite_key("chat_importedconversation", "conversation_id", "chat_conversation"),
        composite_key("chat_importedseat", "conversation_id", "chat_conversation"),
        walled("chat_historyimport"),
        walled("chat_importnote"),
        walled("chat_importedperson"),
        walled("chat_importedconversation"),
        walled("chat_importedseat"),
        tenant_statistics("chat_importnote", "history_import_id"),
        tenant_statistics("chat_importedperson", "source", "external_id"),
        tenant_statistics("chat_importedconversation", "source", "external_id"),
        tenant_statistics("chat_importedseat", "conversation_id", "principal_id"),
    ]
