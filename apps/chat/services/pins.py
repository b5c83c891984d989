"""Pinned messages: what everyone in a conversation should find."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts.services import access
from apps.accounts.types import Principal
from apps.chat import events
from apps.chat.errors import MessageDeleted, TooManyPins
from apps.chat.models import Message
from apps.chat.services.messages import lock_visible_message, require_open
from apps.chat.services.standing import lock_streams
from apps.core.events import log

MOST_PINS = 100


@dataclass(frozen=True)
class PinOfBefore:
    """When a message was pinned where it was written, and by whom."""

    at: datetime
    by: UUID


def set_pinned(*, principal: Principal, message_id: UUID, is_pinned: bool) -> None:
    """Pin a message for everyone, or take it down; every member who may write may. Twice is harmless.

    Raises:
        MessageNotFound, MessageDeleted, TooManyPins, PermissionMissing, NotAMember, ConversationArchived.
    """
    with transaction.atomic():
        message = lock_visible_message(principal=principal, message_id=message_id)
        access.require(principal, "message.send")
        require_open(principal=principal, conversation_id=message.conversation_id)
        if message.deleted_at is not None:
            raise MessageDeleted
        if is_pinned == (message.pinned_at is not None):
            return
        if is_pinned and not _room(message.conversation_id):
            raise TooManyPins(limit=MOST_PINS)
        _pin(message, timezone.now() if is_pinned else None, actor_id=principal.id)


def pin_history(*, conversation_id: UUID, history: Mapping[UUID, PinOfBefore]) -> set[UUID]:
    """Pin imported messages of one conversation; return those for which there is no room.

    The caller has decided about rights and holds a transaction. A message that is pinned already stays as it is.
    """
    lock_streams(conversation_id)
    rows = Message.objects.select_for_update(no_key=True).filter(
        conversation_id=conversation_id, pk__in=history, pinned_at=None
    )
    room = _room(conversation_id)
    newest_first = sorted(rows.order_by("pk"), key=lambda row: history[row.pk].at, reverse=True)
    for message in newest_first[:room]:
        pin = history[message.pk]
        _pin(message, pin.at, actor_id=pin.by)
    return {message.pk for message in newest_first[room:]}


def _pin(message: Message, at: datetime | None, *, actor_id: UUID) -> None:
    message.pinned_at = at
    message.save(update_fields=["pinned_at"])
    log.record(
        events.PinChanged(
            organization_id=message.organization_id,
            stream_id=message.conversation_id,
            scope_id=message.scope_id,
            actor_id=actor_id,
            message_id=message.pk,
            pinned_at=at,
        )
    )


def _room(conversation_id: UUID) -> int:
    """Return how many more messages can be pinned; deleted ones, which nobody can take down, take no room."""
    pinned = Message.objects.filter(conversation_id=conversation_id, deleted_at=None).exclude(pinned_at=None)
    return max(0, MOST_PINS - pinned.count())
