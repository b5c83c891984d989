"""Erase what a person wrote: its messages become empty places of nobody in particular, mentions of it lose the name.

Everything goes through the rows and events that any other change goes through, many at a time: one event tells of
all messages of a conversation in a batch, so that a hundred thousand take seconds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from apps.accounts.selectors import people as people_selectors
from apps.chat import events
from apps.chat.models import (
    Attachment,
    Conversation,
    DeletedMessage,
    Draft,
    Membership,
    Mention,
    Message,
    MessageRevision,
    Poll,
    Reaction,
    ReadMark,
    Report,
    RetentionRule,
    Status,
    Topic,
    TopicPreference,
)
from apps.chat.selectors.conversations import ref
from apps.chat.selectors.personal import descriptions_by
from apps.chat.services.conversations import announce_change
from apps.chat.services.forgetting import ALL_BUT_FILES, forget_logs
from apps.chat.services.members import end_all_memberships
from apps.chat.services.standing import lock_streams
from apps.chat.types import ReportState
from apps.core.data_subjects import Batch, Person, forget_mentions
from apps.core.database import arrays
from apps.core.events import log
from apps.core.services.erasing import blank_events
from apps.files.services import access as file_access

BATCH = 4000  # conversations lie mixed in the table: each batch reads most of its pages, whatever its size
_AT_ONCE = 1000  # their ids are one event, and that is one frame of 40 kB
_SMALL_BATCH = 200  # where each row has an event of its own
# From where the last batch ended: looked for from the start, each batch would pass all that were emptied before.
_NEXT = """
SELECT id, conversation_id, scope_id, sequence FROM chat_message
WHERE organization_id = %s AND sender_id = %s AND (conversation_id, sequence) > (%s, %s)
ORDER BY conversation_id, sequence LIMIT %s FOR NO KEY UPDATE
"""
_BEFORE_ALL = (UUID(int=0), 0)
# The sender changes last in the row's life: what still names the person is what is left to do.
_EMPTY = """
UPDATE chat_message SET body = '', html = '', mentions = '{}', card = NULL, version = version + 1,
  client_key = id::text, deleted_at = coalesce(deleted_at, %s),
  hidden_at = NULL, sender_id = coalesce(%s, sender_id)
WHERE organization_id = %s AND id = ANY (%s::uuid[])
"""

_FORGET = tuple(
    f"DELETE FROM {table} WHERE organization_id = %s AND message_id = ANY (%s::uuid[])"  # noqa: S608 - names of our own
    for table in (
        "chat_deletedmessage", "chat_forward", "chat_messagepreview", "chat_messagerevision", "chat_mention",
    )
)  # fmt: skip


def erase_messages_of(person: Person, cursor: Any) -> Batch:
    """Empty the next messages of the person and put the placeholder in its place; `cursor` is the last one's place."""
    with connection.cursor() as database:
        database.execute(_NEXT, [person.organization_id, person.id, *(cursor or _BEFORE_ALL), BATCH])
        found = database.fetchall()
    if not found:
        return Batch(0)
    _empty(person.organization_id, [row[:3] for row in found], new_sender=person.placeholder_id)
    *_, (_, conversation_id, _, sequence) = found
    return Batch(len(found), (conversation_id, sequence))


def erase_messages(*, organization_id: UUID, message_ids: Collection[UUID]) -> int:
    """Empty messages whatever their sender, and what the event log kept of them; return how many.

    For apps that own what the messages say. The caller holds a transaction and has decided about rights.
    """
    messages = Message.objects.filter(organization_id=organization_id, pk__in=list(message_ids))
    lock_streams(*messages.order_by().values_list("conversation_id", flat=True).distinct())
    rows = list(messages.order_by("conversation_id", "sequence").select_for_update(no_key=True))
    if rows:
        _empty(
            organization_id, [(row.pk, row.conversation_id, row.scope_id) for row in rows], new_sender=None
        )
        by_stream: dict[UUID, list[Message]] = defaultdict(list)
        for row in rows:
            by_stream[row.conversation_id].append(row)
        for of_one in by_stream.values():
            forget_logs(of_one)
    return len(rows)


