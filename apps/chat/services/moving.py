"""Move messages to another topic, or to another channel; merging topics is moving all of one.

A reply stands where the message stands that it answers. Inside a channel messages keep their numbers. In another one
each is told by an event of its own, whose number it takes, so the order there stays that of the events.
"""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Literal
from uuid import UUID

import orjson
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.accounts.services import access, trail
from apps.accounts.types import Principal
from apps.chat import actions, events
from apps.chat.errors import (
    AnnouncersOnly,
    ConversationArchived,
    MessageNotFound,
    NothingToMove,
    NotYoursToMove,
    ReplyMovesWithThread,
    TooManyMoved,
    TopicNotFound,
)
from apps.chat.models import Attachment, Conversation, Membership, Mention, Message, ReadMark, Topic
from apps.chat.selectors.messages import views_for, visible_messages
from apps.chat.selectors.topics import find_by_name
from apps.chat.services import notifying
from apps.chat.services.composing import clean_topic_or_general
from apps.chat.services.standing import (
    lock_streams,
    lock_visible,
    may_announce,
    require_channel,
    require_member,
)
from apps.chat.services.topics import OWN_DAYS, lock_topic, may_moderate, redirect_unsent
from apps.core.events import log
from apps.core.models import Stream
from apps.files.services import access as file_access

Span = Literal["message", "later", "topic"]
MOST_MOVED = 200  # to another channel at once: each has an event and a new number
_RETOPIC = """
WITH roots AS (
  UPDATE chat_message x SET topic_id = %(target)s WHERE x.organization_id = %(organization)s AND x.id = ANY(%(ids)s)
  RETURNING x.id
) UPDATE chat_message x SET topic_id = %(target)s FROM roots
WHERE x.organization_id = %(organization)s AND x.thread_id = roots.id
"""


def move_messages(
    *,
    principal: Principal,
    message_id: UUID,
    span: Span = "message",
    topic: str = "",
    conversation_id: UUID | None = None,
) -> int:
    """Move a message, all of its topic from there on, or all of its topic; return how many moved, replies aside.

    One's own messages for some days; moderators everything, with a line in the trail.

    Args:
        topic: name of the target, made where there is none; empty is the general topic.
        conversation_id: another channel the principal may post in; None is the same.

    Raises:
        PermissionMissing, MessageNotFound, NotAChannel, NotAMember, ConversationArchived, ConversationNotFound,
        AnnouncersOnly, ReplyMovesWithThread, TopicNameInvalid, NotYoursToMove, NothingToMove, TooManyMoved.
    """
    access.require(principal, "message.send")
    name = clean_topic_or_general(topic)
    with transaction.atomic():
        message = visible_messages(principal).filter(pk=message_id).first()
        if message is None:
            raise MessageNotFound
        source, target = _lock_both(principal, message.conversation_id, conversation_id)
        message.refresh_from_db()
        if message.conversation_id != source.pk:
            raise MessageNotFound
        if message.thread_id is not None:
            raise ReplyMovesWithThread
        chosen = _chosen(message, span)
        _require_own_or_moderator(principal, source, chosen)
        moved = list(chosen.order_by("sequence").values_list("pk", flat=True))
        if target.pk != source.pk:
            _move_to_channel(principal, source, target, moved, name)
        else:
            since = {"message": None, "later": message.sequence, "topic": 0}[span]
            target_topic = _topic(principal, source, name)
            if (target_topic.pk if target_topic else None) == message.topic_id:
                raise NothingToMove
            _retopic(source, moved, target_topic)
            _tell_moved(principal, source, message, target_topic, since)
        return len(moved)


