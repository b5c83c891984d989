"""Say urgent things again: every five minutes, for half an hour, until they are read or taken back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from apps.accounts.selectors import people as people_selectors
from apps.core import tenancy
from apps.core.events import log
from apps.notify.events import NotificationAdded
from apps.notify.models import Delivery, Notification
from apps.notify.services import settling
from apps.notify.services.noticing import REPEAT_EVERY
from apps.notify.types import PUSH

_DUE = """
SELECT organization_id, id FROM notify_notification WHERE repeat_at <= now() ORDER BY repeat_at LIMIT %s
"""


def due(*, most: int) -> list[tuple[UUID, UUID]]:
    """Return (organization, notification) of what is to be said again; for the relay, which sees all of them."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [most])
        found: list[tuple[UUID, UUID]] = cursor.fetchall()
    return found


def repeat(notification_id: UUID) -> bool:
    """Say one of the current organization again, in the app and to the browsers; return whether it was due."""
    now = timezone.now()
    with transaction.atomic():
        row = (
            Notification.objects.select_for_update(no_key=True, skip_locked=True)
            .filter(organization_id=tenancy.current(), pk=notification_id, repeat_at__lte=now)
            .first()
        )
        if row is None:
            return False
        _plan_next(row, now)
        if row.read_at is not None or row.cancelled_at is not None or row.held_by:
            return False
        Delivery.objects.filter(
            organization_id=row.organization_id, notification_id=row.pk, channel=PUSH, target_id__isnull=False,
            state=Delivery.State.SENT,
        ).update(state=Delivery.State.WAITING, outcome="", due_at=now, settled_at=None, attempts=0)  # fmt: skip
        _tell(row)
    return True


def _plan_next(row: Notification, now: datetime) -> None:
    following = now + REPEAT_EVERY
    is_over = row.repeat_until is None or following > row.repeat_until or row.read_at is not None
    row.repeat_at = None if is_over else following
    row.save(update_fields=["repeat_at"])


def _tell(row: Notification) -> None:
    person = people_selectors.people([row.recipient_id]).get(row.recipient_id)
    if person is None:
        return
    log.record(
        NotificationAdded(
            organization_id=row.organization_id,
            stream_id=person.member_id,
            actor_id=row.actor_id,
            notification=row.pk,
            kind=row.kind,
            reason=row.reason,
            conversation=row.conversation_id,
            thread=row.thread_id,
            message=row.message_id,
            is_urgent=True,
            created_at=row.created_at,
            unread=settling.counts([row.recipient_id])[row.recipient_id],
        )
    )
