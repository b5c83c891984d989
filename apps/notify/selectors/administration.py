"""The delivery log for those who run an organization: which way, what became of it, why; never of what or by whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count
from django.utils import timezone

from apps.accounts.selectors import people as people_selectors
from apps.accounts.selectors.members import list_members
from apps.accounts.types import Principal
from apps.notify.models import Delivery
from apps.notify.selectors.notifications import as_delivery
from apps.notify.types import DeliveryView

LOOKED_BACK = timedelta(days=7)
MOST_MEANT = 100  # people of one name


@dataclass(frozen=True)
class LogLine:
    """A delivery and whom it was for."""

    delivery: DeliveryView
    recipient_id: UUID
    recipient: str
    reason: str


def list_deliveries(
    principal: Principal,
    *,
    channel: str = "",
    state: str = "",
    person: str = "",
    offset: int = 0,
    limit: int = 50,
) -> list[LogLine]:
    """Return a page of the log of the principal's organization, newest first. Two queries, one more for a person.

    Args:
        person: a part of a name, or the beginning of an address: only what was for one of these.
    """
    rows = Delivery.objects.filter(organization_id=principal.organization_id)
    if person:
        meant = list_members(principal, query=person, include_inactive=True, limit=MOST_MEANT)
        rows = rows.filter(notification__recipient_id__in=[one.id for one in meant])
    if channel:
        rows = rows.filter(channel=channel)
    if state:
        rows = rows.filter(state=state)
    found = list(rows.select_related("notification").order_by("-pk")[offset : offset + limit])
    people = people_selectors.people({row.notification.recipient_id for row in found})
    return [
        LogLine(
            as_delivery(row),
            row.notification.recipient_id,
            people[row.notification.recipient_id].name if row.notification.recipient_id in people else "",
            row.notification.reason,
        )
        for row in found
    ]


def count_lately(principal: Principal) -> dict[str, int]:
    """Return how many deliveries of the last seven days ended how. One query."""
    since: datetime = timezone.now() - LOOKED_BACK
    rows = Delivery.objects.filter(organization_id=principal.organization_id, decided_at__gte=since)
    return dict(rows.values_list("state").annotate(number=Count("pk")).order_by())
