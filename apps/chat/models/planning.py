"""What is to happen later: messages that wait for their time, and reminders."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.core.models import TenantModel


class ScheduledMessage(TenantModel):
    """A message that is sent at its time. Sent ones stay for a while, failed ones until their sender looked."""

    class State(models.TextChoices):
        WAITING = "waiting"
        SENT = "sent"
        FAILED = "failed"

    principal = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    conversation = models.ForeignKey(
        "chat.Conversation", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    thread_id = models.UUIDField(null=True, blank=True)
    topic = models.CharField(
        max_length=60, blank=True, default="", db_default="", help_text="Its name; empty is the general one."
    )
    body = models.TextField()
    attachments = ArrayField(models.UUIDField(), default=list, blank=True)
    priority = models.CharField(max_length=9, blank=True, default="")
    confirm_mass_mention = models.BooleanField(default=False)
    send_at = models.DateTimeField()
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    failure_code = models.CharField(max_length=60, blank=True, default="")
    failure_fields = models.JSONField(
        default=dict, blank=True, help_text="What the sentence of the code names."
    )
    message_id = models.UUIDField(null=True, blank=True, help_text="What it became.")

    class Meta:
        indexes = [
            # the duty that sends what is due
            models.Index(
                fields=["send_at"], condition=models.Q(state="waiting"), name="chat_scheduledmessage_due"
            ),
            # one's own list
            models.Index(fields=["organization", "principal", "send_at"], name="chat_scheduledmessage_own"),
            # a topic that has another name or is gone takes along what is to be sent into it
            models.Index(
                fields=["conversation"], condition=~models.Q(topic=""), name="chat_scheduledmessage_topic"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id} at {self.send_at}"


class Reminder(TenantModel):
    """One principal wants to be reminded, of a message or of a note alone."""

    class Repeat(models.TextChoices):
        DAILY = "daily"
        WEEKDAYS = "weekdays"
        WEEKLY = "weekly"
        MONTHLY = "monthly"

    principal = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    message = models.ForeignKey(
        "chat.Message", null=True, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    note = models.CharField(max_length=500, blank=True, default="")
    due_at = models.DateTimeField(help_text="The next time; of one that does not repeat and came: that time.")
    repeat = models.CharField(max_length=8, choices=Repeat.choices, blank=True, default="")
    zone = models.CharField(max_length=64, default="UTC", help_text="Whose clock a repetition follows.")
    fired_at = models.DateTimeField(null=True, blank=True, help_text="When it came last, until it is done.")
    is_waiting = models.BooleanField(default=True, help_text="It will come (again).")

    class Meta:
        indexes = [
            # the duty that reminds
            models.Index(fields=["due_at"], condition=models.Q(is_waiting=True), name="chat_reminder_due"),
            # one's own list
            models.Index(fields=["organization", "principal", "due_at"], name="chat_reminder_own"),
        ]

    def __str__(self) -> str:
        return f"{self.principal_id} at {self.due_at}"
