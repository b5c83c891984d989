"""Pages of messages: a window of a conversation, a thread or a topic around a place, for one reader."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import orjson
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import Q, QuerySet

from apps.accounts.selectors import people
from apps.accounts.selectors.scopes import visible_scope_clause
from apps.accounts.types import Principal
from apps.chat.errors import ConversationNotFound, MessageNotFound
from apps.chat.models import Message
from apps.chat.selectors.messages import MOST, Stored, views_for, visible_messages
from apps.chat.types import ConversationView, MessagePage, MessageView
from apps.core.database import planned

Row = dict[str, Any]
Statement = tuple[str, Row]  # and its parameters
Unread = tuple[UUID, int]  # a message and its sequence
Place = Literal["first_unread", "newest", "oldest"]
Anchor = UUID | datetime | Place
_OLDEST, _NEWEST = 0, 1 << 62  # no message has the number of either end
# A page is read more often than anything else here, and building its statements anew costs more than running them.
_READ = "m.last_read_sequence"
_READ_IN_TOPIC = """greatest(m.last_read_sequence, (SELECT r.sequence FROM chat_readmark r
  WHERE r.organization_id = %(organization)s AND r.principal_id = %(me)s AND r.conversation_id = c.id
    AND r.place = %(topic)s))"""
_STANDING = """
SELECT {read}, coalesce(s.last_sequence, 0), {sees_all}, {people}
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
_COLUMNS = ", ".join(f"m.{name}" for name in Stored._fields)
_REACH = 16  # numbers looked through for each message that is wanted; the others are replies and reactions


@dataclass(frozen=True, kw_only=True)
class Window:
    """What of a conversation is asked for.

    Attributes:
        anchor: a message, a time, or a named place; the anchor itself is in the page.
        before, after: how many on each side, together at most 200.
        thread: only replies to this message; without it replies are left out.
        topic: only messages of this topic; the conversation's own id is its general topic.
    """

    conversation: UUID
    anchor: Anchor = "first_unread"
    before: int = 30
    after: int = 30
    thread: UUID | None = None
    topic: UUID | None = None


@dataclass(frozen=True)
class Standing:
    """How the reader stands to the conversation.

    Attributes:
        marker: how far it has read there; None without a membership.
        head: the last sequence; everything that a page shows of messages moves it on.
        sees_all: no message is too old for the reader; not looked at where the conversation was known.
        people: changes when what a page shows of the people who were asked about does.
    """

    marker: int | None
    head: int
    sees_all: bool = False
    people: str | None = None


@dataclass(frozen=True)
class Turn:
    """The sequence a page turns around, whose message belongs to the newer half; and the first unread message."""

    pivot: int
    first_unread: UUID | None


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
    """Return messages around an anchor, oldest first; the parameters are those of a `Window`.

    Args:
        known: the conversation, where the caller has just got it; it is not looked up again.

    Raises:
        ConversationNotFound, MessageNotFound: the anchor or the thread is not in this conversation.

    Cost, whatever the number of messages: 4 queries, 5 with something unread or anchored at a message or a time; one
    less where the conversation is known.
    """
    window = Window(
        conversation=conversation_id, anchor=anchor, before=before, after=after, thread=thread, topic=topic
    )
    reading = Reading(principal, window)
    if known is None or topic is not None:
        (standing,) = standings_of([(reading, ())])
    else:
        standing = _standing_of(known)
    if standing is None:
        raise ConversationNotFound
    (turn,) = turns_of([(reading, standing)])
    if isinstance(turn, MessageNotFound):
        raise turn
    return reading.page(standing, turn)


