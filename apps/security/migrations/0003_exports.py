"""Exports of conversations and of whole organizations."""

import apps.core.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from apps.core.migrations_support import tenant_statistics, walled


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_oauth"),
        ("security", "0002_privacy"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DataExport",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("kind", models.CharField(help_text="As announced in `core.data_exports`.", max_length=30)),
                ("target_id", models.UUIDField(help_text="The conversation, or the organization itself.")),
                (
                    "name",
                    models.CharField(blank=True, default="", help_text="What it was called.", max_length=200),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("requested", "waits for approval"),
                            ("running", "running"),
                            ("done", "done"),
                            ("failed", "failed"),
                            ("cancelled", "cancelled"),
                            ("expired", "file deleted"),
                        ],
                        default="running",
                        max_length=10,
                    ),
                ),
                ("run_id", models.UUIDField(null=True)),
                ("error_code", models.CharField(blank=True, default="", max_length=80)),
                (
                    "file_key",
                    models.CharField(
                        blank=True, default="", help_text="Of the archive, in its folder.", max_length=80
                    ),
                ),
                ("file_size_bytes", models.BigIntegerField(null=True)),
                ("expires_at", models.DateTimeField(help_text="When the archive is deleted.", null=True)),
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
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["organization", "requested_by", "-id"], name="security_dataexport_newest"
                    ),
                    models.Index(
                        condition=models.Q(("file_key", ""), _negated=True),
                        fields=["expires_at"],
                        name="security_dataexport_expiry",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "running")),
                        fields=("organization", "requested_by", "kind", "target_id"),
                        name="security_dataexport_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "done"), _negated=True),
                            models.Q(
                                models.Q(("file_key", ""), _negated=True), ("expires_at__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="security_dataexport_file",
                    ),
                ],
            },
        ),
        walled("security_dataexport"),
        tenant_statistics("security_dataexport", "requested_by_id", "target_id"),
    ]
