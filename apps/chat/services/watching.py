"""Presence of the people on one screen, sent in one frame each second at most, and only what changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import orjson

from apps.chat.services import presence
from apps.core.realtime.hub import Hub
from apps.core.realtime.sockets import DeafSocket, Socket

BATCH_SECONDS = 1.0


class Watch:
    """What one socket watches. Changes within a second become one frame; the last state of a person counts."""

    def __init__(self, hub: Hub, push: Callable[[bytes], None]) -> None:
        self._hub, self._push = hub, push
        self._ear: Socket = DeafSocket()  # heard here, and not written through
        self._channels: set[str] = set()
        self._news: dict[str, dict[str, Any]] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def follow(self, organization_id: UUID, people: set[UUID]) -> None:
        """Watch these people and nobody else."""
        wanted = {presence.channel(organization_id, person) for person in people}
        self._hub.leave(self._channels - wanted, self._ear, self._hear)
        joined = wanted - self._channels
        self._channels = wanted
        await self._hub.join(joined, self._ear, self._hear)

    def end(self) -> None:
        """Watch nobody any more."""
        self._hub.leave(self._channels, self._ear, self._hear)
        self._channels, self._news = set(), {}
        if self._timer is not None:
            self._timer.cancel()

    def _hear(self, payload: bytes) -> None:
        told = orjson.loads(payload)
        self._news.setdefault(told["type"], {}).update(told["data"])
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(BATCH_SECONDS, self._flush)

    def _flush(self) -> None:
        news, self._news, self._timer = self._news, {}, None
        for kind, people in news.items():
            self._push(
                orjson.dumps({"frame": "ephemeral", "conversation": None, "type": kind, "data": people})
            )