def erase_mentions_of(person: Person, cursor: Any) -> Batch:
    """Take the person's name out of the next messages of others that mention it, and out of their old texts."""
    after = cursor or UUID(int=0)
    rows = list(
        Message.objects.filter(organization_id=person.organization_id, pk__gt=after)
        .filter(Q(mentions__contains=[person.id]) | Q(html__contains=str(person.id)))
        .order_by("pk")
        .select_for_update(no_key=True)[:_SMALL_BATCH]
    )
    for row in rows:
        _forget_mention(row, person)
    if len(rows) == _SMALL_BATCH:
        return Batch(len(rows), rows[-1].pk)
    Mention.objects.filter(organization_id=person.organization_id, principal_id=person.id).delete()
    # What is deleted and names the person cannot be brought back any more.
    DeletedMessage.objects.filter(organization_id=person.organization_id).filter(
        Q(body__icontains=f"@**{person.name}")
        | Q(body__icontains=f"@{person.name}")
        | Q(body__contains=str(person.id))
    ).delete()
    for revision in MessageRevision.objects.filter(
        organization_id=person.organization_id, html__contains=str(person.id)
    ).select_for_update(no_key=True):
        revision.body, revision.html = (
            forget_mentions(revision.body, person),
            forget_mentions(revision.html, person),
        )
        revision.save(update_fields=["body", "html"])
    return Batch(len(rows))


def erase_reactions_of(person: Person, _cursor: Any) -> Batch:
    """Take the next reactions of the person back."""
    rows = list(
        Reaction.objects.filter(organization_id=person.organization_id, principal_id=person.id)
        .select_related("message")
        .order_by("pk")[:_SMALL_BATCH]
    )
    Reaction.objects.filter(pk__in=[row.pk for row in rows]).delete()
    for row in rows:
        log.record(
            events.ReactionRemoved(
                organization_id=row.organization_id,
                stream_id=row.message.conversation_id,
                scope_id=row.message.scope_id,
                actor_id=person.id,
                message_id=row.message_id,
                emoji=row.emoji,
                principal_id=person.id,
            )
        )
    return Batch(len(rows), "more" if rows else None)


def erase_memberships_of(person: Person, _cursor: Any) -> Batch:
    """End the person's memberships, tell the others, and forget that it was there."""
    end_all_memberships(person_id=person.id)
    for wishes in (TopicPreference, ReadMark):
        wishes.objects.filter(organization_id=person.organization_id, principal_id=person.id).delete()
    own = Membership.objects.filter(organization_id=person.organization_id, principal_id=person.id)
    # Nobody opens a direct conversation with the person again, and the hash of its people names it.
    Conversation.objects.filter(
        organization_id=person.organization_id, pk__in=own.values("conversation_id")
    ).exclude(people_key="").update(people_key="")
    return Batch(own.delete()[0])


def erase_statuses_of(person: Person, _cursor: Any) -> Batch:
    """Delete the person's status."""
    return Batch(
        Status.objects.filter(organization_id=person.organization_id, principal_id=person.id).delete()[0]
    )


def erase_drafts_of(person: Person, _cursor: Any) -> Batch:
    """Delete the person's drafts."""
    return Batch(
        Draft.objects.filter(organization_id=person.organization_id, principal_id=person.id).delete()[0]
    )


def erase_reports_of(person: Person, _cursor: Any) -> Batch:
    """Delete the reports the person made; where it decided or set a rule, the placeholder stands.

    One that waits for a decision about a hidden message stays, without note and name: else nobody could decide.
    """
    here = {"organization_id": person.organization_id}
    Report.objects.filter(decided_by_id=person.id, **here).update(decided_by_id=person.placeholder_id)
    RetentionRule.objects.filter(set_by_id=person.id, **here).update(set_by_id=person.placeholder_id)
    own = Report.objects.filter(reporter_id=person.id, **here)
    waiting = own.filter(state=ReportState.OPEN).exclude(message__hidden_at=None)
    kept = waiting.update(reporter_id=None, note="")
    return Batch(kept + own.delete()[0])


