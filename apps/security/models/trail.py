"""The outcome of each verification of a trail."""

from django.db import models

from apps.core.models import TenantModel


class AuditCheck(TenantModel):
    """One verification of an organization's trail, kept so that the page can say when it was last found whole."""

    requested_by_id = models.UUIDField(null=True)
    entries = models.BigIntegerField()
    waiting = models.BigIntegerField()
    head = models.BigIntegerField(help_text="Number of the last entry that was read.")
    anchors = models.PositiveIntegerField(help_text="Anchors that were compared.")
    last_anchor = models.BigIntegerField()
    emptied = models.BigIntegerField(help_text="Personal values an erasure took.")
    findings = models.JSONField(default=list)
    findings_total = models.PositiveIntegerField()

    class Meta:
        indexes = [
            # the page shows the newest
            models.Index(fields=["organization", "-created_at"], name="security_auditcheck_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.entries} entries, {self.findings_total} findings"
