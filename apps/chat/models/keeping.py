"""What people keep of conversations: messages for themselves, links and files for everyone, copies elsewhere."""

from django.db import models

from apps.core.models import TenantModel


class SavedMessage(TenantModel):
    """A message that one principal wants to find again; nobody else knows."""

    message = models.ForeignKey(
        "chat.Message", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    principal = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["principal", "message"], name="chat_savedmessage_once")
        ]

    def __str__(self) -> str:
        return f"{self.message_id} saved by {self.principal_id}"


class Bookmark(TenantModel):
    """A link or a file that a conversation keeps at hand; a file is one that hangs on a message there."""

    conversation = models.ForeignKey(
        "chat.Conversation", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    title = models.CharField(max_length=100)
    url = models.CharField(max_length=2000, blank=True, default="")
    file = models.ForeignKey(
        "files.StoredFile", null=True, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    created_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(models.Q(url="") & ~models.Q(file=None))
                | (~models.Q(url="") & models.Q(file=None)),
                name="chat_bookmark_one_target",
            )
        ]
        indexes = [
            # the bookmarks of a conversation, in their order
            models.Index(fields=["conversation", "id"], name="chat_bookmark_conversation")
        ]

    def __str__(self) -> str:
        return self.title


class Forward(TenantModel):
    """That a message holds a copy of what somebody said elsewhere: an erasure of that person finds it here."""

    message = models.ForeignKey(
        "chat.Message", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    author = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    comment = models.TextField(blank=True, default="", help_text="What the forwarder wrote above it.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message"], name="chat_forward_once")]
        indexes = [
            # copies of one person's words
            models.Index(fields=["organization", "author"], name="chat_forward_author")
        ]

    def __str__(self) -> str:
        return f"words of {self.author_id} in {self.message_id}"


class Acknowledgement(TenantModel):
    """One principal has seen an important message and says so."""

    message = models.ForeignKey(
        "chat.Message", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    principal = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "principal"], name="chat_acknowledgement_once")
        ]

    def __str__(self) -> str:
        return f"{self.message_id} seen by {self.principal_id}"