def erase_traces_in_conversations(person: Person, _cursor: Any) -> Batch:
    """Empty the descriptions the person wrote, rename channels nobody else ever joined, and forget who made them."""
    descriptions = descriptions_by(person)
    for conversation in Conversation.objects.filter(pk__in=descriptions).select_for_update(no_key=True):
        conversation.description = ""
        conversation.save(update_fields=["description"])
        announce_change(conversation, actor_id=None)
    made = Conversation.objects.filter(organization_id=person.organization_id, created_by_id=person.id)
    for conversation in made.filter(kind="channel").select_for_update(no_key=True):
        if (
            not Membership.objects.filter(conversation_id=conversation.pk)
            .exclude(principal_id=person.id)
            .exists()
        ):
            conversation.name = f"erased-{conversation.pk.hex[-12:]}"
            conversation.save(update_fields=["name"])
            _forget_names(conversation)
            announce_change(conversation, actor_id=None)
    topics = _erase_topics(person)
    return Batch(made.update(created_by_id=person.placeholder_id) + len(descriptions) + topics)


def _erase_topics(person: Person) -> int:
    """Rename topics nobody else ever wrote in, and forget who began and who resolved them."""
    rows = Topic.objects.filter(organization_id=person.organization_id)
    begun = rows.filter(created_by_id=person.id)
    for topic in begun.select_related("conversation"):
        others = Message.objects.filter(topic_id=topic.pk).exclude(
            sender_id__in=[person.id, person.placeholder_id]
        )
        if others.exists():
            continue
        topic.name = f"erased-{topic.pk.hex[-12:]}"
        topic.save(update_fields=["name"])
        log.record(
            events.TopicChanged(
                organization_id=topic.organization_id,
                stream_id=topic.conversation_id,
                scope_id=topic.conversation.scope_id,
                topic_id=topic.pk,
                name=topic.name,
                resolved_at=topic.resolved_at,
            )
        )
    rows.filter(resolved_by_id=person.id).update(resolved_by_id=person.placeholder_id)
    return begun.update(created_by_id=person.placeholder_id)


def _empty(
    organization_id: UUID, rows: Sequence[tuple[UUID, UUID, UUID]], *, new_sender: UUID | None
) -> None:
    now, ids = timezone.now(), [pk for pk, _, _ in rows]
    these = arrays.written(ids)
    # before the messages, like who moves them
    lock_streams(*{conversation_id for _, conversation_id, _ in rows})
    with connection.cursor() as cursor:
        cursor.execute(_EMPTY, [now, new_sender, organization_id, these])
        for forget in _FORGET:
            cursor.execute(forget, [organization_id, these])
    polls = _of_messages("chat_poll", organization_id, these)
    if polls:
        Poll.objects.filter(organization_id=organization_id, pk__in=polls).delete()
    _drop_files(organization_id, these)
    _tell_erased(organization_id, rows, now, new_sender)


def end_files(*, organization_id: UUID, rows: Sequence[tuple[UUID, UUID, UUID]]) -> None:
    """Take the files of messages away, as (message, conversation, scope), and tell it; the caller's transaction.

    The names of the files go from the log, too.
    """
    now, places = timezone.now(), defaultdict[tuple[UUID, UUID], list[UUID]](list)
    for pk, conversation_id, scope_id in rows:
        places[conversation_id, scope_id].append(pk)
    lock_streams(*{conversation_id for conversation_id, _ in places})
    for (conversation_id, scope_id), ids in places.items():
        messages = list(
            Message.objects.select_for_update(no_key=True)
            .filter(organization_id=organization_id, pk__in=ids, deleted_at=None)
            .order_by("sequence")
        )
        if not messages:
            continue
        found = [message.pk for message in messages]
        Message.objects.filter(pk__in=found).update(files_ended_at=now, version=F("version") + 1)
        _drop_files(organization_id, arrays.written(found))
        forget_logs(messages, but=ALL_BUT_FILES)
        log.record(
            events.FilesEnded(
                organization_id=organization_id,
                stream_id=conversation_id,
                scope_id=scope_id,
                message_ids=tuple(found),
                ended_at=now,
            )
        )


