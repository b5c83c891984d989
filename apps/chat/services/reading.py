"""The read marker: one number per principal and conversation; unread is a count from the rows."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from apps.accounts.types import Principal
from apps.chat import events
from apps.chat.errors import ConversationNotFound, MessageNotFound
from apps.chat.models import Membership, Mention, Message
from apps.chat.selectors.conversations import is_reached
from apps.chat.selectors.messages import visible_messages
from apps.core.events import log
from apps.core.models import Stream


def move_marker(*, principal: Principal, conversation_id: UUID, sequence: int, back: bool = False) -> int:
    """Mark everything up to `sequence` as read on all devices; return the marker.

    Args:
        sequence: clamped to the conversation's head.
        back: move backwards too ("unread from here"); otherwise a lower number changes nothing.

    Raises:
        ConversationNotFound: the principal is not in it.
    """
    with transaction.atomic():
        membership = (
            Membership.objects.select_for_update(no_key=True)
            .filter(
                organization_id=principal.organization_id,
                conversation_id=conversation_id,
                principal_id=principal.id,
                left_at=None,
            )
            .first()
        )
        if membership is None or not is_reached(principal, conversation_id):
            raise ConversationNotFound
        head = Stream.objects.filter(pk=conversation_id).values_list("last_sequence", flat=True).first() or 0
        target = max(0, min(sequence, head))
        if target == membership.last_read_sequence or (target < membership.last_read_sequence and not back):
            return membership.last_read_sequence
        is_back = target < membership.last_read_sequence
        membership.last_read_sequence = target
        membership.save(update_fields=["last_read_sequence"])
        unread, mentions = counts(
            principal_id=principal.id, conversation_id=conversation_id, after=target, up_to=head
        )
        log.record(
            events.ReadMoved(
                organization_id=principal.organization_id,
                stream_id=principal.member_id,
                actor_id=principal.id,
                conversation=conversation_id,
                last_read_sequence=target,
                back=is_back,
                counted_to=head,
                unread=unread,
                mentions=mentions,
            )
        )
        return target


def mark_unread_from(*, principal: Principal, message_id: UUID) -> int:
    """Move the marker back to just before a message; return it.

    Raises:
        MessageNotFound, ConversationNotFound.
    """
    message = visible_messages(principal).filter(pk=message_id).values("conversation_id", "sequence").first()
    if message is None:
        raise MessageNotFound
    return move_marker(
        principal=principal,
        conversation_id=message["conversation_id"],
        sequence=message["sequence"] - 1,
        back=True,
    )


def counts(*, principal_id: UUID, conversation_id: UUID, after: int, up_to: int) -> tuple[int, int]:
    """Return (unread messages, mentions) after one sequence and up to another, counted from the rows."""
    span = {"conversation_id": conversation_id, "sequence__gt": after, "sequence__lte": up_to}
    unread = Message.objects.filter(**span, deleted_at=None).exclude(sender_id=principal_id).count()
    mentions = Mention.objects.filter(**span, principal_id=principal_id).count()
    return unread, mentions
