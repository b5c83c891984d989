"""Exports of conversations and of whole organizations."""

from django.db import models
from django.db.models import Q

from apps.core.models import TenantModel
from apps.security.types import RequestState


class DataExport(TenantModel):
    """One archive that somebody asked for; its file lives for a week."""

    kind = models.CharField(max_length=30, help_text="As announced in `core.data_exports`.")
    target_id = models.UUIDField(help_text="The conversation, or the organization itself.")
    name = models.CharField(max_length=200, blank=True, default="", help_text="What it was called.")
    state = models.CharField(max_length=10, choices=RequestState.choices, default=RequestState.RUNNING)
    requested_by = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    run_id = models.UUIDField(null=True)
    error_code = models.CharField(max_length=80, blank=True, default="")
    file_key = models.CharField(
        max_length=80, blank=True, default="", help_text="Of the archive, in its folder."
    )
    file_size_bytes = models.BigIntegerField(null=True)
    expires_at = models.DateTimeField(null=True, help_text="When the archive is deleted.")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # asking again while it is made returns the same
            models.UniqueConstraint(
                fields=["organization", "requested_by", "kind", "target_id"],
                condition=Q(state="running"),
                name="security_dataexport_open",
            ),
            models.CheckConstraint(
                condition=~Q(state="done") | (~Q(file_key="") & Q(expires_at__isnull=False)),
                name="security_dataexport_file",
            ),
        ]
        indexes = [
            # a person's own list, newest first
            models.Index(fields=["organization", "requested_by", "-id"], name="security_dataexport_newest"),
            # the duty that deletes old archives
            models.Index(fields=["expires_at"], condition=~Q(file_key=""), name="security_dataexport_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
