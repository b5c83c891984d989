"""Signed tokens: the keys that sign them, and the lines of refresh tokens that end as one."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from apps.core.models import TenantModel
from apps.core.models.encrypted import EncryptedTextField


class SigningKey(models.Model):
    """A key of this server. The newest one of its kind signs; a retired one is believed until its last token is over.

    Ed25519 keys sign access tokens, and ID tokens for clients that know EdDSA; RSA keys sign ID tokens only, which
    OpenID Connect asks for.
    """

    class Algorithm(models.TextChoices):
        EDDSA = "EdDSA"
        RS256 = "RS256"

    kid = models.CharField(max_length=22, primary_key=True)
    algorithm = models.CharField(max_length=5, choices=Algorithm.choices, default=Algorithm.EDDSA)
    public_key = models.BinaryField(
        max_length=600, editable=False, help_text="32 bytes, or the DER of an RSA key."
    )
    private_key = EncryptedTextField(editable=False, help_text="In base64.")
    created_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(
        null=True, blank=True, help_text="Leaked: nothing it signed is believed."
    )

    def __str__(self) -> str:
        return self.kid


class TokenFamily(TenantModel):
    """A client signed in by tokens: all refresh tokens that follow from one sign-in, bound to one organization."""

    principal = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    client = models.ForeignKey(
        "accounts.OAuthClient",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        db_constraint=False,
        help_text="The registered program that was let in; empty for a sign-in by password.",
    )
    name = models.CharField(max_length=80)
    scopes = ArrayField(
        models.CharField(max_length=40), null=True, blank=True, help_text="Empty: all that its owner may do."
    )
    expires_at = models.DateTimeField(help_text="Moves on with each refresh, never past `ends_at`.")
    ends_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=40, blank=True, default="")
    last_used_at = models.DateTimeField(default=timezone.now)
    address = models.GenericIPAddressField(null=True, blank=True)
    factor = models.BigIntegerField(
        null=True, blank=True, help_text="The second factor it was proved with; it may be gone since."
    )

    class Meta:
        indexes = [
            # own list, and the end of all when a person leaves
            models.Index(
                fields=["organization", "principal"],
                condition=models.Q(ended_at=None),
                name="accounts_tokenfamily_open",
            ),
            # the end of all of a client, and of what a person let it do
            models.Index(
                fields=["organization", "client", "principal"],
                condition=models.Q(client__isnull=False),
                name="accounts_tokenfamily_client",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class RefreshToken(TenantModel):
    """One refresh token, used once; the row stays, so that a second use is seen."""

    family = models.ForeignKey(
        "accounts.TokenFamily", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    hash = models.BinaryField(max_length=32, unique=True, editable=False)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        # the composite key's cascade, and forgetting old families
        indexes = [models.Index(fields=["organization", "family"], name="accounts_refreshtoken_family")]

    def __str__(self) -> str:
        return f"refresh token of {self.family_id}"
