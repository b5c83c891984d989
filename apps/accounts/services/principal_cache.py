"""Principals this process looked up lately, for async views that must not wait for a thread.

Entries live 30 s at most. They are used only while this process hears of revocations (see `follow`): every
change of access publishes what it ends on one Redis channel, and each process drops what matches. While Redis
is away nothing is answered from here.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import orjson

from apps.accounts.types import Principal
from apps.core.events.publishing import publish_ephemeral

CHANNEL = "access"
TTL_SECONDS = 30.0
MOST = 10_000


@dataclass(frozen=True, slots=True)
class _Entry:
    principal: Principal
    until: float


_entries: OrderedDict[str, _Entry] = OrderedDict()
_lock = threading.Lock()


class _State:
    """What `follow` gave, the connection the entries belong to, and the number of invalidations so far."""

    connection: Callable[[], int | None] | None = None
    number: int | None = None
    generation = 0


_state = _State()


def follow(connection: Callable[[], int | None] | None) -> None:
    """Switch the cache on for this process, or off with None.

    Args:
        connection: returns None while frames of `CHANNEL` do not reach `on_frame`, else a number that changes with
            every gap.
    """
    _state.connection = connection
    invalidate()


def is_followed() -> bool:
    """Return whether the cache is on in this process."""
    return _state.connection is not None


def find(key: str) -> Principal | None:
    """Return the principal kept under the key, unless too old or revocations do not reach this process."""
    if not _hears():
        return None
    entry = _entries.get(key)
    return entry.principal if entry is not None and entry.until > time.monotonic() else None


def generation() -> int:
    """Return a number that grows with each invalidation: taken before reading the rows, passed to `keep`."""
    _hears()
    return _state.generation


def keep(key: str, principal: Principal, *, since: int, seconds: float = float("inf")) -> None:
    """Keep a principal; dropped when something was invalidated after its rows were read.

    Args:
        seconds: how much longer the credential itself is valid.
    """
    if not _hears():
        return
    with _lock:
        if since != _state.generation:
            return
        _entries[key] = _Entry(principal, time.monotonic() + min(TTL_SECONDS, seconds))
        _entries.move_to_end(key)
        if len(_entries) > MOST:
            _entries.popitem(last=False)


def invalidate(
    *, organization_id: UUID | None = None, principal_id: UUID | None = None, session: str = ""
) -> None:
    """Drop every entry that matches all that is given; nothing given drops all."""
    with _lock:
        _state.generation += 1
        gone = [
            key
            for key, entry in _entries.items()
            if organization_id in (None, entry.principal.organization_id)
            and principal_id in (None, entry.principal.id, entry.principal.on_behalf_of)
            and session in ("", entry.principal.session)
        ]
        for key in gone:
            del _entries[key]


def announce(
    *, organization_id: UUID | None = None, principal_id: UUID | None = None, session: str = ""
) -> None:
    """Invalidate here and in every process that follows; lost while Redis is away, when nobody uses this."""
    invalidate(organization_id=organization_id, principal_id=principal_id, session=session)
    publish_ephemeral(
        CHANNEL,
        orjson.dumps({"organization": organization_id, "principal": principal_id, "session": session}),
    )


def on_frame(payload: bytes) -> None:
    """Take one frame of `CHANNEL`."""
    told = orjson.loads(payload)
    invalidate(
        organization_id=UUID(told["organization"]) if told["organization"] else None,
        principal_id=UUID(told["principal"]) if told["principal"] else None,
        session=told["session"],
    )


def _hears() -> bool:
    """Return whether revocations arrive; after a gap everything kept before it is dropped first."""
    number = _state.connection() if _state.connection is not None else None
    if number is None:
        return False
    if number != _state.number:
        invalidate()
        _state.number = number
    return True
