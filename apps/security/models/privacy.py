"""Privacy requests and legal holds."""

from django.db import models
from django.db.models import F, Q

from apps.core.models import TenantModel
from apps.security.types import RequestKind, RequestState

_APPROVED = (RequestState.RUNNING, RequestState.DONE, RequestState.FAILED)


class PrivacyRequest(TenantModel):
    """One export or erasure of one person's data. After an erasure nothing in it names the person."""

    kind = models.CharField(max_length=8, choices=RequestKind.choices)
    state = models.CharField(max_length=10, choices=RequestState.choices)
    subject_id = models.UUIDField(null=True, help_text="The user; empty once the person is erased.")
    pseudonym = models.CharField(
        max_length=32, help_text="Keyed hash of the user: the certificate names this."
    )
    identifiers = models.JSONField(
        default=dict, help_text="What the verification looks for; emptied when the erasure is done."
    )
    requested_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    approved_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.CharField(max_length=500, blank=True, default="")
    is_replay = models.BooleanField(
        default=False, help_text="Repeated after a restore; approved the first time."
    )
    run_id = models.UUIDField(null=True)
    preview = models.JSONField(default=list, help_text="Rows of each kind of data when it was requested.")
    proof = models.JSONField(default=dict, help_text="Rows erased, and what the verification counted.")
    certificate = models.JSONField(null=True)
    error_code = models.CharField(max_length=80, blank=True, default="")
    file_key = models.CharField(
        max_length=80, blank=True, default="", help_text="Of an export, in its folder."
    )
    file_size_bytes = models.BigIntegerField(null=True)
    expires_at = models.DateTimeField(null=True, help_text="When the file of an export is deleted.")
    approved_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # one erasure of a person at a time
            models.UniqueConstraint(
                fields=["organization", "subject_id"],
                condition=Q(kind="erasure", state__in=("requested", "running")),
                name="security_request_open",
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None) | Q(requested_by=None) | ~Q(approved_by=F("requested_by")),
                name="security_request_second",
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None) | Q(subject_id=None) | ~Q(approved_by=F("subject_id")),
                name="security_request_not_self",
            ),
            models.CheckConstraint(
                condition=Q(kind="export") | ~Q(state__in=_APPROVED) | Q(approved_at__isnull=False),
                name="security_request_approved",
            ),
            models.CheckConstraint(
                condition=~Q(kind="erasure", state="done")
                | Q(subject_id=None, identifiers={}, certificate__isnull=False, finished_at__isnull=False),
                name="security_request_done",
            ),
            models.CheckConstraint(
                condition=~Q(kind="export", state="done") | (~Q(file_key="") & Q(expires_at__isnull=False)),
                name="security_request_file",
            ),
            models.CheckConstraint(
                condition=Q(state__in=RequestState.values) & Q(kind__in=RequestKind.values),
                name="security_request_state",
            ),
        ]
        indexes = [
            # the console's list, newest first
            models.Index(fields=["organization", "-id"], name="security_request_newest"),
            # a person's own exports, and what concerns a person
            models.Index(fields=["organization", "subject_id", "-id"], name="security_request_subject"),
            # the duty that deletes old files
            models.Index(fields=["expires_at"], condition=~Q(file_key=""), name="security_request_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pseudonym}"


class LegalHold(TenantModel):
    """Data that must not be erased, of a person or in a place, until somebody releases it."""

    subject_id = models.UUIDField(null=True, help_text="The user.")
    target_kind = models.CharField(max_length=30, blank=True, default="", help_text="Such as `conversation`.")
    target_id = models.UUIDField(null=True)
    reason = models.CharField(max_length=500)
    placed_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    released_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    released_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(subject_id__isnull=False, target_kind="", target_id=None)
                | (Q(subject_id=None, target_id__isnull=False) & ~Q(target_kind="")),
                name="security_hold_target",
            ),
            models.CheckConstraint(
                condition=Q(released_at__isnull=False) | Q(released_by=None), name="security_hold_released"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="security_hold_reason"),
        ]
        indexes = [
            # asked before every batch of an erasure and every rule of retention
            models.Index(
                fields=["organization", "subject_id", "target_id"],
                condition=Q(released_at=None),
                name="security_hold_open",
            ),
            # the console's list, newest first
            models.Index(fields=["organization", "-id"], name="security_hold_newest"),
        ]

    def __str__(self) -> str:
        return f"hold on {self.target_kind or 'person'} {self.subject_id or self.target_id}"
