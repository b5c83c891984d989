"""Messages and what hangs on them. `send_batch` is the only place that inserts a message (migration 0003)."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.core.models import TenantModel


class Message(TenantModel):
    """One message; `sequence` is the number of the event that created it."""

    class Priority(models.TextChoices):
        IMPORTANT = "important"
        URGENT = "urgent"

    # Every index and key here is paid by every send: the composite key to the conversation holds the organization too,
    # and an index of one column alone was taken by the planner for the count of unread, which then read everything.
    organization = models.ForeignKey(
        "accounts.Organization",
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    conversation = models.ForeignKey(
        "chat.Conversation", on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    scope_id = models.UUIDField(help_text="Copied from the conversation, so that filters need no join.")
    sequence = models.BigIntegerField()
    sender = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    client_key = models.CharField(max_length=64)
    thread_id = models.UUIDField(null=True, blank=True, help_text="The message this replies to.")
    topic = models.ForeignKey(
        "chat.Topic", null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_constraint=False,
        db_index=False, help_text="Empty is the general topic; replies have that of their thread.",
    )  # fmt: skip
    body = models.TextField()
    html = models.TextField()
    mentions = ArrayField(models.UUIDField(), default=list, blank=True)
    card = models.JSONField(null=True, blank=True)
    priority = models.CharField(max_length=9, choices=Priority.choices, blank=True, db_default="", default="")
    is_history = models.BooleanField(
        default=False, db_default=False, help_text="Imported: written elsewhere before, never unread."
    )
    pinned_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    sent_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    hidden_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Away until moderators decide; `deleted_at` says the same to all who read.",
    )
    files_ended_at = models.DateTimeField(
        null=True, blank=True, help_text="When the time of its files was over; the message itself stays."
    )
    created_at = None  # type: ignore[assignment]  # `sent_at` says it

    class Meta:
        constraints = [
            # pages of a conversation by number, both ways; unread is a count in this index
            models.UniqueConstraint(fields=["conversation", "sequence"], name="chat_message_sequence"),
            # sending twice with one key stores once
            models.UniqueConstraint(
                fields=["conversation", "sender", "client_key"], name="chat_message_client_key"
            ),
        ]
        indexes = [
            # a thread's replies and their counts
            models.Index(
                fields=["thread_id", "sequence"],
                condition=~models.Q(thread_id=None),
                name="chat_message_thread",
            ),
            # a topic's messages by number, and the newest of each
            models.Index(
                fields=["topic", "sequence"], condition=~models.Q(topic=None), name="chat_message_topic"
            ),
            # what is pinned in a conversation
            models.Index(
                fields=["conversation", "pinned_at"],
                condition=~models.Q(pinned_at=None),
                name="chat_message_pinned",
            ),
            # what is unread in each conversation, counted without a look at the messages: 0.2 microseconds for each,
            # in place of 1.1
            models.Index(
                fields=["conversation", "sequence"],
                include=["organization", "sender"],
                condition=models.Q(deleted_at=None, is_history=False),
                name="chat_message_counted",
            ),
            # searches that list: the newest of an organization that fulfil what operators ask
            models.Index(fields=["organization", "-sent_at", "-id"], name="chat_message_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id}#{self.sequence}"


class MessageRevision(TenantModel):
    """What a message said before an edit."""

    message = models.ForeignKey(
        "chat.Message", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    version = models.PositiveIntegerField()
    body = models.TextField()
    html = models.TextField()
    replaced_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "version"], name="chat_messagerevision_once")
        ]

    def __str__(self) -> str:
        return f"{self.message_id} v{self.version}"


class Mention(models.Model):
    """Who was mentioned where: the mention count and the mentions view read this."""

    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="+")
    conversation = models.ForeignKey(
        "chat.Conversation", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    message = models.ForeignKey(
        "chat.Message", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    principal = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    sequence = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "principal"], name="chat_mention_once")]
        indexes = [
            # mentions after the read marker, per conversation
            models.Index(
                fields=["organization", "principal", "conversation", "sequence"], name="chat_mention_unread"
            )
        ]

    def __str__(self) -> str:
        return f"{self.principal_id} in {self.message_id}"


class Attachment(models.Model):
    """A file on a message, in the sender's order."""

    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="+")
    message = models.ForeignKey(
        "chat.Message", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    file = models.ForeignKey(
        "files.StoredFile", on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    position = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "file"], name="chat_attachment_once")]

    def __str__(self) -> str:
        return f"{self.file_id} on {self.message_id}"


class Reaction(TenantModel):
    """One emoji of one principal on one message."""

    message = models.ForeignKey(
        "chat.Message", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    principal = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    emoji = models.CharField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "emoji", "principal"], name="chat_reaction_once")
        ]

    def __str__(self) -> str:
        return f"{self.emoji} on {self.message_id}"
