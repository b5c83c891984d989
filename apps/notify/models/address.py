"""Where messages go outside of the app, and where replies come back."""

from django.db import models

from apps.core.ids import uuid7
from apps.core.models import TenantModel
from apps.core.models.encrypted import BlindIndexField, EncryptedTextField


class PushSubscription(TenantModel):
    """A browser that takes push messages (Push API). Its address is a secret: who has it can fill the screen."""

    principal = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    endpoint = EncryptedTextField()
    endpoint_index = BlindIndexField(of="endpoint")
    public_key = models.CharField(max_length=100, help_text="p256dh, base64url.")
    secret = EncryptedTextField(help_text="auth, base64url.")
    session = models.CharField(
        max_length=64, default="", help_text="The sign-in it was made in; it ends with it."
    )
    user_agent = models.CharField(max_length=300, blank=True, default="")
    last_sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # one browser is one person's, whoever uses it next
            models.UniqueConstraint(
                fields=["organization", "endpoint_index"], name="notify_pushsubscription_once"
            ),
        ]
        indexes = [models.Index(fields=["organization", "principal"], name="notify_pushsubscription_whose")]

    def __str__(self) -> str:
        return f"browser of {self.principal_id}"


class PushKey(models.Model):
    """The server's key pair for Web Push (VAPID, RFC 8292). Browsers bind their subscriptions to it: made once."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    private_key = EncryptedTextField(help_text="PKCS #8, base64.")
    public_key = models.CharField(max_length=100, help_text="Uncompressed point, base64url.")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.public_key[:12]


class ReplyAddress(TenantModel):
    """Where one person may answer one conversation or thread by mail, for a while."""

    principal = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=40)
    conversation_id = models.UUIDField()
    thread_id = models.UUIDField(null=True)
    message_id = models.UUIDField(null=True, help_text="The last message the mail told of.")
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [
            # the one that is still good, before another is made
            models.Index(
                fields=["organization", "principal", "conversation_id", "thread_id"],
                name="notify_replyaddress_whose",
            ),
        ]

    def __str__(self) -> str:
        return f"answers of {self.principal_id}"
