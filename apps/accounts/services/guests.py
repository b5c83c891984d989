"""Seats of guests that end by themselves: nothing of them works afterwards, and the relay ends them within a second."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts import actions
from apps.accounts.errors import ExpiryNotValid, NotAGuest
from apps.accounts.models import Member
from apps.accounts.services import revocation, trail
from apps.accounts.services.access import require
from apps.accounts.services.members import end_membership, locked_member, managed_member
from apps.accounts.types import GUEST, Principal
from apps.core.services import audit

MOST_DAYS = 730


def set_expiry(*, principal: Principal, member_id: UUID, expires_at: datetime | None) -> None:
    """Say when the seat of a guest is over; None is never.

    Raises:
        PermissionMissing, MemberNotFound, RoleAboveOwn, NotAGuest, ExpiryNotValid.
    """
    require(principal, "member.manage")
    with transaction.atomic():
        member = managed_member(principal, member_id)
        if member.role.key != GUEST:
            raise NotAGuest
        member.expires_at = clean_expiry(expires_at)
        member.save(update_fields=["expires_at"])
        trail.note(
            principal, actions.EXPIRY_CHANGED, "member", member.user_id,
            expires_at=member.expires_at.isoformat() if member.expires_at else None,
        )  # fmt: skip
        revocation.change_access(
            organization_id=member.organization_id, principal_id=member.user_id, role=member.role.key
        )


def clean_expiry(expires_at: datetime | None) -> datetime | None:
    """Return the end of a seat.

    Raises:
        ExpiryNotValid: not in the future, or further than two years away.
    """
    now = timezone.now()
    if expires_at is not None and not now < expires_at <= now + timedelta(days=MOST_DAYS):
        raise ExpiryNotValid(days=MOST_DAYS)
    return expires_at


def end_expired(*, organization_id: UUID) -> int:
    """End the seats of guests whose time is over, in an opened organization; return how many."""
    over = Member.objects.filter(
        organization_id=organization_id, deactivated_at=None, expires_at__lte=timezone.now()
    )
    ended = 0
    for member_id in list(over.order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            member = locked_member(organization_id, pk=member_id)
            if member is None or member.deactivated_at is not None:
                continue
            end_membership(member, reason="seat_expired")
            audit.record(
                organization_id=organization_id,
                action=actions.SEAT_EXPIRED,
                actor_id=None,
                object_type="member",
                object_id=member.user_id,
            )
            ended += 1
    return ended
