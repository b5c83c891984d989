"""What waited in conversations when a process counted last, for as long as nothing in them moved on.

Whether something did is decided in the statement that counts: by the member's marker and by the last sequence of the
conversation, which everything that happens to messages moves on. So somebody with tens of thousands of unread messages
in hundreds of conversations has those counted in which something happened, and no others. Conversations where the
member keeps marks or wishes about topics are always counted.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from threading import Lock
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from apps.core.database import arrays

LEAST = 8  # messages; fewer are counted in no time
MOST = 100_000  # conversations of all members; some 35 MB


class Count(NamedTuple):
    """What waited behind a marker when a conversation had come so far."""

    marker: int
    head: int
    unread: int


class _Counts:
    """The counts of a process by member, who was counted last at the end."""

    def __init__(self) -> None:
        self._counts: OrderedDict[UUID, dict[UUID, Count]] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def of(self, principal_id: UUID) -> Mapping[UUID, Count]:
        with self._lock:
            if principal_id in self._counts:
                self._counts.move_to_end(principal_id)
            return self._counts.get(principal_id, {})

    def keep(self, principal_id: UUID, fresh: Mapping[UUID, Count]) -> None:
        with self._lock:
            before = self._counts.get(principal_id, {})
            if fresh.items() <= before.items():
                return
            # Another one, for a thread may be reading this; what is out of date in it fits nothing any more.
            self._counts[principal_id] = now = {**before, **fresh}
            self._counts.move_to_end(principal_id)
            self._size += len(now) - len(before)
            while self._size > MOST:
                self._size -= len(self._counts.popitem(last=False)[1])

    def clear(self) -> None:
        with self._lock:
            self._counts.clear()
            self._size = 0


counts = _Counts()


def known_to(principal_id: UUID, *, only: UUID | None = None) -> dict[str, Any]:
    """Return the parameters of `unread.WITH` that say what was counted before, in all conversations or in one."""
    kept = counts.of(principal_id)
    if only is not None:
        kept = {only: kept[only]} if only in kept else {}
    return {
        "known": arrays.written(kept),
        "known_markers": arrays.written(count.marker for count in kept.values()),
        "known_heads": arrays.written(count.head for count in kept.values()),
        "known_least": LEAST,
        "known_unread": arrays.written(count.unread for count in kept.values()),
    }


def keep(principal_id: UUID, counted: Iterable[tuple[UUID, int, int, int | None]]) -> None:
    """Keep what was counted in conversations of a member: each with its marker, its head and what waits.

    Args:
        counted: what waits is None where marks or wishes were looked at.
    """
    if connection.in_atomic_block:
        return  # what a transaction sees may never be there
    fresh = {
        conversation: Count(marker, head, unread)
        for conversation, marker, head, unread in counted
        if unread is not None and unread >= LEAST
    }
    if fresh:
        counts.keep(principal_id, fresh)
