"""Follow a run's stream from a web process: what is stored first, then what is published, without gap or double."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import orjson

from apps.accounts.types import Principal
from apps.core import tenancy
from apps.core.api.problems import DATABASE_AWAY
from apps.core.events.frames import principal_channel
from apps.core.realtime.hub import get_hub
from apps.core.threads import in_thread
from apps.runs.selectors import frames
from apps.runs.selectors.frames import FINAL_FRAME
from apps.runs.types import Frame

QUEUE_LIMIT = 256
LOOK_SECONDS = 5.0  # how long a frame may be missing when Redis is away
RECHECK_SECONDS = 30.0
_RIGHTS_CHANGED = frozenset({"access.revoked", "access.changed", "seat.removed"})

IsAllowed = Callable[[], Awaitable[bool]]


class Reader:
    """A follower as the hub sees it: takes payloads until it is too slow."""

    framed = False

    def __init__(self) -> None:
        self.is_dropped = False
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(QUEUE_LIMIT)

    def push(self, data: Any) -> bool:  # the hub's list of payloads
        """Queue the payloads; False when nobody reads them in time."""
        try:
            for payload in data:
                self._queue.put_nowait(payload)
        except asyncio.QueueFull:
            return False
        return True

    def drop(self) -> None:
        """End the stream; the client comes back with the last id it saw."""
        self.is_dropped = True

    async def next(self, seconds: float) -> dict[str, Any]:
        """Return the next payload, or an empty one when none came in time."""
        try:
            payload: dict[str, Any] = orjson.loads(await asyncio.wait_for(self._queue.get(), seconds))
        except TimeoutError:
            return {}
        return payload


async def follow(
    *, principal: Principal, run_id: UUID, after: int, is_allowed: IsAllowed
) -> AsyncIterator[Frame | None]:
    """Yield the frames after a number until the run is over; None is a sign of life between them.

    Args:
        is_allowed: asked when rights may have changed, and every half minute; False ends the stream.
    """
    hub, reader = await get_hub(), Reader()
    channels = [frames.channel(run_id), principal_channel(principal.member_id)]
    await hub.join(channels, reader)
    try:
        async for frame in _follow(reader, principal, run_id, after, is_allowed):
            yield frame
    finally:
        hub.leave(channels, reader)


async def _follow(
    reader: Reader, principal: Principal, run_id: UUID, after: int, is_allowed: IsAllowed
) -> AsyncIterator[Frame | None]:
    last, checked_at, look = after, time.monotonic(), True
    while not reader.is_dropped:
        stored = await _look(principal.organization_id, run_id, last) if look else []
        for frame in stored:
            yield frame
            last = frame.number
        if stored and stored[-1].type == FINAL_FRAME:
            return
        payload = await reader.next(LOOK_SECONDS)
        if payload.get("type") in _RIGHTS_CHANGED or time.monotonic() - checked_at > RECHECK_SECONDS:
            checked_at = time.monotonic()
            if not await is_allowed():
                return
        if not payload:
            yield None
        number = payload.get("id", 0) if payload.get("run") == str(run_id) else 0
        look = number > last or payload.get("frame") in (None, "resync")
        if number == last + 1:
            yield Frame(number, payload["type"], payload["data"])
            last, look = number, False
            if payload["type"] == FINAL_FRAME:
                return


async def _look(organization_id: UUID, run_id: UUID, after: int) -> list[Frame]:
    """Return what is stored; while the database is away nothing is, and the next look comes in some seconds."""
    try:
        return await in_thread(_stored, organization_id, run_id, after)
    except DATABASE_AWAY:
        return []


def _stored(organization_id: UUID, run_id: UUID, after: int) -> list[Frame]:
    with tenancy.use(organization_id):
        return list(frames.stored(run_id=run_id, after=after))
