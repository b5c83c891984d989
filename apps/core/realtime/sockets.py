"""A client as the hub sees it: something that takes frames and says when it cannot keep up."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from apps.core.realtime.protocol import HubProtocol

QUEUE_LIMIT = 256


def text_frame(payload: bytes) -> bytes:
    """Return an unmasked, unfragmented WebSocket text frame (RFC 6455, section 5.2)."""
    size = len(payload)
    if size < 126:
        return struct.pack("!BB", 0x81, size) + payload
    if size < 65536:
        return struct.pack("!BBH", 0x81, 126, size) + payload
    return struct.pack("!BBQ", 0x81, 127, size) + payload


class Socket(Protocol):
    """What the hub needs."""

    framed: bool

    def push(self, data: Any) -> bool:
        """Take frames (bytes when `framed`, else a list of payloads); False when the client is too slow."""

    def drop(self) -> None:
        """End the connection without waiting for what is unsent."""


class TransportSocket:
    """Writes prebuilt frames straight on the transport."""

    __slots__ = ("_protocol",)
    framed = True

    def __init__(self, protocol: HubProtocol) -> None:
        self._protocol = protocol

    def push(self, data: bytes) -> bool:
        """Write the frames."""
        return self._protocol.write_frames(data)

    def drop(self) -> None:
        """Abort the transport."""
        self._protocol.abort()


class DeafSocket:
    """A place in a channel whose frames nobody gets: for listeners of channels the client must not read."""

    __slots__ = ()
    framed = False

    def push(self, data: Any) -> bool:  # noqa: ARG002 - the protocol's name
        """Take the frames."""
        return True

    def drop(self) -> None:
        """There is no connection to end."""


class HeldSocket:
    """A place in a channel whose frames wait until what came before them was read."""

    __slots__ = ("frames",)
    framed = False

    def __init__(self) -> None:
        self.frames: list[bytes] = []

    def push(self, data: list[bytes]) -> bool:
        """Keep the frames."""
        self.frames += data
        return True

    def drop(self) -> None:
        """There is no connection to end."""


class AsgiSocket:
    """Any other ASGI server: a bounded queue and one sender task."""

    __slots__ = ("_on_drop", "_queue", "_send", "_task")
    framed = False

    def __init__(
        self, send: Callable[[dict[str, Any]], Awaitable[None]], on_drop: Callable[[], None]
    ) -> None:
        self._send, self._on_drop = send, on_drop
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(QUEUE_LIMIT)
        self._task = asyncio.get_running_loop().create_task(self._deliver())

    def push(self, data: list[bytes]) -> bool:
        """Queue the payloads."""
        try:
            for payload in data:
                self._queue.put_nowait(payload)
        except asyncio.QueueFull:
            return False
        return True

    def drop(self) -> None:
        """Stop sending and tell the consumer to close."""
        self._task.cancel()
        self._on_drop()

    async def _deliver(self) -> None:
        while True:
            payload = await self._queue.get()
            await self._send({"type": "websocket.send", "text": payload.decode()})
