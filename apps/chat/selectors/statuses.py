"""What people show of themselves: their words, away, not to be disturbed, and whether they show anything."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import connection
from django.utils import timezone

from apps.accounts.types import Principal
from apps.chat.models import PresenceRules, Status
from apps.chat.types import Shown, StatusView
from apps.core import tenancy
from apps.core.database import planned
from apps.notify.selectors.preferences import who_is_undisturbed

# Every socket asks this each half minute.
_SHOWN = """
SELECT p.id, CASE WHEN o.is_over THEN '' ELSE coalesce(s.emoji, '') END,
  CASE WHEN o.is_over THEN '' ELSE coalesce(s.text, '') END, CASE WHEN NOT o.is_over THEN s.expires_at END,
  coalesce(s.is_away AND NOT o.is_over, false), coalesce(s.shows_presence, true) AND coalesce(r.shows_presence, true),
  coalesce(s.shows_typing, true) AND coalesce(r.shows_typing, true)
FROM unnest(%(people)s::uuid[]) AS p (id)
LEFT JOIN chat_status s ON s.organization_id = %(organization)s AND s.principal_id = p.id
LEFT JOIN chat_presencerules r ON r.organization_id = %(organization)s
CROSS JOIN LATERAL (SELECT coalesce(s.expires_at <= %(now)s, false) AS is_over) o
"""


def rules() -> PresenceRules:
    """Return what the current organization shows; an unsaved row where it chose nothing. One query."""
    organization = tenancy.current()
    return PresenceRules.objects.filter(organization_id=organization).first() or PresenceRules(
        organization_id=organization
    )


def shown_by(people: Collection[UUID]) -> dict[UUID, Shown]:
    """Return what each of these people of the current organization shows. Two queries."""
    undisturbed = who_is_undisturbed(people)
    with connection.cursor() as cursor:
        planned.execute(
            cursor, _SHOWN, {"people": list(people), "organization": tenancy.current(), "now": timezone.now()}
        )
        return {
            person: Shown(
                emoji=emoji,
                text=text,
                until=until,
                is_away=is_away,
                is_undisturbed=person in undisturbed,
                shows_presence=shows_presence,
                shows_typing=shows_typing,
            )
            for person, emoji, text, until, is_away, shows_presence, shows_typing in cursor.fetchall()
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
