"""What people say of themselves beside their messages, and what they and their organization show of their presence."""

from django.db import models

from apps.core.models import TenantModel


class Status(TenantModel):
    """A person's own words for what it is doing, until a moment; and what others may see of it."""

    principal = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    emoji = models.CharField(max_length=32, blank=True, default="")
    text = models.CharField(max_length=100, blank=True, default="")
    is_away = models.BooleanField(default=False, help_text="Shown as away, whatever the sockets say.")
    expires_at = models.DateTimeField(null=True, blank=True)
    shows_presence = models.BooleanField(default=True)
    shows_typing = models.BooleanField(default=True)

    class Meta:
        constraints = [
            # what is shown of the people on screen, in one read
            models.UniqueConstraint(fields=["organization", "principal"], name="chat_status_once")
        ]
        # what the relay ends
        indexes = [
            models.Index(
                fields=["expires_at"],
                condition=models.Q(expires_at__isnull=False),
                name="chat_status_expiring",
            )
        ]

    def __str__(self) -> str:
        return f"status of {self.principal_id}"


class PresenceRules(TenantModel):
    """What an organization shows of its people at all; no row shows both."""

    shows_presence = models.BooleanField(default=True)
    shows_typing = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization"], name="chat_presencerules_once")]

    def __str__(self) -> str:
        return f"presence in {self.organization_id}"
