"""Duties of the relay: unused keys, the key that signs tokens, old families, emergency accounts."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from apps.accounts.models import Member, Organization, ViewAs
from apps.accounts.services import (
    break_glass,
    factor_secrets,
    guests,
    key_use,
    oauth_codes,
    oauth_devices,
    signing_keys,
    tokens,
    view_as,
)
from apps.core import tenancy
from apps.core.relay.periodic import every
from apps.core.services.key_rotation import register_place

register_place(factor_secrets.PLACE)


@every(seconds=3600)
def suspend_unused_keys() -> None:
    """Suspend what was not used for as long as the operator allows; 0 days switches this off."""
    days = settings.CONFIGURATION.security.key_unused_days
    if not days:
        return
    for organization_id in Organization.objects.order_by("pk").values_list("pk", flat=True):
        with tenancy.use(organization_id):
            key_use.suspend_unused(organization_id=organization_id, unused_days=days)


@every(seconds=3600)
def rotate_signing_key() -> None:
    """Let a new key sign after 90 days."""
    signing_keys.rotate_when_old()


@every(seconds=1)
def end_expired_seats() -> None:
    """End the seats of guests whose time is over; their sockets close with them."""
    over = Member.objects.filter(deactivated_at=None, expires_at__lte=timezone.now())
    for organization_id in (
        over.order_by("organization_id").values_list("organization_id", flat=True).distinct()
    ):
        with tenancy.use(organization_id):
            guests.end_expired(organization_id=organization_id)


@every(seconds=60)
def end_views() -> None:
    """End looks at pages as somebody else whose time is over, so that the trail and the person know."""
    over = ViewAs.objects.filter(ended_at=None, ends_at__lte=timezone.now())
    for organization_id in (
        over.order_by("organization_id").values_list("organization_id", flat=True).distinct()
    ):
        with tenancy.use(organization_id):
            view_as.end_over(organization_id=organization_id)


@every(seconds=24 * 3600)
def forget_old_tokens() -> None:
    """Keep the tables of tokens small."""
    for organization_id in Organization.objects.order_by("pk").values_list("pk", flat=True):
        with tenancy.use(organization_id):
            tokens.forget_old(organization_id=organization_id)
            oauth_codes.forget_old(organization_id=organization_id)
            oauth_devices.forget_old(organization_id=organization_id)


@every(seconds=30)
def close_emergency_accounts() -> None:
    """Close emergency accounts whose time is over."""
    break_glass.close_expired()
