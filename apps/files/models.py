"""A file's row and the audiences that may open it. The bytes lie in the store under a random key."""

from django.db import models
from django.db.models.functions import Now

from apps.core.models import TenantModel
from apps.files.types import FileState, Purpose


class StoredFile(TenantModel):
    """One upload. Bytes are deduplicated inside one organization by their SHA-256."""

    State = FileState

    uploader = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=10, choices=Purpose.choices, default=Purpose.ATTACHMENT)
    name = models.CharField(max_length=255)
    declared_size_bytes = models.BigIntegerField(help_text="Once ready: the size of the stored bytes.")
    received_bytes = models.BigIntegerField(default=0)
    media_type = models.CharField(max_length=100, default="application/octet-stream")
    sha256 = models.BinaryField(max_length=32, null=True)
    storage_key = models.CharField(max_length=80)
    state = models.CharField(max_length=10, choices=FileState.choices, default=FileState.UPLOADING)
    failure_code = models.CharField(max_length=60, blank=True, default="")
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    touched_at = models.DateTimeField(db_default=Now(), help_text="When the last bytes came.")
    ready_at = models.DateTimeField(null=True)
    kept_until = models.DateTimeField(null=True, help_text="Until then what carried it can come back.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(received_bytes__lte=models.F("declared_size_bytes")), name="files_received"
            )
        ]
        indexes = [
            # deduplication inside one organization
            models.Index(fields=["organization", "sha256"], name="files_sha256"),
            # own list, newest first
            models.Index(fields=["organization", "uploader", "-id"], name="files_uploader"),
            # who still needs these bytes
            models.Index(fields=["storage_key"], name="files_storage_key"),
            # own unfinished uploads, and the duty that removes abandoned ones
            models.Index(
                fields=["created_at"], condition=models.Q(state="uploading"), name="files_unfinished"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class FileScope(models.Model):
    """An audience that may open a file, because a message or a document of that scope carries it."""

    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="+")
    file = models.ForeignKey(
        "files.StoredFile", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    scope = models.ForeignKey(
        "accounts.Scope", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    attached_at = models.DateTimeField(
        db_default=Now(), help_text="Members without history see what came after them."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["file", "scope"], name="files_filescope_once")]

    def __str__(self) -> str:
        return f"{self.file_id} for {self.scope_id}"
