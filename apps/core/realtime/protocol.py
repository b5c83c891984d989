"""uvicorn's WebSocket protocol, offering its transport so that a prebuilt frame is one write."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from apps.core.realtime.pace import Pace

UNSENT_LIMIT_BYTES = 1 << 20
MOST_FRAGMENTS = 256  # of one message; each may be empty, so the limit of bytes alone never ends them
CONTROL_PER_SECOND, CONTROL_AT_ONCE = 5, 50  # pings and pongs of a client
POLICY_VIOLATION = 1008


class _Arrived:
    """What came and was not taken yet, for one reader. A queue of asyncio is 3 KiB, most of the time empty."""

    __slots__ = ("_items", "_reader")

    def __init__(self) -> None:
        self._items: list[Any] = []
        self._reader: asyncio.Future[None] | None = None

    def put_nowait(self, item: Any) -> None:
        """Add, and wake the reader."""
        self._items.append(item)
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    async def get(self) -> Any:
        """Return the oldest, waiting for one."""
        while not self._items:
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        return self._items.pop(0)

    def empty(self) -> bool:
        """Return whether nothing waits."""
        return not self._items


class HubProtocol(WebSocketsSansIOProtocol):
    """Adds `extensions.hub` to the scope, and an end to what the application never sees: control frames, fragments."""

    def connection_made(self, transport: Any) -> None:
        """Begin to count."""
        self.queue = _Arrived()  # type: ignore[assignment]  # all that the server uses of one
        self._control = Pace(per_second=CONTROL_PER_SECOND, at_once=CONTROL_AT_ONCE)
        super().connection_made(transport)

    def handle_connect(self, event: Any) -> None:
        """Offer this protocol to the application."""
        super().handle_connect(event)
        scope = getattr(self, "scope", None)
        if scope is not None:
            scope["extensions"]["hub"] = {"protocol": self}

    def handle_cont(self, event: Any) -> None:
        """Take a further fragment."""
        if len(self.frames) >= MOST_FRAGMENTS:
            self._end("too many fragments")
        else:
            super().handle_cont(event)

    def handle_ping(self) -> None:
        """Answer, as long as the client reads the answers and does not ask all the time."""
        if self.transport.get_write_buffer_size() > UNSENT_LIMIT_BYTES:
            self.abort()
        elif self._control.is_exceeded():
            self._end("too many pings")
        else:
            super().handle_ping()

    def handle_pong(self, event: Any) -> None:
        """Take an answer; strangers' ones cost time too."""
        if self._control.is_exceeded():
            self._end("too many pongs")
        else:
            super().handle_pong(event)

    def _end(self, reason: str) -> None:
        """Close for a violation; what still arrives is dropped."""
        if self.close_sent or self.transport.is_closing():
            return
        self.conn.fail(POLICY_VIOLATION, reason)
        self.handle_parser_exception()

    async def send(self, message: Any) -> None:
        """Forget the headers of a handshake that was accepted: they would stay as long as the socket.

        And remember that a refused one was answered; uvicorn 0.54 logs an error otherwise.
        """
        await super().send(message)
        if message["type"] == "websocket.accept":
            self.request.headers.clear()
            self.response.headers.clear()
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True

    @property
    def is_open(self) -> bool:
        """Frames may be written: after the accept, before any close."""
        return self.handshake_complete and not self.close_sent and not self.disconnected

    def write_frames(self, framed: bytes) -> bool:
        """Write prebuilt frames; False when the client reads too slowly and has to go."""
        transport = self.transport
        if not self.is_open or transport.is_closing():
            return False
        if transport.get_write_buffer_size() > UNSENT_LIMIT_BYTES:
            return False
        transport.write(framed)
        return True

    def abort(self) -> None:
        """Drop the connection and what is unsent; the client resumes from its sequences."""
        self.transport.abort()
