"""Topics of a channel, what a principal wants of one, and how far it has read in single places."""

from django.db import models
from django.db.models.functions import Lower

from apps.core.models import TenantModel


class Topic(TenantModel):
    """A subject in a channel. It comes with its first message (`send_batch`) and goes with its last."""

    conversation = models.ForeignKey(
        "chat.Conversation", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    name = models.CharField(max_length=60)
    created_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        constraints = [
            # a name means one topic, however it is written; the write path finds topics by it
            models.UniqueConstraint("conversation", Lower("name"), name="chat_topic_name")
        ]

    def __str__(self) -> str:
        return self.name


class TopicPreference(TenantModel):
    """What one principal wants of a topic; no row is what the conversation says."""

    class Level(models.TextChoices):
        FOLLOWED = "followed"
        MUTED = "muted"

    conversation = models.ForeignKey(
        "chat.Conversation", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    topic = models.ForeignKey("chat.Topic", on_delete=models.CASCADE, related_name="+", db_constraint=False)
    principal = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    level = models.CharField(max_length=8, choices=Level.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["principal", "topic"], name="chat_topicpreference_once")
        ]
        indexes = [
            # unread counts take all of one principal
            models.Index(
                fields=["organization", "principal", "conversation"], name="chat_topicpreference_own"
            )
        ]

    def __str__(self) -> str:
        return f"{self.level} by {self.principal_id}"


class ReadMark(TenantModel):
    """How far a principal has read in one place ahead of its marker in the conversation.

    A place is a topic, a thread by its first message, or by the conversation's own id its general topic. The marker of
    the conversation takes the marks with it that it passes, so there are only a few.
    """

    conversation = models.ForeignKey(
        "chat.Conversation", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    principal = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    place = models.UUIDField()
    sequence = models.BigIntegerField()

    class Meta:
        constraints = [
            # unread counts take all of one principal in one conversation
            models.UniqueConstraint(
                fields=["organization", "principal", "conversation", "place"], name="chat_readmark_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.principal_id} in {self.place}"
