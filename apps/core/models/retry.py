"""Retry keys: the stored answer of a write, so that repeating it is harmless."""

from django.db import models


class RetryKey(models.Model):
    """One `Idempotency-Key` of one principal; the same key with another body is refused."""

    organization_id = models.UUIDField()
    principal_id = models.UUIDField()
    key = models.CharField(max_length=200)
    request_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(
        null=True, help_text="Empty while the first request is still running."
    )
    content_type = models.TextField(default="")
    body = models.BinaryField(default=b"")
    headers = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "principal_id", "key"], name="core_retrykey_once"
            )
        ]
        indexes = [models.Index(fields=["created_at"], name="core_retrykey_age")]  # retention deletes by age

    def __str__(self) -> str:
        return f"{self.principal_id} {self.key}"
