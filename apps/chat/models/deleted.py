"""What a deleted message said, for as long as it can be brought back."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.core.models import TenantModel


class DeletedMessage(TenantModel):
    """The words of a deleted message. Nothing but the restore reads them, and a duty removes them in time.

    Of a hidden message the author and those who decide read them, too.
    """

    message = models.ForeignKey(
        "chat.Message", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    body = models.TextField()
    card = models.JSONField(null=True, blank=True)
    files = ArrayField(models.UUIDField(), default=list, blank=True)
    by_author = models.BooleanField(help_text="What a moderator took away, the author does not bring back.")
    purge_at = models.DateTimeField(
        null=True, help_text="Empty while a hidden message waits for the decision."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message"], name="chat_deletedmessage_once")]
        indexes = [
            # the duty that makes deletions final
            models.Index(fields=["purge_at"], name="chat_deletedmessage_purge")
        ]

    def __str__(self) -> str:
        return f"{self.message_id} until {self.purge_at}"
