"""What stands behind links: one look for each address and organization, and which messages show it."""

from django.db import models

from apps.chat.types import MOST_EDIT_MINUTES
from apps.core.models import TenantModel


class MessagePolicy(TenantModel):
    """What an organization decided about messages; without a row the defaults hold."""

    link_previews = models.BooleanField(default=True)
    edit_minutes = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Minutes after sending in which authors change their text; nothing is for ever, 0 not at all.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization"], name="chat_messagepolicy_once"),
            models.CheckConstraint(
                condition=models.Q(edit_minutes=None) | models.Q(edit_minutes__lte=MOST_EDIT_MINUTES),
                name="chat_messagepolicy_edit_minutes",
            ),
        ]

    def __str__(self) -> str:
        return f"policy of {self.organization_id}"


class LinkPreview(TenantModel):
    """Title and description of a web page, as it said them when it was fetched."""

    class State(models.TextChoices):
        WAITING = "waiting"
        READY = "ready"
        NOTHING = "nothing"

    url = models.CharField(max_length=2000)
    url_hash = models.CharField(max_length=64)
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    title = models.CharField(max_length=200, blank=True, default="")
    description = models.CharField(max_length=400, blank=True, default="")
    site = models.CharField(max_length=100, blank=True, default="")
    fetched_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "url_hash"], name="chat_linkpreview_once")
        ]

    def __str__(self) -> str:
        return self.title or self.url


class MessagePreview(TenantModel):
    """A preview below a message; a hidden one was removed by hand and does not come back with an edit."""

    message = models.ForeignKey(
        "chat.Message", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    preview = models.ForeignKey(
        "chat.LinkPreview", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    position = models.PositiveSmallIntegerField()
    is_hidden = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "preview"], name="chat_messagepreview_once")
        ]
        indexes = [
            # which messages a fetched preview stands below
            models.Index(fields=["preview"], name="chat_messagepreview_preview")
        ]

    def __str__(self) -> str:
        return f"{self.preview_id} below {self.message_id}"
