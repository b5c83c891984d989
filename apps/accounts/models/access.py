"""Ways in besides the password: API keys, invitations, one-time sign-in links. Only hashes are stored."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.core.models import TenantModel, UUIDModel


class ApiKey(TenantModel):
    """A bearer key of one principal in one organization; its hash is what finds the organization."""

    principal = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12, help_text="Shown, so that people recognise the key.")
    hash = models.BinaryField(max_length=32, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=40), default=list)
    conversations = ArrayField(
        models.UUIDField(), null=True, blank=True, help_text="The only ones it reaches; empty: no such limit."
    )
    scope_ids = ArrayField(
        models.UUIDField(), null=True, blank=True, help_text="The audiences of those conversations."
    )
    networks = ArrayField(
        models.CharField(max_length=43), default=list, blank=True, help_text="The only ones it is taken from."
    )
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_address = models.GenericIPAddressField(null=True, blank=True)
    suspended_at = models.DateTimeField(
        null=True, blank=True, help_text="Unused for long; its owner may wake it."
    )
    reactivated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["organization", "principal"], name="accounts_apikey_principal")
        ]  # own list

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class Invitation(TenantModel):
    """An open door for one address into one organization and one role."""

    email = models.EmailField()
    role = models.ForeignKey("accounts.Role", on_delete=models.PROTECT, related_name="+", db_constraint=False)
    invited_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    conversations = ArrayField(
        models.UUIDField(), default=list, blank=True, help_text="Joined on acceptance."
    )
    hash = models.BinaryField(max_length=32, unique=True, editable=False)
    mailed_hash = models.BinaryField(
        max_length=32,
        null=True,
        editable=False,
        help_text="Of what only the mail's link carries: its opener reads it.",
    )
    seat_expires_at = models.DateTimeField(
        null=True, blank=True, help_text="When the seat of a guest who comes in by it is over."
    )
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "email"],
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="accounts_invitation_open",
            )
        ]

    def __str__(self) -> str:
        return self.email


class SignInLink(UUIDModel):
    """A one-time link that signs one person in; printed by the operator's own machine."""

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    hash = models.BinaryField(max_length=32, unique=True, editable=False)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"link for {self.user_id}"


class ViewAs(TenantModel):
    """An administrator looks at pages as another person, read-only, from one session and for a short time."""

    viewer = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    session = models.CharField(max_length=32, help_text="What a revocation names; opens nothing.")
    reason = models.CharField(max_length=200, help_text="Told to the person.")
    ends_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            # one at a time in a browser
            models.UniqueConstraint(
                fields=["organization", "session"],
                condition=models.Q(ended_at=None),
                name="accounts_viewas_open",
            )
        ]
        indexes = [
            # what a person is told on the own settings page
            models.Index(fields=["organization", "person", "-created_at"], name="accounts_viewas_person"),
            # the relay ends what is over
            models.Index(fields=["ends_at"], condition=models.Q(ended_at=None), name="accounts_viewas_ends"),
        ]

    def __str__(self) -> str:
        return f"{self.viewer_id} as {self.person_id}"
