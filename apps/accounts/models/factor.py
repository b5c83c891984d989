"""The second factor as django-otp sees it, and accounts for emergencies. allauth's authenticators hold the secrets."""

from __future__ import annotations

import time

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.mfa.utils import decrypt
from django.db import models
from django.utils.crypto import constant_time_compare
from django_otp.models import Device

from apps.core.models import TenantModel

STEP_SECONDS = 30
TOLERANCE_STEPS = 1  # the clock of a phone may be half a minute away


class SecondFactor(Device):  # type: ignore[misc]  # django-otp ships no types
    """One proof of a person; the row is what a verified session points at, so deleting it ends the proof."""

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    authenticator = models.OneToOneField("mfa.Authenticator", on_delete=models.CASCADE, related_name="+")
    last_step = models.BigIntegerField(default=0, help_text="The newest time step a code was taken from.")
    sign_count = models.BigIntegerField(default=0, help_text="Of a passkey; a smaller one means a copy.")
    credential_id = models.CharField(
        max_length=1400,
        null=True,
        blank=True,
        unique=True,
        help_text="Of a passkey, in base64url: one key, one owner.",
    )

    def verify_token(self, token: str) -> bool:
        """Take a typed code once. Called with the row locked, by `django_otp.verify_token`."""
        if self.authenticator.type == Authenticator.Type.RECOVERY_CODES:
            taken: bool = self.authenticator.wrap().validate_code(token)
            return taken
        if self.authenticator.type != Authenticator.Type.TOTP:
            return False
        step = matching_step(decrypt(self.authenticator.data["secret"]), token)
        if step is None or step <= self.last_step:
            return False
        self.last_step = step
        self.save(update_fields=["last_step"])
        return True


class BreakGlass(TenantModel):
    """An account an operator made for an emergency in one organization; a sign-in link is its sealed secret."""

    user = models.OneToOneField("accounts.User", on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=200)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    used_from = models.GenericIPAddressField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            # the relay closes what is over; the console shows what was used lately
            models.Index(
                fields=["organization", "expires_at"],
                condition=models.Q(closed_at=None),
                name="accounts_breakglass_open",
            )
        ]

    def __str__(self) -> str:
        return f"emergency account {self.user_id}"


def matching_step(secret: str, code: str) -> int | None:
    """Return the time step whose code this is, within half a minute of now, or None."""
    digits = "".join(code.split())
    now = int(time.time()) // STEP_SECONDS
    steps = range(now - TOLERANCE_STEPS, now + TOLERANCE_STEPS + 1)
    return next(
        (
            step
            for step in steps
            if constant_time_compare(format_hotp_value(hotp_value(secret, step)), digits)
        ),
        None,
    )