def merge_topics(*, principal: Principal, topic_id: UUID, into: UUID) -> int:
    """Move all messages of a topic into another of the same channel; the first is gone then. Return how many.

    Raises:
        PermissionMissing, TopicNotFound, NotAMember, ConversationArchived, NotYoursToMove, NothingToMove.
    """
    with transaction.atomic():
        conversation, topic = lock_topic(principal, topic_id)
        target = Topic.objects.filter(pk=into, conversation_id=conversation.pk).first()
        if target is None:
            raise TopicNotFound
        first = Message.objects.filter(topic_id=topic.pk, thread_id=None).order_by("sequence").first()
        if first is None or target.pk == topic.pk:
            raise NothingToMove
        return move_messages(principal=principal, message_id=first.pk, span="topic", topic=target.name)


def _lock_both(
    principal: Principal, source_id: UUID, target_id: UUID | None
) -> tuple[Conversation, Conversation]:
    """Return the channels, locked in the order of their ids; the principal may write in both."""
    ids = sorted({source_id, target_id or source_id})
    locked = {pk: lock_visible(principal, pk) for pk in ids}
    for conversation in locked.values():
        require_channel(conversation)
        require_member(principal, conversation)
        if conversation.archived_at is not None:
            raise ConversationArchived
    target = locked[target_id or source_id]
    if target.pk != source_id and not may_announce(principal, target):
        raise AnnouncersOnly
    lock_streams(*ids)
    return locked[source_id], target


def _chosen(message: Message, span: Span) -> QuerySet[Message]:
    rows = Message.objects.filter(
        organization_id=message.organization_id, conversation_id=message.conversation_id, thread_id=None
    )
    if span == "message":
        return rows.filter(pk=message.pk)
    rows = rows.filter(Q(topic=None) if message.topic_id is None else Q(topic_id=message.topic_id))
    return rows if span == "topic" else rows.filter(sequence__gte=message.sequence)


def _require_own_or_moderator(principal: Principal, source: Conversation, chosen: QuerySet[Message]) -> None:
    since = timezone.now() - timedelta(days=OWN_DAYS)
    foreign = chosen.exclude(sender_id=principal.id, sent_at__gt=since)
    if not foreign.exists():
        return
    if not may_moderate(principal, source):
        raise NotYoursToMove(days=OWN_DAYS)
    if chosen.exclude(sender_id=principal.id).exists():
        trail.note(principal, actions.MESSAGES_MOVED, "conversation", source.pk, messages=chosen.count())


def _topic(principal: Principal, conversation: Conversation, name: str) -> Topic | None:
    """Return the topic with this name, made where there is none; None for the general one."""
    if not name:
        return None
    return find_by_name(conversation.pk, name) or Topic.objects.create(
        organization_id=conversation.organization_id,
        conversation_id=conversation.pk,
        name=name,
        created_by_id=principal.id,
    )


def _retopic(conversation: Conversation, moved: list[UUID], target: Topic | None) -> None:
    """Put messages and the replies to them into a topic."""
    named = {
        "organization": conversation.organization_id, "target": target.pk if target else None, "ids": moved,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_RETOPIC, named)


def _tell_moved(
    principal: Principal,
    conversation: Conversation,
    message: Message,
    target: Topic | None,
    since: int | None,
) -> None:
    """Say what stands in another topic now; `since` is None where the message alone moved."""
    gone = _drop_empty(message.topic_id, into=target)
    log.record(
        events.MessagesMoved(
            organization_id=conversation.organization_id,
            stream_id=conversation.pk,
            scope_id=conversation.scope_id,
            actor_id=principal.id,
            message_id=message.pk if since is None else None,
            source=message.topic_id,
            since=message.sequence if since is None else since,
            target={"id": target.pk, "name": target.name} if target else None,
            is_source_gone=bool(gone),
            gone_name=gone,
        )
    )


def _drop_empty(topic_id: UUID | None, *, into: Topic | None) -> str:
    """Delete a topic that has no message any more; return its name where it went.

    Args:
        into: where its last message stands now; what members have not sent yet goes there. None is the general topic,
            also where the messages went to another channel: those texts were not written for its readers.
    """
    if topic_id is None or Message.objects.filter(topic_id=topic_id).exists():
        return ""
    # Who wishes something of it at this moment holds it: that wish is committed, and goes with it.
    topic = Topic.objects.select_for_update().get(pk=topic_id)
    ReadMark.objects.filter(place=topic_id).delete()
    redirect_unsent(topic.conversation_id, topic.name, into.name if into else "")
    topic.delete()
    return topic.name


