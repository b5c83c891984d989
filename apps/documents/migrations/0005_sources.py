"""Sources of documents, their things and tombstones, with keys and walls."""

import apps.core.ids
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

from apps.core.migrations_support import composite_key, tenant_key, tenant_statistics, walled


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0012_imported_people"),
        ("documents", "0004_being_read"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Source",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "kind",
                    models.CharField(choices=[("url", "Web addresses"), ("folder", "Folder")], max_length=10),
                ),
                ("name", models.CharField(max_length=120)),
                (
                    "settings",
                    models.JSONField(default=dict, help_text="What the connector of this kind asks for."),
                ),
                (
                    "conversation_id",
                    models.UUIDField(
                        help_text="Whose documents they become; empty for the library.", null=True
                    ),
                ),
                (
                    "interval",
                    models.CharField(
                        choices=[
                            ("manual", "Only when asked"),
                            ("hourly", "Every hour"),
                            ("daily", "Every day"),
                        ],
                        default="manual",
                        max_length=10,
                    ),
                ),
                ("is_paused", models.BooleanField(default=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("new", "not synchronized yet"),
                            ("syncing", "synchronizing"),
                            ("ready", "up to date"),
                            ("failed", "failed"),
                            ("held", "waits for you"),
                            ("removing", "being removed"),
                        ],
                        default="new",
                        max_length=10,
                    ),
                ),
                ("error_code", models.CharField(blank=True, default="", max_length=60)),
                (
                    "held_count",
                    models.PositiveIntegerField(
                        default=0, help_text="Documents that would go, while somebody is asked first."
                    ),
                ),
                ("run_id", models.UUIDField(help_text="The last synchronization.", null=True)),
                ("synced_at", models.DateTimeField(help_text="When the last one ended well.", null=True)),
                ("due_at", models.DateTimeField(help_text="When the next one starts by itself.", null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
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
                    "scope",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.scope",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SourceItem",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "external_id",
                    models.CharField(help_text="Address, or path below the folder.", max_length=2048),
                ),
                (
                    "fingerprint",
                    models.JSONField(default=dict, help_text="What tells a change without reading."),
                ),
                (
                    "content_hash",
                    models.CharField(blank=True, default="", help_text="SHA-256 as hex.", max_length=64),
                ),
                (
                    "content_error",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Why this content cannot be a document.",
                        max_length=60,
                    ),
                ),
                (
                    "error_code",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Why it could not be read the last time.",
                        max_length=60,
                    ),
                ),
                (
                    "seen_run_id",
                    models.UUIDField(help_text="The last synchronization that listed it.", null=True),
                ),
                ("seen_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "missing_at",
                    models.DateTimeField(
                        help_text="Not found any more; its document goes at the end.", null=True
                    ),
                ),
                ("gone_at", models.DateTimeField(help_text="When its document was removed.", null=True)),
                (
                    "document",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="documents.document",
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
                    "source",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="documents.source",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="source",
            index=models.Index(
                condition=models.Q(("is_paused", False)), fields=["due_at"], name="documents_source_due_at"
            ),
        ),
        migrations.AddConstraint(
            model_name="source",
            constraint=models.UniqueConstraint(fields=("organization", "name"), name="documents_source_name"),
        ),
        migrations.AddConstraint(
            model_name="source",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("due_at", None), models.Q(("interval", "manual"), _negated=True), _connector="OR"
                ),
                name="documents_source_due",
            ),
        ),
        migrations.AddIndex(
            model_name="sourceitem",
            index=models.Index(
                condition=models.Q(("document", None), _negated=True),
                fields=["document"],
                name="documents_sourceitem_document",
            ),
        ),
        migrations.AddConstraint(
            model_name="sourceitem",
            constraint=models.UniqueConstraint(
                models.F("source"),
                django.db.models.functions.text.MD5("external_id"),
                name="documents_sourceitem_once",
            ),
        ),
        tenant_key("documents_source"),
        composite_key("documents_source", "scope_id", "accounts_scope", on_delete="NO ACTION"),
        composite_key("documents_sourceitem", "source_id", "documents_source"),
        composite_key(
            "documents_sourceitem", "document_id", "documents_document", on_delete="SET NULL (document_id)"
        ),
        tenant_statistics("documents_source", "scope_id"),
        tenant_statistics("documents_sourceitem", "source_id"),
        walled("documents_source"),
        walled("documents_sourceitem"),
    ]
