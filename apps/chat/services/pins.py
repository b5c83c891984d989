"""Pinned messages: what everyone in a conversation should find."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts.services import access
from apps.accounts.types import Principal
from apps.chat import events
from apps.chat.errors import MessageDeleted, TooManyPins
from apps.chat.models import Message
from apps.chat.services.messages import lock_visible_message, require_open
from apps.core.events import log

MOST_PINS = 100


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
        if is_pinned:
            _require_room(message.conversation_id)
        message.pinned_at = timezone.now() if is_pinned else None
        message.save(update_fields=["pinned_at"])
        log.record(
            events.PinChanged(
                organization_id=message.organization_id,
                stream_id=message.conversation_id,
                scope_id=message.scope_id,
                actor_id=principal.id,
                message_id=message.pk,
                pinned_at=message.pinned_at,
            )
        )


def _require_room(conversation_id: UUID) -> None:
    if Message.objects.filter(conversation_id=conversation_id).exclude(pinned_at=None).count() >= MOST_PINS:
        raise TooManyPins(limit=MOST_PINS)