def _move_to_channel(
    principal: Principal, source: Conversation, target: Conversation, moved: list[UUID], name: str
) -> None:
    rows = list(
        Message.objects.filter(organization_id=source.organization_id, pk__in=moved).union(
            Message.objects.filter(organization_id=source.organization_id, thread_id__in=moved), all=True
        )
    )
    if len(rows) > MOST_MOVED:
        raise TooManyMoved(limit=MOST_MOVED)
    rows.sort(key=lambda row: row.sequence)
    topic, before = _topic(principal, target, name), rows[0].topic_id
    places = tuple(row.sequence for row in rows)
    ReadMark.objects.filter(conversation_id=source.pk, place__in=moved).delete()
    _renumber(rows, target, topic)
    _carry_mentions(rows, target)
    _carry_files(rows, source, target)
    _carry_notifications(rows, target)
    gone = _drop_empty(before, into=None)
    log.record(
        events.MessagesMovedAway(
            organization_id=source.organization_id,
            stream_id=source.pk,
            scope_id=source.scope_id,
            actor_id=principal.id,
            message_ids=tuple(row.pk for row in rows),
            sequences=places,
            topic_gone=before if gone else None,
            gone_name=gone,
        )
    )
    for view in views_for(rows):
        log.record(
            events.MessageMovedIn(
                organization_id=target.organization_id,
                stream_id=target.pk,
                scope_id=target.scope_id,
                actor_id=principal.id,
                # replies are told by themselves
                message=orjson.loads(orjson.dumps(dataclasses.replace(view, replies=None))),
            )
        )


def _renumber(rows: list[Message], target: Conversation, topic: Topic | None) -> None:
    """Give the messages the numbers that their events take; nothing else takes one, the stream is locked."""
    head = Stream.objects.values_list("last_sequence", flat=True).get(pk=target.pk)
    for number, row in enumerate(rows, start=head + 1):
        row.conversation_id, row.scope_id, row.sequence = target.pk, target.scope_id, number
        row.topic_id = topic.pk if topic else None
        row.client_key = row.pk.hex  # a key counts in one conversation only
        row.save(update_fields=["conversation", "scope_id", "sequence", "topic", "client_key"])


def _carry_mentions(rows: list[Message], target: Conversation) -> None:
    """Mentions of the target's members go along; the others are not there to be told."""
    mentions = Mention.objects.filter(message_id__in=[row.pk for row in rows])
    inside = Membership.objects.filter(conversation_id=target.pk, left_at=None)
    mentions.exclude(principal_id__in=inside.values("principal_id")).delete()
    for row in rows:
        mentions.filter(message_id=row.pk).update(conversation_id=target.pk, sequence=row.sequence)


def _carry_notifications(rows: list[Message], target: Conversation) -> None:
    """Reading them where they stand now reads them on the bell."""
    inside = Membership.objects.filter(conversation_id=target.pk, left_at=None)
    notifying.go_along(
        organization_id=target.organization_id,
        conversation_id=target.pk,
        numbers={row.pk: row.sequence for row in rows},
        readers=list(inside.values_list("principal_id", flat=True)),
    )


def _carry_files(rows: list[Message], source: Conversation, target: Conversation) -> None:
    """The new audience opens the files; the old one loses those that no other message of it carries."""
    attached = Attachment.objects.filter(message_id__in=[row.pk for row in rows])
    carried = set(attached.values_list("file_id", flat=True))
    for file_id in sorted(carried):
        file_access.attach(file_id=file_id, scope_id=target.scope_id)
    elsewhere = Attachment.objects.filter(file_id__in=carried, message__scope_id=source.scope_id)
    file_access.release(
        file_ids=carried - set(elsewhere.values_list("file_id", flat=True)), scope_id=source.scope_id
    )
