"""Programs of others that people let in (OAuth 2): who they are, what was allowed, what waits to be exchanged.

Secrets and codes are stored as hashes. The tokens that come of them are the families of `models.tokens`.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.core.models import TenantModel


class OAuthClient(TenantModel):
    """A registered program of one organization; its id is the client id, which is no secret."""

    class Kind(models.TextChoices):
        CONFIDENTIAL = "confidential"
        PUBLIC = "public"

    class Algorithm(models.TextChoices):
        RS256 = "RS256"
        EDDSA = "EdDSA"

    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    redirect_uris = ArrayField(models.CharField(max_length=500), default=list, blank=True)
    grants = ArrayField(models.CharField(max_length=20))
    scopes = ArrayField(models.CharField(max_length=40))
    id_token_algorithm = models.CharField(
        max_length=5,
        choices=Algorithm.choices,
        default=Algorithm.RS256,
        help_text="What signs its ID tokens.",
    )
    service = models.ForeignKey(
        "accounts.User",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The service account it acts as without a person.",
    )
    secret_prefix = models.CharField(
        max_length=11, blank=True, default="", help_text="Shown, to recognise it."
    )
    secret_hash = models.BinaryField(max_length=32, null=True, editable=False)
    previous_hash = models.BinaryField(max_length=32, null=True, editable=False)
    previous_until = models.DateTimeField(
        null=True, blank=True, help_text="The replaced secret works until then."
    )
    disabled_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        # the console's list, by name
        indexes = [models.Index(fields=["organization", "name"], name="accounts_oauthclient_name")]

    def __str__(self) -> str:
        return self.name


class OAuthConsent(TenantModel):
    """What a person allowed a client, until the person takes it back."""

    client = models.ForeignKey(
        "accounts.OAuthClient", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    principal = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    scopes = ArrayField(models.CharField(max_length=40))
    given_at = models.DateTimeField()

    class Meta:
        constraints = [
            # also finds the consent that a request asks for, and the own list
            models.UniqueConstraint(
                fields=["organization", "principal", "client"], name="accounts_oauthconsent_once"
            )
        ]

    def __str__(self) -> str:
        return f"consent of {self.principal_id} to {self.client_id}"


class OAuthCode(TenantModel):
    """An authorization code: exchanged once, within a minute; the row stays a day, so that a second use is seen."""

    client = models.ForeignKey(
        "accounts.OAuthClient", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    principal = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    hash = models.BinaryField(max_length=32, unique=True, editable=False)
    redirect_uri = models.CharField(max_length=500)
    scopes = ArrayField(models.CharField(max_length=40))
    challenge = models.CharField(max_length=43, editable=False, help_text="PKCE, S256.")
    nonce = models.CharField(max_length=255, blank=True, default="", editable=False)
    signed_in_at = models.DateTimeField()
    methods = ArrayField(models.CharField(max_length=10), default=list)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    family_id = models.UUIDField(null=True, blank=True, help_text="The tokens it was exchanged for.")

    class Meta:
        # the composite key's cascade, and ending what waits when a consent is taken back
        indexes = [
            models.Index(fields=["organization", "client", "principal"], name="accounts_oauthcode_client")
        ]

    def __str__(self) -> str:
        return f"code for {self.client_id}"


class OAuthDevice(TenantModel):
    """A device without a browser that waits for a person to type its code elsewhere (RFC 8628)."""

    client = models.ForeignKey(
        "accounts.OAuthClient", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    hash = models.BinaryField(max_length=32, unique=True, editable=False)
    user_code_hash = models.BinaryField(max_length=32, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=40))
    address = models.GenericIPAddressField(null=True, blank=True)
    expires_at = models.DateTimeField()
    interval_seconds = models.PositiveSmallIntegerField()
    polled_at = models.DateTimeField(null=True, blank=True)
    principal = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    signed_in_at = models.DateTimeField(null=True, blank=True)
    methods = ArrayField(models.CharField(max_length=10), default=list)
    approved_at = models.DateTimeField(null=True, blank=True)
    denied_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        # the composite key's cascade, and ending what waits when a consent is taken back
        indexes = [
            models.Index(fields=["organization", "client", "principal"], name="accounts_oauthdevice_client")
        ]

    def __str__(self) -> str:
        return f"device for {self.client_id}"
