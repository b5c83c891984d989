"""A lean WebSocket client: it counts frames and looks into few of them, so that the server is what is measured."""

from __future__ import annotations

import asyncio
import base64
import os
import struct
from collections.abc import Callable
from urllib.parse import urlsplit

import orjson


class Client(asyncio.Protocol):
    """One connection. `on_frame` gets each payload; without one, frames are only counted."""

    def __init__(
        self, url: str, headers: dict[str, str], on_frame: Callable[[bytes], None] | None = None
    ) -> None:
        self._parts = urlsplit(url)
        self._headers = headers
        self.on_frame = on_frame
        self.frames = 0
        self.is_closed = False
        self._buffer = b""
        self._upgraded = False
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport | None = None

    async def connect(self) -> Client:
        """Open the socket and finish the handshake."""
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self, self._parts.hostname, self._parts.port)
        await self.ready
        return self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the handshake."""
        self.transport = transport  # type: ignore[assignment]
        path = self._parts.path + (f"?{self._parts.query}" if self._parts.query else "")
        lines = [
            f"GET {path} HTTP/1.1", f"Host: {self._parts.netloc}", "Upgrade: websocket", "Connection: Upgrade",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}", "Sec-WebSocket-Version: 13",
            *(f"{name}: {value}" for name, value in self._headers.items()), "", "",
        ]  # fmt: skip
        transport.write("\r\n".join(lines).encode())  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        """Cut frames."""
        data = self._buffer + data if self._buffer else data
        if not self._upgraded:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._buffer = head
                return
            if self.ready.done():
                return
            if b" 101 " not in head.split(b"\r\n", 1)[0]:
                self.ready.set_exception(ConnectionError(head.decode("latin-1")[:200]))
                return
            self._upgraded = True
            self.ready.set_result(None)
        self._buffer = self._cut(data)

    def _cut(self, data: bytes) -> bytes:
        position, size, on_frame = 0, len(data), self.on_frame
        while size - position >= 2:
            length, start = data[position + 1] & 127, position + 2
            if length == 126:
                if size - position < 4:
                    break
                length, start = struct.unpack_from("!H", data, position + 2)[0], position + 4
            elif length == 127:
                if size - position < 10:
                    break
                length, start = struct.unpack_from("!Q", data, position + 2)[0], position + 10
            if start + length > size:
                break
            self.frames += 1
            opcode = data[position] & 15
            if opcode == 9 and self.transport is not None:
                self.transport.write(masked(10, data[start : start + length]))
            elif opcode == 8 and self.transport is not None:
                self.transport.close()
            elif on_frame is not None and opcode == 1:
                on_frame(data[start : start + length])
            position = start + length
        return data[position:]

    def connection_lost(self, exc: Exception | None) -> None:
        """Remember."""
        self.is_closed = True
        if not self.ready.done():
            self.ready.set_exception(exc or ConnectionError("closed"))

    def send(self, frame: dict[str, object]) -> None:
        """Send one text frame."""
        if self.transport is not None:
            self.transport.write(masked(1, orjson.dumps(frame)))

    def close(self) -> None:
        """Drop the connection."""
        if self.transport is not None:
            self.transport.abort()


def masked(opcode: int, payload: bytes) -> bytes:
    """Return a client frame; the mask is zero, which leaves the payload as it is."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
    elif size < 65536:
        head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, size)
    return head + b"\0\0\0\0" + payload
