"""Privacy requests and legal holds; owners and administrators of existing organizations may manage privacy."""

import apps.core.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from apps.core.migrations_support import walled


GRANT = """
UPDATE accounts_role SET permissions = array_append(permissions, 'privacy.manage')
WHERE is_builtin AND key IN ('owner', 'admin') AND NOT 'privacy.manage' = ANY (permissions)
"""


class Migration(migrations.Migration):
    dependencies = [
        ("security", "0001_initial"),
        ("accounts", "0003_walls"),
        ("core", "0006_erasing_events"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="LegalHold",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("subject_id", models.UUIDField(help_text="The user.", null=True)),
                (
                    "target_kind",
                    models.CharField(
                        blank=True, default="", help_text="Such as `conversation`.", max_length=30
                    ),
                ),
                ("target_id", models.UUIDField(null=True)),
                ("reason", models.CharField(max_length=500)),
                ("released_at", models.DateTimeField(null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "placed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "released_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("released_at", None)),
                        fields=["organization", "subject_id", "target_id"],
                        name="security_hold_open",
                    ),
                    models.Index(fields=["organization", "-id"], name="security_hold_newest"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("subject_id__isnull", False), ("target_id", None), ("target_kind", "")),
                            models.Q(
                                ("subject_id", None),
                                ("target_id__isnull", False),
                                models.Q(("target_kind", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="security_hold_target",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("released_at__isnull", False), ("released_by", None), _connector="OR"
                        ),
                        name="security_hold_released",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="security_hold_reason"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PrivacyRequest",
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
                    models.CharField(choices=[("export", "export"), ("erasure", "erasure")], max_length=8),
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
                        max_length=10,
                    ),
                ),
                (
                    "subject_id",
                    models.UUIDField(help_text="The user; empty once the person is erased.", null=True),
                ),
                (
                    "pseudonym",
                    models.CharField(
                        help_text="Keyed hash of the user: the certificate names this.", max_length=32
                    ),
                ),
                (
                    "identifiers",
                    models.JSONField(
                        default=dict,
                        help_text="What the verification looks for; emptied when the erasure is done.",
                    ),
                ),
                ("reason", models.CharField(blank=True, default="", max_length=500)),
                (
                    "is_replay",
                    models.BooleanField(
                        default=False, help_text="Repeated after a restore; approved the first time."
                    ),
                ),
                ("run_id", models.UUIDField(null=True)),
                (
                    "preview",
                    models.JSONField(
                        default=list, help_text="Rows of each kind of data when it was requested."
                    ),
                ),
                (
                    "proof",
                    models.JSONField(
                        default=dict, help_text="Rows erased, and what the verification counted."
                    ),
                ),
                ("certificate", models.JSONField(null=True)),
                ("error_code", models.CharField(blank=True, default="", max_length=80)),
                (
                    "file_key",
                    models.CharField(
                        blank=True, default="", help_text="Of an export, in its folder.", max_length=80
                    ),
                ),
                ("file_size_bytes", models.BigIntegerField(null=True)),
                (
                    "expires_at",
                    models.DateTimeField(help_text="When the file of an export is deleted.", null=True),
                ),
                ("approved_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "approved_by",
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
                    "requested_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization", "-id"], name="security_request_newest"),
                    models.Index(
                        fields=["organization", "subject_id", "-id"], name="security_request_subject"
                    ),
                    models.Index(
                        condition=models.Q(("file_key", ""), _negated=True),
                        fields=["expires_at"],
                        name="security_request_expiry",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "erasure"), ("state__in", ("requested", "running"))),
                        fields=("organization", "subject_id"),
                        name="security_request_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("approved_by", None),
                            ("requested_by", None),
                            models.Q(("approved_by", models.F("requested_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="security_request_second",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("approved_by", None),
                            ("subject_id", None),
                            models.Q(("approved_by", models.F("subject_id")), _negated=True),
                            _connector="OR",
                        ),
                        name="security_request_not_self",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind", "export"),
                            models.Q(("state__in", ("running", "done", "failed")), _negated=True),
                            ("approved_at__isnull", False),
                            _connector="OR",
                        ),
                        name="security_request_approved",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "erasure"), ("state", "done"), _negated=True),
                            models.Q(
                                ("certificate__isnull", False),
                                ("finished_at__isnull", False),
                                ("identifiers", {}),
                                ("subject_id", None),
                            ),
                            _connector="OR",
                        ),
                        name="security_request_done",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "export"), ("state", "done"), _negated=True),
                            models.Q(
                                models.Q(("file_key", ""), _negated=True), ("expires_at__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="security_request_file",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["requested", "running", "done", "failed", "cancelled", "expired"]),
                            ("kind__in", ["export", "erasure"]),
                        ),
                        name="security_request_state",
                    ),
                ],
            },
        ),
        migrations.RunSQL(GRANT, migrations.RunSQL.noop),
        walled("security_legalhold"),
        walled("security_privacyrequest"),
    ]