def _of_messages(table: str, organization_id: UUID, ids: str) -> list[Any]:
    """Return the keys of rows that belong to messages, of which the ids are written as one value."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM {table} WHERE organization_id = %s AND message_id = ANY (%s::uuid[])",  # noqa: S608 - constants
            [organization_id, ids],
        )
        return [found for (found,) in cursor.fetchall()]


def _drop_files(organization_id: UUID, ids: str) -> None:
    """Take the files of messages away; an audience loses those that no other message of it carries."""
    carried = Attachment.objects.filter(
        organization_id=organization_id, pk__in=_of_messages("chat_attachment", organization_id, ids)
    )
    by_scope: dict[UUID, set[UUID]] = defaultdict(set)
    for scope_id, file_id in carried.values_list("message__scope_id", "file_id"):
        by_scope[scope_id].add(file_id)
    if by_scope:
        carried.delete()
    for scope_id, file_ids in by_scope.items():
        elsewhere = Attachment.objects.filter(file_id__in=file_ids, message__scope_id=scope_id)
        lost = file_ids - set(elsewhere.values_list("file_id", flat=True))
        file_access.release(file_ids=lost, scope_id=scope_id)


def _tell_erased(
    organization_id: UUID, rows: Iterable[tuple[UUID, UUID, UUID]], now: datetime, new_sender: UUID | None
) -> None:
    places: dict[tuple[UUID, UUID], list[UUID]] = defaultdict(list)
    for pk, conversation_id, scope_id in rows:
        places[conversation_id, scope_id].append(pk)
    shown = people_selectors.people([new_sender]).get(new_sender) if new_sender else None
    person = orjson.loads(orjson.dumps(ref(shown))) if shown else None
    told = [
        (place, ids[start : start + _AT_ONCE])
        for place, ids in places.items()
        for start in range(0, len(ids), _AT_ONCE)
    ]
    for (conversation_id, scope_id), ids in told:
        log.record(
            events.MessagesErased(
                organization_id=organization_id,
                stream_id=conversation_id,
                scope_id=scope_id,
                message_ids=tuple(ids),
                person=person,
                deleted_at=now,
            )
        )


def _forget_mention(message: Message, person: Person) -> None:
    body, html = forget_mentions(message.body, person), forget_mentions(message.html, person)
    Mention.objects.filter(message_id=message.pk, principal_id=person.id).delete()
    message.body, message.html = body, html
    message.mentions = [one for one in message.mentions if one != person.id]
    message.version, message.edited_at = message.version + 1, message.edited_at or timezone.now()
    message.save(update_fields=["body", "html", "mentions", "version", "edited_at"])
    if message.deleted_at is None:
        log.record(
            events.MessageEdited(
                organization_id=message.organization_id,
                stream_id=message.conversation_id,
                scope_id=message.scope_id,
                message_id=message.pk,
                version=message.version,
                body=body,
                html=html,
                mentions=tuple(message.mentions),
                edited_at=message.edited_at,
            )
        )


def _forget_names(conversation: Conversation) -> None:
    """Nobody else knew a channel's name: take it out of the log too."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT sequence FROM core_event WHERE organization_id = %s AND stream_id = %s "
            "AND type IN ('conversation.created', 'conversation.updated')",
            [conversation.organization_id, conversation.pk],
        )
        sequences = [sequence for (sequence,) in cursor.fetchall()]
    blank_events(
        organization_id=conversation.organization_id,
        stream_id=conversation.pk,
        sequences=sequences,
        also=("name",),
    )
