"""Pages of messages, threads and single messages, as their readers may see them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

import orjson
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from apps.accounts.selectors import people as people_selectors
from apps.accounts.selectors.scopes import visible_content, visible_scope_clause
from apps.accounts.types import Principal
from apps.chat.errors import ConversationNotFound, MessageNotFound
from apps.chat.models import Mention, Message, MessageRevision, ReadMark
from apps.chat.selectors.around import around_of
from apps.chat.selectors.conversations import ref
from apps.chat.types import (
    Card,
    ConversationView,
    MessagePage,
    MessageView,
    PersonRef,
    Priority,
)
from apps.core.database import planned

Row = dict[str, Any]  # a JSON object of the database
Place = Literal["first_unread", "newest", "oldest"]
Anchor = UUID | datetime | Place
MOST = 200
_OLDEST, _NEWEST = 0, 1 << 62  # no message has the number of either end
# A page is read more often than anything else here, and building its statements anew costs more than running them.
_STANDING = """
SELECT greatest(m.last_read_sequence, (SELECT r.sequence FROM chat_readmark r
  WHERE r.organization_id = %(organization)s AND r.principal_id = %(me)s AND r.conversation_id = c.id
    AND r.place = %(place)s)), coalesce(s.last_sequence, 0)
FROM chat_conversation c
LEFT JOIN chat_membership m ON m.organization_id = c.organization_id AND m.conversation_id = c.id
  AND m.principal_id = %(me)s AND m.left_at IS NULL
LEFT JOIN core_stream s ON s.id = c.id
WHERE c.organization_id = %(organization)s AND c.id = %(conversation)s AND {visible}
""".format
_FIRST_UNREAD = """
SELECT m.id, m.sequence FROM chat_message m
WHERE {where} AND m.sequence > %(marker)s AND m.deleted_at IS NULL AND NOT m.is_history AND m.sender_id <> %(me)s
  AND NOT EXISTS (SELECT FROM chat_readmark r WHERE r.organization_id = %(organization)s
    AND r.principal_id = %(me)s AND r.conversation_id = m.conversation_id AND r.sequence >= m.sequence
    AND r.place = coalesce(m.topic_id, m.conversation_id))
ORDER BY m.sequence LIMIT 1
""".format
# Between two numbers, because the planner takes a conversation that has grown since it last looked for a few rows, and
# would read and sort all of it.
_WINDOW = """
(SELECT {columns} FROM chat_message m WHERE {where} AND m.sequence < %(pivot)s AND m.sequence >= %(low)s
  ORDER BY m.sequence DESC LIMIT %(before)s)
UNION ALL
(SELECT {columns} FROM chat_message m WHERE {where} AND m.sequence >= %(pivot)s AND m.sequence < %(high)s
  ORDER BY m.sequence LIMIT %(after)s)
