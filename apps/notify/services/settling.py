"""What ends a notification: read, taken back. Its waiting deliveries end in the same statement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Coalesce, Now

from apps.accounts.selectors import people as people_selectors
from apps.core.events import log
from apps.notify.events import NotificationsChanged
from apps.notify.models import Delivery, Notification
from apps.notify.selectors.notifications import unread_counts
from apps.notify.services.metrics import settled_total

_MOST_IDS = 500  # of one event; a page that missed some asks again


def counts(people: Collection[UUID]) -> dict[UUID, int]:
    """Return the numbers on people's bells."""
    return unread_counts(people) if people else {}


def settle(rows: QuerySet[Notification], *, state: str) -> int:
    """Change rows that are locked in one order, end what waits of them, and tell the devices; return how many."""
    with transaction.atomic():
        found = list(
            rows.order_by("pk")
            .select_for_update(no_key=True)
            .values_list("pk", "recipient_id", "organization_id")
        )
        if not found:
            return 0
        ids = [pk for pk, _person, _organization in found]
        changed = Notification.objects.filter(organization_id=found[0][2], pk__in=ids)
        if state == "unread":
            changed.update(read_at=None)
        elif state == "seen":
            changed.update(seen_at=Now())
        elif state == "read":
            changed.update(read_at=Now(), seen_at=Coalesce("seen_at", Now()), repeat_at=None)
        else:
            changed.update(cancelled_at=Now(), repeat_at=None)
        if state in ("read", "cancelled"):
            _end_deliveries(found[0][2], ids, "read" if state == "read" else "gone")
        _tell(found[0][2], found, state)
    return len(found)


def _end_deliveries(organization_id: UUID, ids: Collection[UUID], outcome: str) -> None:
    waiting = Delivery.objects.filter(
        organization_id=organization_id, notification_id__in=ids, state=Delivery.State.WAITING
    )
    ended = waiting.update(state=Delivery.State.SUPPRESSED, outcome=outcome, settled_at=Now())
    settled_total.labels("any", outcome).inc(ended)


def _tell(organization_id: UUID, found: list[tuple[UUID, UUID, UUID]], state: str) -> None:
    by_person: dict[UUID, list[UUID]] = defaultdict(list)
    for pk, person, _organization in found:
        by_person[person].append(pk)
    people = people_selectors.people(by_person)
    left = counts(by_person.keys())
    log.record_last(
        [
            NotificationsChanged(
                organization_id=organization_id,
                stream_id=people[person].member_id,
                notifications=tuple(ids[start : start + _MOST_IDS]),
                state=state,
                unread=left[person],
            )
            for person, ids in by_person.items()
            if person in people
            for start in range(0, len(ids), _MOST_IDS)
        ]
    )
