"""A person's own notifications: the bell, the list, and why each came or did not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from apps.accounts.types import Principal
from apps.core import tenancy
from apps.core.api.paging import Order, Page, Position, paginate
from apps.core.database import planned
from apps.notify.errors import NotificationNotFound
from apps.notify.models import Delivery, Notification
from apps.notify.selectors.kinds import described
from apps.notify.types import DeliveryView, NotificationRow, NotificationView

NEWEST = Order((("id", UUID),), descending=True)
FIRST = Position()
_COUNTS = """
SELECT recipient_id, count(*) FROM notify_notification WHERE organization_id = %s AND recipient_id = ANY (%s)
AND read_at IS NULL AND cancelled_at IS NULL AND held_by = '' GROUP BY recipient_id
"""


def unread_counts(people: Collection[UUID]) -> dict[UUID, int]:
    """Return how many notifications each has not read, counted from the rows. One query."""
    with connection.cursor() as cursor:
        planned.execute(cursor, _COUNTS, [tenancy.current(), list(people)])
        found: dict[UUID, int] = dict(cursor.fetchall())
    return {person: found.get(person, 0) for person in people}


def unread_count(principal: Principal) -> int:
    """Return the number on the bell. One query."""
    if principal.conversations is None:
        return unread_counts([principal.id])[principal.id]
    return own(principal).filter(read_at=None, held_by="").count()


def told_of(principal_id: UUID, subjects: Collection[str]) -> set[str]:
    """Return of which of the subjects a person of the current organization was told and still is. One query."""
    rows = Notification.objects.filter(
        organization_id=tenancy.current(),
        recipient_id=principal_id,
        subject__in=list(subjects),
        cancelled_at=None,
    )
    return set(rows.values_list("subject", flat=True))


def own(principal: Principal) -> QuerySet[Notification]:
    """Return the principal's notifications; every read of one starts here."""
    rows = Notification.objects.filter(
        organization_id=principal.organization_id, recipient_id=principal.id, cancelled_at=None
    )
    return (
        rows if principal.conversations is None else rows.filter(conversation_id__in=principal.conversations)
    )


def list_page(
    principal: Principal,
    *,
    state: str = "all",
    reason: str = "",
    position: Position = FIRST,
    limit: int = 50,
) -> Page[NotificationView]:
    """Return a page of the principal's notifications, newest first; what it may not see any more is left out.

    Args:
        state: `all`, `unread`, or `held` for what was kept back.
    """
    rows = own(principal)
    rows = rows.exclude(held_by="") if state == "held" else rows.filter(held_by="")
    if state == "unread":
        rows = rows.filter(read_at=None)
    if reason:
        rows = rows.filter(reason=reason)
    page = paginate(rows, order=NEWEST, position=position, limit=limit)
    return Page(described(principal, map(as_row, page.rows)), page.next, page.previous)


def get_one(principal: Principal, notification_id: UUID) -> NotificationView:
    """Return one notification with its words.

    Raises:
        NotificationNotFound: also one whose subject the principal may not see now.
    """
    found = own(principal).filter(pk=notification_id).first()
    views = described(principal, [as_row(found)]) if found is not None else []
    if not views:
        raise NotificationNotFound
    return views[0]


def deliveries_of(notifications: Collection[UUID]) -> dict[UUID, list[DeliveryView]]:
    """Return the log of each of these notifications, which the caller found through `own`. One query."""
    found: dict[UUID, list[DeliveryView]] = defaultdict(list)
    rows = Delivery.objects.filter(organization_id=tenancy.current(), notification_id__in=notifications)
    for row in rows.order_by("pk"):
        found[row.notification_id].append(as_delivery(row))
    return found


def as_row(row: Notification) -> NotificationRow:
    """Return the plain form of a row."""
    return NotificationRow(
        id=row.pk,
        recipient_id=row.recipient_id,
        kind=row.kind,
        reason=row.reason,
        subject=row.subject,
        actor_id=row.actor_id,
        conversation_id=row.conversation_id,
        thread_id=row.thread_id,
        message_id=row.message_id,
        sequence=row.sequence,
        is_urgent=row.is_urgent,
        created_at=row.created_at,
        seen_at=row.seen_at,
        read_at=row.read_at,
        held_by=row.held_by,
    )


def as_delivery(row: Delivery) -> DeliveryView:
    """Return the plain form of a line of the log."""
    return DeliveryView(
        channel=row.channel,
        state=row.state,
        outcome="sent" if row.state == Delivery.State.SENT else row.outcome,
        due_at=row.due_at,
        settled_at=row.settled_at,
        attempts=row.attempts,
        detail=row.detail,
    )


def as_json(view: NotificationView, deliveries: Collection[DeliveryView]) -> dict[str, Any]:
    """Return the shape of the API."""
    row, said = view.row, view.described
    return {
        "id": row.id, "kind": row.kind, "reason": row.reason, "is_urgent": row.is_urgent,
        "conversation": row.conversation_id, "thread": row.thread_id, "message": row.message_id,
        "actor": row.actor_id, "created_at": row.created_at, "seen_at": row.seen_at, "read_at": row.read_at,
        "held_by": row.held_by, "title": said.title, "text": said.text, "url": said.url,
        "deliveries": [
            {"channel": one.channel, "state": one.state, "outcome": one.outcome, "detail": one.detail,
             "attempts": one.attempts, "due_at": one.due_at, "settled_at": one.settled_at}
            for one in deliveries
        ],
    }  # fmt: skip
