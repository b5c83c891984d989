"""Pages of messages as the API sends them, kept in each process as long as nothing about them changed.

Whether something changed is asked for each request, in the statement that decides about the reader: the last sequence
of the conversation, which everything that a message shows moves on, and what its senders are called. So a page that
many clients ask for is read and written once, and every reader is still decided about. A page is kept when it is asked
for the second time; the first only leaves whom to ask about.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from threading import Lock
from uuid import UUID

import orjson
from django.db import connection

from apps.accounts.types import Principal
from apps.chat.errors import ConversationNotFound, MessageNotFound
from apps.chat.selectors.pages import Reading, Standing, Turn, Window, standings_of, turns_of
from apps.chat.types import MessagePage
from apps.core.errors import DomainError

MOST_BYTES = 16 * 1024 * 1024  # of a process
MOST_SECONDS = 60.0  # what was erased meanwhile does not stay in memory for longer
_ENTRY_BYTES = 1024  # what an entry needs beside its page


@dataclass(frozen=True)
class _Kept:
    """A page, or only who wrote what is on it.

    Attributes:
        body: members of a JSON object, without its brackets; empty the first time.
    """

    standing: tuple[int, str | None]
    pivot: int
    senders: tuple[UUID, ...]
    body: bytes
    kept_at: float

    def is_still(self, standing: Standing, turn: Turn) -> bool:
        return bool(self.body) and (self.standing, self.pivot) == (
            (standing.head, standing.people),
            turn.pivot,
        )


class _Pages:
    """The pages of a process, what was used last at the end."""

    def __init__(self) -> None:
        self._pages: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def find(self, window: Window) -> _Kept | None:
        with self._lock:
            kept = self._pages.get(window)
            if kept is None or time.monotonic() - kept.kept_at > MOST_SECONDS:
                return None
            self._pages.move_to_end(window)
            return kept

    def keep(self, window: Window, page: _Kept) -> None:
        with self._lock:
            if (before := self._pages.pop(window, None)) is not None:
                self._bytes -= _size(before)
            self._pages[window] = page
            self._bytes += _size(page)
            while self._bytes > MOST_BYTES or self._is_old():
                self._bytes -= _size(self._pages.popitem(last=False)[1])

    def clear(self) -> None:
        with self._lock:
            self._pages.clear()
            self._bytes = 0

    def _is_old(self) -> bool:
        return time.monotonic() - next(iter(self._pages.values())).kept_at > MOST_SECONDS


def _size(page: _Kept) -> int:
    return len(page.body) + _ENTRY_BYTES


pages = _Pages()


@dataclass(frozen=True)
class Unkept:
    """A page that has to be read."""

    _reading: Reading
    _window: Window
    _standing: Standing
    _turn: Turn
    _kept: _Kept | None

    def read(self) -> bytes:
        """Return it as `page_as_json` does, and keep it. Three queries, four where messages are far apart."""
        page = self._reading.page(self._standing, self._turn)
        body = _body(page)
        # What a transaction sees may never be there for others; what begins somewhere for one is whole for another.
        if self._standing.sees_all and not connection.in_atomic_block:
            senders = tuple(dict.fromkeys(message.sender.id for message in page.messages))
            is_asked_about = self._kept is not None and set(self._kept.senders) == set(senders)
            pages.keep(
                self._window,
                _Kept(
                    (self._standing.head, self._standing.people), self._turn.pivot, senders,
                    body if is_asked_about else b"", time.monotonic(),
                ),
            )  # fmt: skip
        return _object(body, self._turn, self._standing)


def page_as_json(*, principal: Principal, window: Window) -> bytes:
    """Return a page of messages as a JSON object: messages, found_oldest, found_newest, first_unread, last_sequence.

    Raises:
        ConversationNotFound, MessageNotFound: the anchor is not in this conversation.

    Cost: 1 query where the page is kept, and what a `Turn` needs; otherwise as `message_page`.
    """
    (found,) = look([(principal, window)])
    if isinstance(found, DomainError):
        raise found
    return found.read() if isinstance(found, Unkept) else found


def look(asked: Sequence[tuple[Principal, Window]]) -> list[bytes | Unkept | DomainError]:
    """Return the kept pages among those that readers of one organization ask for, and refusals, in order.

    Cost: two round trips for all, and one for each anchor that is a message or a time.
    """
    kept = [pages.find(window) for _, window in asked]
    readings = [Reading(principal, window) for principal, window in asked]
    about = [one.senders if one else () for one in kept]
    standings = standings_of(list(zip(readings, about, strict=True)))
    turns = iter(turns_of([(r, s) for r, s in zip(readings, standings, strict=True) if s is not None]))
    found: list[bytes | Unkept | DomainError] = []
    for (_, window), reading, standing, page in zip(asked, readings, standings, kept, strict=True):
        if standing is None:
            found.append(ConversationNotFound())
        elif isinstance(turn := next(turns), MessageNotFound):
            found.append(turn)
        elif page is not None and standing.sees_all and page.is_still(standing, turn):
            found.append(_object(page.body, turn, standing))
        else:
            found.append(Unkept(reading, window, standing, turn, page))
    return found


def _body(page: MessagePage) -> bytes:
    # orjson writes the dataclasses in it as they are; `asdict` would copy every message of the page first
    shared = {
        "messages": page.messages,
        "found_oldest": page.found_oldest,
        "found_newest": page.found_newest,
    }
    return orjson.dumps(shared)[1:-1]


def _object(body: bytes, turn: Turn, standing: Standing) -> bytes:
    own = orjson.dumps({"first_unread": turn.first_unread, "last_sequence": standing.head})
    return b"{" + body + b"," + own[1:]
