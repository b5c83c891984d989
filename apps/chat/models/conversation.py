"""Conversations, seats in them with the read marker, and drafts."""

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from apps.core.models import TenantModel


class Conversation(TenantModel):
    """Where messages live. Its audience is a scope; its numbers come from the stream with the same id."""

    class Kind(models.TextChoices):
        CHANNEL = "channel"
        DIRECT = "direct"
        GROUP = "group"

    class Posting(models.TextChoices):
        EVERYONE = "everyone"
        ANNOUNCERS = "announcers"  # who runs the channel, or has `message.announce` there

    kind = models.CharField(max_length=8, choices=Kind.choices)
    name = models.CharField(max_length=60, blank=True, default="")
    description = models.CharField(max_length=250, blank=True, default="")
    scope = models.ForeignKey(
        "accounts.Scope", on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    is_private = models.BooleanField(default=False)
    people_key = models.CharField(
        max_length=64, blank=True, default="", help_text="Hash of the people of a direct one."
    )
    created_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    archived_at = models.DateTimeField(null=True, blank=True)
    who_posts = models.CharField(
        max_length=10, choices=Posting.choices, default=Posting.EVERYONE, db_default=Posting.EVERYONE
    )
    takes_replies = models.BooleanField(
        default=True,
        db_default=True,
        help_text="Where only announcers post: the others may reply in threads.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                "organization",
                condition=models.Q(kind="channel"),
                name="chat_conversation_name",
            ),
            # the same people always land in the same direct conversation
            models.UniqueConstraint(
                fields=["organization", "people_key"],
                condition=~models.Q(people_key=""),
                name="chat_conversation_people",
            ),
        ]

    def __str__(self) -> str:
        return self.name or f"{self.kind} {self.pk}"


class Membership(TenantModel):
    """One principal in one conversation: read marker and preferences."""

    conversation = models.ForeignKey(
        "chat.Conversation", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    principal = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    last_read_sequence = models.BigIntegerField(default=0)
    is_muted = models.BooleanField(default=False)
    is_starred = models.BooleanField(default=False)
    joined_at = models.DateTimeField(default=timezone.now)
    left_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            # the write path looks up (conversation, sender)
            models.UniqueConstraint(
                fields=["conversation", "principal"],
                condition=models.Q(left_at=None),
                name="chat_membership_once",
            )
        ]
        indexes = [
            # the conversation list of a principal, and its socket's subscriptions
            models.Index(
                fields=["organization", "principal"],
                include=["conversation", "last_read_sequence"],
                condition=models.Q(left_at=None),
                name="chat_membership_principal",
            )
        ]

    def __str__(self) -> str:
        return f"{self.principal_id} in {self.conversation_id}"


class Draft(TenantModel):
    """Unsent text of one principal, one per conversation and thread, on all devices."""

    conversation = models.ForeignKey(
        "chat.Conversation", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    principal = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    thread_id = models.UUIDField(null=True, blank=True)
    topic = models.CharField(
        max_length=60, blank=True, default="", db_default="", help_text="Its name; empty is the general one."
    )
    body = models.TextField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["principal", "conversation", "thread_id"],
                nulls_distinct=False,
                name="chat_draft_once",
            )
        ]
        indexes = [
            # a topic that has another name or is gone takes along what is written for it
            models.Index(fields=["conversation"], condition=~models.Q(topic=""), name="chat_draft_topic")
        ]

    def __str__(self) -> str:
        return f"draft of {self.principal_id}"
