"""Who follows which thread, and how far the followers have read in it."""

from django.db import models

from apps.core.models import TenantModel


class ThreadFollow(TenantModel):
    """One principal's stand to one thread; without a row it neither follows nor ever decided."""

    conversation = models.ForeignKey(
        "chat.Conversation", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    thread = models.ForeignKey(
        "chat.Message", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    principal = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    is_followed = models.BooleanField(
        default=True, help_text="False: left on purpose; a mention changes nothing."
    )
    read_sequence = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["thread", "principal"], name="chat_threadfollow_once")]
        indexes = [
            # the inbox of threads
            models.Index(
                fields=["organization", "principal"],
                include=["thread", "read_sequence"],
                condition=models.Q(is_followed=True),
                name="chat_threadfollow_principal",
            )
        ]

    def __str__(self) -> str:
        return f"{self.principal_id} in {self.thread_id}"
