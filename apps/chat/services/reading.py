"""The read marker: one number per principal and conversation, and marks of places that were read ahead of it.

Unread is a count from the rows (`selectors.unread`); nothing here keeps a counter.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from apps.accounts.types import Principal
from apps.chat import events
from apps.chat.errors import ConversationNotFound, MessageNotFound
from apps.chat.models import Membership, Message, ReadMark, Topic
from apps.chat.selectors import conversations, unread
from apps.chat.selectors import threads as inbox
from apps.chat.selectors.conversations import is_reached
from apps.chat.selectors.messages import visible_messages
from apps.chat.services import threads
from apps.core.events import log
from apps.core.ids import uuid7
from apps.core.models import Stream

# Topics with something after a number that was read, the general one by the conversation's id.
_READ_TOPICS = """
SELECT DISTINCT coalesce(x.topic_id, x.conversation_id) FROM chat_message x
WHERE x.organization_id = %s AND x.conversation_id = %s AND x.sequence > %s AND x.sequence <= %s
"""


class Own(TypedDict):
    """What finds the rows of one principal in one conversation."""

    organization_id: UUID
    conversation_id: UUID
    principal_id: UUID


def move_marker(
    *,
    principal: Principal,
    conversation_id: UUID,
    sequence: int,
    back: bool = False,
    place: UUID | None = None,
) -> int:
    """Mark everything up to `sequence` as read on all devices; return the marker of the conversation or the place.

    Args:
        sequence: clamped to the conversation's head.
        back: move backwards too ("unread from here"); otherwise a lower number changes nothing.
        place: only a topic, a thread by its first message, or by the conversation's own id its general topic.

    Raises:
        ConversationNotFound: the principal is not in it, or has no such place.
    """
    with transaction.atomic():
        membership = _lock(principal, conversation_id)
        before = membership.last_read_sequence
        target = max(0, min(sequence, _head(conversation_id)))
        if place is None:
            moved = _move_all(membership, target, back=back)
        elif back:
            moved = _move_back(membership, place, target)
        else:
            moved = _move_place(membership, place, target)
        if moved:
            is_back = back and (place is not None or target < before)
            _tell(principal, membership, place=place, sequence=target, back=is_back)
            return target
        return membership.last_read_sequence


def mark_unread_from(*, principal: Principal, message_id: UUID, only_topic: bool = False) -> int:
    """Move the marker back to just before a message; return it.

    Args:
        only_topic: what was read in other topics stays read.

    Raises:
        MessageNotFound, ConversationNotFound.
    """
    rows = visible_messages(principal).only("conversation_id", "sequence", "topic_id")
    message = rows.filter(pk=message_id).first()
    if message is None:
        raise MessageNotFound
    return move_marker(
        principal=principal,
        conversation_id=message.conversation_id,
        sequence=message.sequence - 1,
        back=True,
        place=(message.topic_id or message.conversation_id) if only_topic else None,
    )


def read_everything(*, principal: Principal) -> int:
    """Mark what waits in all conversations and followed threads as read, muted ones too; return in how many places.

    Each is a transaction of its own: what was marked stays so where a later one fails.
    """
    count = 0
    for one in conversations.list_conversations(principal):
        if one.unread or one.mentions:
            move_marker(principal=principal, conversation_id=one.id, sequence=one.last_sequence)
            count += 1
    before: datetime | None = None
    while found := inbox.inbox(principal, only_unread=True, before=before):
        for thread in found:
            threads.mark_read(principal=principal, message_id=thread.root.id, sequence=thread.last.sequence)
        count += len(found)
        before = found[-1].last.sent_at
    return count


def _lock(principal: Principal, conversation_id: UUID) -> Membership:
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
    return membership


def _head(conversation_id: UUID) -> int:
    return Stream.objects.filter(pk=conversation_id).values_list("last_sequence", flat=True).first() or 0


def _own(membership: Membership) -> Own:
    return {
        "organization_id": membership.organization_id,
        "conversation_id": membership.conversation_id,
        "principal_id": membership.principal_id,
    }


def _move_all(membership: Membership, target: int, *, back: bool) -> bool:
    """Move the conversation's marker; it takes the marks with it that it passes, and all on the way back."""
    before = membership.last_read_sequence
    marks = ReadMark.objects.filter(**_own(membership))
    if target < before and not back:
        return False
    dropped, _ = (marks if back else marks.filter(sequence__lte=target)).delete()
    membership.last_read_sequence = target
    membership.save(update_fields=["last_read_sequence"])
    return target != before or bool(dropped)


def _move_place(membership: Membership, place: UUID, target: int) -> bool:
    """Set the mark of a place that was read further than the conversation."""
    _require_place(membership, place)
    own = _own(membership)
    known = ReadMark.objects.filter(**own, place=place).values_list("sequence", flat=True).first() or 0
    if target <= max(known, membership.last_read_sequence):
        return False
    ReadMark.objects.update_or_create(**own, place=place, defaults={"sequence": target})
    return True


def _move_back(membership: Membership, place: UUID, target: int) -> bool:
    """Make a topic unread from a number on: the marker goes back, and marks keep what was read in other topics."""
    own, before = _own(membership), membership.last_read_sequence
    topic = Q(topic=None) if place == membership.conversation_id else Q(topic_id=place)
    inside = Message.objects.filter(topic, conversation_id=membership.conversation_id)
    marks = ReadMark.objects.filter(**own, sequence__gt=target)
    dropped = marks.filter(Q(place=place) | Q(place__in=inside.values("pk"))).delete()[0]
    if target >= before:
        if dropped and target > before:
            ReadMark.objects.create(**own, place=place, sequence=target)
        return bool(dropped)
    with connection.cursor() as cursor:
        cursor.execute(_READ_TOPICS, [membership.organization_id, membership.conversation_id, target, before])
        topics = {topic for (topic,) in cursor.fetchall()} - {place}
    ahead = set(ReadMark.objects.filter(**own, place__in=topics).values_list("place", flat=True))
    ReadMark.objects.bulk_create(
        [ReadMark(id=uuid7(), **own, place=topic, sequence=before) for topic in sorted(topics - ahead)]
    )
    membership.last_read_sequence = target
    membership.save(update_fields=["last_read_sequence"])
    return True


def _require_place(membership: Membership, place: UUID) -> None:
    conversation_id = membership.conversation_id
    if (
        place != conversation_id
        and not Topic.objects.filter(pk=place, conversation_id=conversation_id).exists()
        and not Message.objects.filter(pk=place, conversation_id=conversation_id, thread_id=None).exists()
    ):
        raise ConversationNotFound


def _tell(
    principal: Principal, membership: Membership, *, place: UUID | None, sequence: int, back: bool
) -> None:
    """Record the move with the counts after it; where places were read until nothing is left, the marker follows."""
    counted = unread.counts_in(**_own(membership))
    assert counted is not None  # noqa: S101 - the membership is locked
    is_settled = place is not None and not back and not counted.unread and not counted.mentions
    if is_settled and not unread.topics_in(principal, membership.conversation_id):
        _move_all(membership, counted.up_to, back=False)
    log.record(
        events.ReadMoved(
            organization_id=principal.organization_id,
            stream_id=principal.member_id,
            actor_id=principal.id,
            conversation=membership.conversation_id,
            last_read_sequence=membership.last_read_sequence,
            place=place,
            place_sequence=sequence if place is not None else 0,
            back=back,
            counted_to=counted.up_to,
            unread=counted.unread,
            counted=counted.counted,
            mentions=counted.mentions,
        )
    )
