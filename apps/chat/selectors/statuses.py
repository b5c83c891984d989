"""What people show of themselves: their words, away, not to be disturbed, and whether they show anything."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from apps.accounts.types import Principal
from apps.chat.models import PresenceRules, Status
from apps.chat.types import Shown, StatusView
from apps.core import tenancy
from apps.notify.selectors.preferences import who_is_undisturbed


def rules() -> PresenceRules:
    """Return what the current organization shows; an unsaved row where it chose nothing. One query."""
    organization = tenancy.current()
    return PresenceRules.objects.filter(organization_id=organization).first() or PresenceRules(
        organization_id=organization
    )


def shown_by(people: Collection[UUID]) -> dict[UUID, Shown]:
    """Return what each of these people of the current organization shows. Three queries."""
    allowed, now = rules(), timezone.now()
    rows = Status.objects.filter(organization_id=tenancy.current(), principal_id__in=people)
    known = {row.principal_id: row for row in rows}
    undisturbed = who_is_undisturbed(people)
    return {
        person: _shown(known.get(person) or Status(), allowed, is_quiet=person in undisturbed, now=now)
        for person in people
    }


def get_status(principal: Principal) -> StatusView:
    """Return a principal's own status as it stands now. Two queries."""
    row = (
        Status.objects.filter(organization_id=principal.organization_id, principal_id=principal.id).first()
        or Status()
    )
    is_over = row.expires_at is not None and row.expires_at <= timezone.now()
    return StatusView(
        emoji="" if is_over else row.emoji,
        text="" if is_over else row.text,
        is_away=row.is_away and not is_over,
        expires_at=None if is_over else row.expires_at,
        shows_presence=row.shows_presence,
        shows_typing=row.shows_typing,
    )


def expired(*, most: int) -> list[tuple[UUID, UUID]]:
    """Return (organization, principal) of statuses whose time is over; for the relay, which sees all of them."""
    rows = Status.objects.filter(expires_at__lte=timezone.now()).order_by("expires_at")
    return list(rows.values_list("organization_id", "principal_id")[:most])


def _shown(row: Status, allowed: PresenceRules, *, is_quiet: bool, now: datetime) -> Shown:
    is_over = row.expires_at is not None and row.expires_at <= now
    return Shown(
        emoji="" if is_over else row.emoji,
        text="" if is_over else row.text,
        until=None if is_over else row.expires_at,
        is_away=row.is_away and not is_over,
        is_undisturbed=is_quiet,
        shows_presence=row.shows_presence and allowed.shows_presence,
        shows_typing=row.shows_typing and allowed.shows_typing,
    )