def thread_page(
    *, principal: Principal, message_id: UUID, anchor: Anchor = "newest", before: int = MOST, after: int = 0
) -> tuple[MessageView, MessagePage]:
    """Return a message and replies to it around an anchor, oldest first.

    Raises:
        MessageNotFound: the message is a reply itself, or the anchor is none to it.
    """
    row = visible_messages(principal).filter(pk=message_id, thread_id=None).first()
    if row is None:
        raise MessageNotFound
    (root,) = views_for([row])
    replies = message_page(
        principal=principal, conversation_id=root.conversation, anchor=anchor, before=before, after=after,
        thread=message_id,
    )  # fmt: skip
    return root, replies


class Reading:
    """One reader's way to a window, a statement a step."""

    def __init__(self, principal: Principal, window: Window) -> None:
        self._principal, self._window = principal, window
        visible = visible_scope_clause(principal, scope="m.scope_id", time="m.sent_at", few=True)
        # What `visible_messages` is, of one conversation.
        self._where = (
            "m.organization_id = %(organization)s AND m.conversation_id = %(conversation)s "
            f"AND m.thread_id {'IS NULL' if window.thread is None else '= %(thread)s'} AND {visible.sql}"
        )
        if window.topic is not None:
            self._where += f" AND m.topic_id {'IS NULL' if self._is_general else '= %(topic)s'}"
        self._named: Row = visible.params | {
            "me": principal.id, "organization": principal.organization_id, "conversation": window.conversation,
            "thread": window.thread, "topic": window.topic,
        }  # fmt: skip

    def page(self, standing: Standing, turn: Turn) -> MessagePage:
        """Return the page. Three queries, four where messages are far apart."""
        window = self._window
        before, after = max(0, min(window.before, MOST)), max(0, min(window.after, MOST))
        is_whole = window.thread is None and window.topic is None
        found = self._around(turn.pivot, before + 1, after + 1, head=standing.head if is_whole else None)
        older = [row for row in found if row.sequence < turn.pivot]
        newer = found[len(older) :]
        return MessagePage(
            messages=tuple(views_for([*older[max(0, len(older) - before) :], *newer[:after]])),
            anchor=window.anchor if isinstance(window.anchor, UUID) else None,
            found_oldest=len(older) <= before,
            found_newest=len(newer) <= after,
            first_unread=turn.first_unread,
            last_sequence=standing.head,
        )

    def standing_statement(self, about: Iterable[UUID]) -> Statement:
        """Return what asks for a `Standing`: one row, none where the conversation is missing or not visible.

        Args:
            about: the people of `Standing.people`.
        """
        visible = visible_scope_clause(self._principal, scope="c.scope_id", few=True)
        # The beginning of time is visible: then everything after it is too.
        ever = visible_scope_clause(
            self._principal, scope="c.scope_id", time="'-infinity'::timestamp with time zone", few=True
        )
        state, named = people.state_clause(self._principal.organization_id, about)
        read = _READ if self._window.topic is None else _READ_IN_TOPIC
        return (
            _STANDING(read=read, visible=visible.sql, sees_all=ever.sql, people=state),
            self._named | named,
        )

    def unread_statement(self, standing: Standing) -> Statement | None:
        """Return what asks for id and sequence of the first message of others behind the marker; None without news."""
        if self._window.thread is not None or standing.marker is None or standing.marker >= standing.head:
            return None
        return _FIRST_UNREAD(where=self._where), self._named | {"marker": standing.marker}

    def turn(self, first_unread: Unread | None) -> Turn:
        """Return where the page turns. No query, or one for an anchor without a name.

        Raises:
            MessageNotFound: the anchor is not in the window's conversation, thread or topic.
        """
        anchor = self._window.anchor
        pivot = (
            _pivot_at(anchor, first_unread) if isinstance(anchor, str) else _pivot_of(self._rows(), anchor)
        )
        return Turn(pivot, first_unread[0] if first_unread else None)

    @property
    def _is_general(self) -> bool:
        return self._window.topic == self._window.conversation

    def _rows(self) -> QuerySet[Message]:
        """Return all messages that a page of this kind may show."""
        window = self._window
        rows = visible_messages(self._principal)
        rows = rows.filter(conversation_id=window.conversation, thread_id=window.thread)
        if window.topic is not None:
            rows = rows.filter(Q(topic=None) if self._is_general else Q(topic_id=window.topic))
        return rows

    def _around(self, pivot: int, before: int, after: int, *, head: int | None) -> list[Stored]:
        """Return the rows on both sides of `pivot`, oldest first. One query, two where messages are far apart.

        Args:
            head: the last number of the conversation; None for a thread or a topic, whose numbers are far apart.
        """
        named = self._named | {"pivot": pivot, "before": before, "after": after}
        if head is not None:
            near = min(pivot, head + 1)
            low, high = max(_OLDEST, near - _REACH * before), near + _REACH * after
            rows = self._read(planned.execute, named | {"low": low, "high": high})
            older = sum(row.sequence < pivot for row in rows)
            if (older >= before or low == _OLDEST) and (len(rows) - older >= after or high > head):
                return rows
        return self._read(CursorWrapper.execute, named | {"low": _OLDEST, "high": _NEWEST})

    def _read(self, execute: Callable[[CursorWrapper, str, Row], object], named: Row) -> list[Stored]:
        """Return the rows; a plan is only kept where both numbers bound what it can cost."""
        with connection.cursor() as cursor:
            execute(cursor, _WINDOW(columns=_COLUMNS, where=self._where), named)
            rows = [Stored(*row) for row in cursor.fetchall()]
        return [row._replace(card=orjson.loads(row.card)) if row.card else row for row in rows]  # type: ignore[arg-type]  # its text


