"""Threads and single messages, as their readers may see them; pages are in `pages`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from apps.accounts.selectors import people as people_selectors
from apps.accounts.selectors.scopes import visible_content
from apps.accounts.types import Principal
from apps.chat.errors import MessageNotFound
from apps.chat.models import Mention, Message, MessageRevision, ReadMark
from apps.chat.selectors.around import around_of
from apps.chat.selectors.conversations import ref
from apps.chat.types import Card, MessageView, PersonRef, Priority

Row = dict[str, Any]  # a JSON object of the database
MOST = 200  # messages of a page


class Stored(NamedTuple):
    """A row of a page of messages; the names are the columns."""

    id: UUID
    conversation_id: UUID
    sequence: int
    sender_id: UUID
    body: str
    html: str
    sent_at: datetime
    version: int
    edited_at: datetime | None
    deleted_at: datetime | None
    hidden_at: datetime | None
    files_ended_at: datetime | None
    thread_id: UUID | None
    client_key: str
    mentions: list[UUID]
    card: Row | None
    priority: Priority
    pinned_at: datetime | None


def visible_messages(principal: Principal) -> QuerySet[Message]:
    """Messages the principal may read now: a seat in the scope, and sent after `visible_from` if the seat has one."""
    return Message.objects.filter(
        visible_content(principal, scope="scope_id", time="sent_at"),
        organization_id=principal.organization_id,
    )


def sees_thread(principal: Principal, message_id: UUID) -> bool:
    """Return whether the principal sees a message that is no reply itself. One query."""
    return visible_messages(principal).filter(pk=message_id, thread_id=None).exists()


def get_message(principal: Principal, message_id: UUID) -> MessageView:
    """Return one visible message.

    Raises:
        MessageNotFound.
    """
    return get_messages(principal, [message_id])[0]


def get_messages(principal: Principal, message_ids: list[UUID]) -> list[MessageView]:
    """Return visible messages in the asked order.

    Raises:
        MessageNotFound: one of them is missing or not visible.
    """
    found = {row.pk: row for row in visible_messages(principal).filter(pk__in=message_ids)}
    if any(pk not in found for pk in message_ids):
        raise MessageNotFound
    return _views([found[pk] for pk in message_ids])


def revisions(principal: Principal, message_id: UUID) -> list[tuple[int, str, datetime]]:
    """Return (version, body, replaced at) of a visible message's older texts, newest first.

    Raises:
        MessageNotFound.
    """
    if not visible_messages(principal).filter(pk=message_id, deleted_at=None).exists():
        raise MessageNotFound
    rows = MessageRevision.objects.filter(message_id=message_id).order_by("-version")
    return list(rows.values_list("version", "body", "created_at"))


def mentions_of(principal: Principal, *, limit: int = 50) -> list[MessageView]:
    """Return the newest messages that mention the principal and are visible to it."""
    ids = list(
        Mention.objects.filter(organization_id=principal.organization_id, principal_id=principal.id)
        .order_by("-id")
        .values_list("message_id", flat=True)[:limit]
    )
    found = {row.pk: row for row in visible_messages(principal).filter(pk__in=ids, deleted_at=None)}
    return _views([found[pk] for pk in ids if pk in found])


def find_unread_reply_to(
    principal: Principal, *, conversation_id: UUID, after: int
) -> tuple[UUID, int] | None:
    """Return (thread, sequence) of the first reply after a sequence that mentions the principal. One query.

    The window of a conversation does not show replies, so reading it must not settle this one.
    """
    mentioned = Mention.objects.filter(
        organization_id=principal.organization_id, principal_id=principal.id, conversation_id=conversation_id
    )
    rows = visible_messages(principal).filter(
        pk__in=mentioned.values("message_id"), conversation_id=conversation_id, sequence__gt=after
    )
    read = ReadMark.objects.filter(
        Q(place=OuterRef("thread_id")) | Q(place=Coalesce(OuterRef("topic_id"), OuterRef("conversation_id"))),
        organization_id=principal.organization_id,
        principal_id=principal.id,
        conversation_id=conversation_id,
        sequence__gte=OuterRef("sequence"),
    )
    rows = rows.exclude(thread_id=None).exclude(Exists(read))
    found = rows.order_by("sequence").values_list("thread_id", "sequence").first()
    return (found[0], found[1]) if found and found[0] else None


def views_for(rows: Iterable[Message | Stored]) -> list[MessageView]:
    """Return rows of this app as views; the caller selected only visible ones."""
    return _views(list(rows))


def _views(rows: Sequence[Message | Stored]) -> list[MessageView]:
    """Return views with senders, reactions, files and thread counts: two queries for any number of rows."""
    if not rows:
        return []
    ids = [row.id for row in rows]
    people = {
        pk: ref(person) for pk, person in people_selectors.people({row.sender_id for row in rows}).items()
    }
    around = around_of(ids)
    return [
        MessageView(
            id=row.id,
            conversation=row.conversation_id,
            sequence=row.sequence,
            sender=people.get(row.sender_id) or _gone(row.sender_id),
            body=row.body,
            html=row.html,
            sent_at=row.sent_at,
            version=row.version,
            edited_at=row.edited_at,
            deleted_at=row.deleted_at,
            hidden_at=row.hidden_at,
            files_ended_at=row.files_ended_at,
            thread=row.thread_id,
            topic=around[row.id].topic,
            client_key=row.client_key,
            mentions=tuple(row.mentions),
            attachments=around[row.id].attachments,
            reactions=around[row.id].reactions,
            replies=around[row.id].replies,
            card=Card(**row.card) if row.card else None,
            priority=row.priority,  # type: ignore[arg-type]  # one of the choices
            pinned_at=row.pinned_at,
            acknowledged=around[row.id].acknowledged,
            previews=around[row.id].previews,
        )
        for row in rows
    ]


def _gone(principal_id: UUID) -> PersonRef:
    """A sender without a seat in the organization any more."""
    return PersonRef(principal_id, "?", "person", "?", principal_id.int % 6 + 1)