ORDER BY sequence
""".format
_REACH = 16  # numbers looked through for each message that is wanted; the others are replies and reactions


class _Stored(NamedTuple):
    """A row of a page; the names are the columns."""

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


_COLUMNS = ", ".join(f"m.{name}" for name in _Stored._fields)


def visible_messages(principal: Principal) -> QuerySet[Message]:
    """Messages the principal may read now: a seat in the scope, and sent after `visible_from` if the seat has one."""
    return Message.objects.filter(
        visible_content(principal, scope="scope_id", time="sent_at"),
        organization_id=principal.organization_id,
    )


def sees_thread(principal: Principal, message_id: UUID) -> bool:
    """Return whether the principal sees a message that is no reply itself. One query."""
    return visible_messages(principal).filter(pk=message_id, thread_id=None).exists()


def message_page(
    *,
    principal: Principal,
    conversation_id: UUID,
    anchor: Anchor = "first_unread",
    before: int = 30,
    after: int = 30,
    thread: UUID | None = None,
    topic: UUID | None = None,
    known: ConversationView | None = None,
) -> MessagePage:
    """Return messages around an anchor, oldest first; replies are left out unless `thread` names theirs.

    Args:
        topic: only messages of this topic; the conversation's own id is its general topic.
        anchor: a message, a time, or a named place; the anchor itself is in the page.
        before, after: how many on each side, together at most 200.
        known: the conversation, where the caller has just got it; it is not looked up again.

    Raises:
        ConversationNotFound, MessageNotFound: the anchor or the thread is not in this conversation.

    Cost, whatever the number of messages: 4 queries, 5 with something unread or anchored at a message or a time; one
    less where the conversation is known.
    """
    if known is None or topic is not None:
        marker, head = _standing(principal, conversation_id, topic)
    else:
        marker, head = _known_standing(known)
    before, after = max(0, min(before, MOST)), max(0, min(after, MOST))
    where, named = _readable(principal, conversation_id, thread, topic)
    has_news = thread is None and marker is not None and marker < head
    first_unread = _first_unread(where, named | {"marker": marker}) if has_news else None
    if isinstance(anchor, str):
        pivot = _pivot_at(anchor, first_unread)
    else:
        rows = visible_messages(principal).filter(conversation_id=conversation_id, thread_id=thread)
        if topic is not None:
            rows = rows.filter(Q(topic=None) if topic == conversation_id else Q(topic_id=topic))
        pivot = _pivot_of(rows, anchor)
    head_of_all = head if thread is None and topic is None else None
    found = _window(where, named, pivot=pivot, before=before + 1, after=after + 1, head=head_of_all)
    older = [row for row in found if row.sequence < pivot]
    newer = found[len(older) :]
    window = [*older[max(0, len(older) - before) :], *newer[:after]]
    return MessagePage(
        messages=tuple(_views(window)),
        anchor=anchor if isinstance(anchor, UUID) else None,
        found_oldest=len(older) <= before,
        found_newest=len(newer) <= after,
        first_unread=first_unread[0] if first_unread else None,
        last_sequence=head,
    )


def thread_page(
    *, principal: Principal, message_id: UUID, limit: int = MOST
) -> tuple[MessageView, list[MessageView]]:
    """Return a message and the newest replies to it, oldest first.

    Raises:
        MessageNotFound.
    """
    root = visible_messages(principal).filter(pk=message_id, thread_id=None).first()
    if root is None:
        raise MessageNotFound
    replies = visible_messages(principal).filter(thread_id=message_id).order_by("-sequence")[:limit]
    views = _views([root, *reversed(replies)])
    return views[0], views[1:]


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


def views_for(rows: Iterable[Message]) -> list[MessageView]:
    """Return rows of this app as views; the caller selected only visible ones."""
    return _views(list(rows))


def _standing(
    principal: Principal, conversation_id: UUID, place: UUID | None = None
) -> tuple[int | None, int]:
    """Return how far the principal has read there (None without a membership), and the last sequence. One query.

    Raises:
        ConversationNotFound: missing, or not visible.
    """
    visible = visible_scope_clause(principal, scope="c.scope_id")
    named = {
        "me": principal.id, "organization": principal.organization_id, "conversation": conversation_id,
        "place": place,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_STANDING(visible=visible.sql), {**visible.params, **named})
        found: tuple[int | None, int] | None = cursor.fetchone()
    if found is None:
        raise ConversationNotFound
    return found


def _known_standing(known: ConversationView) -> tuple[int | None, int]:
    """Return the same from a conversation; what has nothing unread is read to its end."""
    head = known.last_sequence
    return (known.last_read_sequence if known.unread else head) if known.is_member else None, head


def _readable(
    principal: Principal, conversation_id: UUID, thread: UUID | None, topic: UUID | None
) -> tuple[str, Row]:
    """Return `visible_messages` of a conversation, or of a thread or topic in it, as SQL and its parameters."""
    visible = visible_scope_clause(principal, scope="m.scope_id", time="m.sent_at")
    where = (
        "m.organization_id = %(organization)s AND m.conversation_id = %(conversation)s "
        f"AND m.thread_id {'IS NULL' if thread is None else '= %(thread)s'} AND {visible.sql}"
    )
    if topic is not None:
        where += " AND m.topic_id " + ("IS NULL" if topic == conversation_id else "= %(topic)s")
    named = {
        "me": principal.id, "organization": principal.organization_id, "conversation": conversation_id,
        "thread": thread, "topic": topic,
    }  # fmt: skip
    return where, {**visible.params, **named}


def _first_unread(where: str, named: Row) -> tuple[UUID, int] | None:
    """Return id and sequence of the first message of others after `marker`. One query."""
    with connection.cursor() as cursor:
        planned.execute(cursor, _FIRST_UNREAD(where=where), named)
        found: tuple[UUID, int] | None = cursor.fetchone()
    return found


def _window(
    where: str, named: Row, *, pivot: int, before: int, after: int, head: int | None
) -> list[_Stored]:
    """Return the rows on both sides of `pivot`, oldest first. One query, two where messages are far apart.

    Args:
        head: the last number of the conversation; None for a thread or a topic, whose numbers are far apart.
    """
    named = named | {"pivot": pivot, "before": before, "after": after}
    if head is not None:
        near = min(pivot, head + 1)
        low, high = max(_OLDEST, near - _REACH * before), near + _REACH * after
        rows = _rows(planned.execute, where, named | {"low": low, "high": high})
        older = sum(row.sequence < pivot for row in rows)
        if (older >= before or low == _OLDEST) and (len(rows) - older >= after or high > head):
            return rows
    return _rows(CursorWrapper.execute, where, named | {"low": _OLDEST, "high": _NEWEST})


def _rows(execute: Callable[[CursorWrapper, str, Row], object], where: str, named: Row) -> list[_Stored]:
    """Return the rows; a plan is only kept where both numbers bound what it can cost."""
    with connection.cursor() as cursor:
        execute(cursor, _WINDOW(columns=_COLUMNS, where=where), named)
        rows = [_Stored(*row) for row in cursor.fetchall()]
    return [row._replace(card=orjson.loads(row.card)) if row.card else row for row in rows]  # type: ignore[arg-type]  # its text


def _pivot_at(place: Place, first_unread: tuple[UUID, int] | None) -> int:
    """Return the sequence the page turns around; the message with it belongs to the newer half."""
    if place == "oldest":
        return _OLDEST
    return first_unread[1] if place == "first_unread" and first_unread else _NEWEST


def _pivot_of(rows: QuerySet[Message], anchor: UUID | datetime) -> int:
    """Return the same for a message, or for the first one from a time on. One query."""
    if isinstance(anchor, UUID):
        sequence = rows.filter(pk=anchor).values_list("sequence", flat=True).first()
        if sequence is None:
            raise MessageNotFound
        return sequence
    sequence = (
        rows.filter(sent_at__gte=anchor).order_by("sequence").values_list("sequence", flat=True).first()
    )
    return sequence if sequence is not None else _NEWEST


def _views(rows: Sequence[Message | _Stored]) -> list[MessageView]:
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
