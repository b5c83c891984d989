"""One row for each thing that concerns a person, and one for each way it was sent, or why not."""

from django.db import models

from apps.core.models import TenantModel


class Notification(TenantModel):
    """It holds no words: what it says is asked of the app that made it, for the reader of that moment."""

    recipient = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    actor = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    kind = models.CharField(max_length=40)
    reason = models.CharField(max_length=20)
    subject = models.CharField(max_length=80)
    conversation_id = models.UUIDField(null=True)
    thread_id = models.UUIDField(null=True)
    message_id = models.UUIDField(null=True)
    sequence = models.BigIntegerField(null=True, help_text="Its place in the conversation.")
    held_by = models.CharField(
        max_length=20, default="", help_text="Why the person is not told at all; kept to answer why."
    )
    is_urgent = models.BooleanField(default=False)
    repeat_at = models.DateTimeField(null=True)
    repeat_until = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # once for each subject and reason, however often a consumer runs; a change of the subject finds it here
            models.UniqueConstraint(
                fields=["organization", "subject", "recipient", "reason"], name="notify_notification_once"
            ),
        ]
        indexes = [
            # the person's list, newest first
            models.Index(fields=["organization", "recipient", "-id"], name="notify_notification_list"),
            # the bell's count, and what a read marker reaches
            models.Index(
                fields=["organization", "recipient", "conversation_id", "sequence"],
                condition=models.Q(read_at=None, cancelled_at=None, held_by=""),
                name="notify_notification_unread",
            ),
            # what is said again
            models.Index(
                fields=["repeat_at"],
                condition=models.Q(repeat_at__isnull=False),
                name="notify_notification_repeat",
            ),
            # retention
            models.Index(fields=["organization", "created_at"], name="notify_notification_age"),
        ]

    def __str__(self) -> str:
        return f"{self.reason} for {self.recipient_id}"


class Delivery(models.Model):
    """One way of one notification: decided, waiting, settled. The log of deliveries; it ends with its notification."""

    class State(models.TextChoices):
        WAITING = "waiting"
        SENT = "sent"
        FAILED = "failed"
        SUPPRESSED = "suppressed"

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="+")
    notification = models.ForeignKey(
        "notify.Notification", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    channel = models.CharField(max_length=10)
    target_id = models.UUIDField(null=True, help_text="The push subscription.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    outcome = models.CharField(max_length=20, blank=True, default="")
    detail = models.CharField(max_length=200, blank=True, default="", help_text="What the other server said.")
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    decided_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["notification", "channel", "target_id"],
                nulls_distinct=False,
                name="notify_delivery_once",
            ),
        ]
        indexes = [
            # what is due, for the relay
            models.Index(fields=["due_at"], condition=models.Q(state="waiting"), name="notify_delivery_due"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.state} {self.outcome}"