def standings_of(asked: Sequence[tuple[Reading, Iterable[UUID]]]) -> list[Standing | None]:
    """Return how readers of one organization stand to what they read; None where it is not visible. One round trip.

    Args:
        asked: each with the people of `Standing.people`.
    """
    found = _read_each([reading.standing_statement(about) for reading, about in asked])
    return [Standing(*rows[0]) if rows else None for rows in found]


def turns_of(asked: Sequence[tuple[Reading, Standing]]) -> list[Turn | MessageNotFound]:
    """Return where the pages turn, or that an anchor is not there. One round trip, and one for each nameless anchor."""
    statements = [reading.unread_statement(standing) for reading, standing in asked]
    found = iter(_read_each([one for one in statements if one is not None]))
    unread = [next(iter(next(found)), None) if one is not None else None for one in statements]
    return [_turn(reading, first) for (reading, _), first in zip(asked, unread, strict=True)]


def _read_each(statements: Sequence[Statement]) -> list[list[tuple[Any, ...]]]:
    if not statements:
        return []
    with connection.cursor() as cursor:
        return planned.read_each(cursor, statements)


def _turn(reading: Reading, first_unread: Unread | None) -> Turn | MessageNotFound:
    try:
        return reading.turn(first_unread)
    except MessageNotFound as missing:
        return missing


def _standing_of(known: ConversationView) -> Standing:
    """Return the standing in a conversation; what has nothing unread is read to its end."""
    head = known.last_sequence
    marker = (known.last_read_sequence if known.unread else head) if known.is_member else None
    return Standing(marker, head)


def _pivot_at(place: Place, first_unread: Unread | None) -> int:
    if place == "oldest":
        return _OLDEST
    return first_unread[1] if place == "first_unread" and first_unread else _NEWEST


def _pivot_of(rows: QuerySet[Message], anchor: UUID | datetime) -> int:
    """Return the sequence of a message, or of the first one from a time on. One query."""
    if isinstance(anchor, UUID):
        sequence = rows.filter(pk=anchor).values_list("sequence", flat=True).first()
        if sequence is None:
            raise MessageNotFound
        return sequence
    sequence = (
        rows.filter(sent_at__gte=anchor).order_by("sequence").values_list("sequence", flat=True).first()
    )
    return sequence if sequence is not None else _NEWEST
