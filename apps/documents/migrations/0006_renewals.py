"""The content of a document can be replaced: what replaces it is read beside it, page by page."""

import apps.core.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from apps.core.migrations_support import composite_key, tenant_statistics, walled


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0013_search_managers"),
        ("documents", "0005_sources"),
        ("files", "0006_custom_emoji"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Renewal",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("title", models.CharField(max_length=300)),
                ("name", models.CharField(max_length=255)),
                ("media_type", models.CharField(max_length=100)),
                ("language", models.CharField(blank=True, default="", max_length=5)),
                ("page_count", models.PositiveIntegerField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "queued"),
                            ("reading", "reading"),
                            ("ready", "ready"),
                            ("failed", "failed"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("error_code", models.CharField(blank=True, default="", max_length=60)),
                ("version", models.PositiveIntegerField(default=1)),
                ("content_hash", models.CharField(help_text="SHA-256 of the file, as hex.", max_length=64)),
                ("run_id", models.UUIDField(null=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.RemoveConstraint(
            model_name="documentpage",
            name="documents_page_once",
        ),
        migrations.AddField(
            model_name="document",
            name="renewed_at",
            field=models.DateTimeField(help_text="When its content was replaced the last time.", null=True),
        ),
        migrations.AddField(
            model_name="documentpage",
            name="version",
            field=models.PositiveIntegerField(db_default=1, help_text="Of the content it belongs to."),
        ),
        migrations.AddConstraint(
            model_name="documentpage",
            constraint=models.UniqueConstraint(
                fields=("document", "version", "number"), name="documents_page_once"
            ),
        ),
        migrations.AddField(
            model_name="renewal",
            name="created_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="renewal",
            name="document",
            field=models.OneToOneField(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="documents.document",
            ),
        ),
        migrations.AddField(
            model_name="renewal",
            name="file",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="files.storedfile",
            ),
        ),
        migrations.AddField(
            model_name="renewal",
            name="organization",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organization"
            ),
        ),
        composite_key("documents_renewal", "document_id", "documents_document"),
        composite_key("documents_renewal", "file_id", "files_storedfile", on_delete="NO ACTION"),
        tenant_statistics("documents_renewal", "document_id"),
        walled("documents_renewal"),
    ]
