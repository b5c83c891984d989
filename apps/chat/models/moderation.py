"""Reports of messages."""

from django.db import models
from django.db.models import Q

from apps.chat.types import ReportReason, ReportState
from apps.core.models import TenantModel


class Report(TenantModel):
    """One person's report of one message, until a moderator decides."""

    message = models.ForeignKey(
        "chat.Message", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    reporter = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.CharField(max_length=12, choices=ReportReason.choices)
    note = models.CharField(max_length=1000, blank=True, default="")
    state = models.CharField(max_length=10, choices=ReportState.choices, default=ReportState.OPEN)
    decided_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # reporting twice is one report
            models.UniqueConstraint(fields=["message", "reporter"], name="chat_report_once"),
            models.CheckConstraint(
                condition=Q(decided_at=None) | ~Q(state=ReportState.OPEN.value), name="chat_report_decided"
            ),
        ]
        indexes = [
            # the queue of moderators, oldest first
            models.Index(fields=["organization", "id"], condition=Q(state="open"), name="chat_report_open"),
            # the reports that were decided, newest first
            models.Index(fields=["organization", "-id"], name="chat_report_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.reason} {self.message_id}"
