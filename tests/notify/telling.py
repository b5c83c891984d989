"""Shortcuts: what a message sent by somebody tells whom."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from apps.accounts.types import Principal
from apps.chat.services import notifying
from apps.core.models import Event
from apps.notify.models import Delivery, Notification


def told(message_id: UUID) -> dict[UUID, str]:
    """Let the consumer run; return the reason each person is told for."""
    notifying.tell_of(message_id)
    rows = Notification.objects.filter(message_id=message_id, held_by="", cancelled_at=None)
    return dict(rows.values_list("recipient_id", "reason"))


def log_of(person: Principal) -> dict[str, str]:
    """Return the outcome of each way of the person's only notification; waiting ones are `waiting`."""
    rows = Delivery.objects.filter(notification__recipient_id=person.id)
    return {row.channel: row.outcome or row.state for row in rows}


def levels_told(person: Principal) -> list[dict[str, Any]]:
    """Return what the person's devices were told of levels, in order."""
    rows = Event.objects.filter(stream_id=person.member_id, type="notification.level_changed")
    return list(rows.order_by("sequence").values_list("payload", flat=True))


def mention(*people: Principal) -> str:
    return " ".join(f"@**{person.name}**" for person in people)


def ids(people: Iterable[Principal]) -> set[UUID]:
    return {person.id for person in people}
