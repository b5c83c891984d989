"""A WebSocket client that keeps no rule: any header twice, any byte as a frame, and it may stop reading."""

from __future__ import annotations

import asyncio
import base64
import os
import struct
from collections.abc import Iterable
from urllib.parse import urlsplit

TEXT, BINARY, CONTINUED, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10
PATIENCE_SECONDS = 20


def framed(payload: bytes, opcode: int = TEXT, *, fin: bool = True, rsv: int = 0) -> bytes:
    """Return a client frame; the mask is zero, which leaves the payload as it is."""
    first, size = (0x80 if fin else 0) | rsv | opcode, len(payload)
    if size < 126:
        head = struct.pack("!BB", first, 0x80 | size)
    elif size < 65536:
        head = struct.pack("!BBH", first, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", first, 0x80 | 127, size)
    return head + b"\0\0\0\0" + payload


class RawSocket:
    """One connection. `status` of the handshake; `closed_with` is the server's close code, 1006 without one."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, status: int) -> None:
        self._reader, self._writer, self.status = reader, writer, status
        self.texts: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Send bytes without waiting."""
        if not self._writer.is_closing():
            self._writer.write(data)

    async def drain(self) -> None:
        """Wait until the server took them; an ended connection takes them all."""
        try:
            await self._writer.drain()
        except ConnectionError:
            return

    async def closed_with(self) -> int:
        """Read to the end and return the close code."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while True:
                    opcode, payload = await self._frame()
                    if opcode == CLOSE:
                        return struct.unpack("!H", payload[:2])[0] if payload else 1005
                    if opcode == TEXT:
                        self.texts.append(payload)
        except (asyncio.IncompleteReadError, ConnectionError):
            return 1006

    async def text(self) -> bytes:
        """Return the next text frame."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                opcode, payload = await self._frame()
                if opcode == TEXT:
                    return payload

    async def _frame(self) -> tuple[int, bytes]:
        first, second = await self._reader.readexactly(2)
        length = second & 127
        if length == 126:
            (length,) = struct.unpack("!H", await self._reader.readexactly(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", await self._reader.readexactly(8))
        return first & 15, await self._reader.readexactly(length)

    def close(self) -> None:
        """Leave."""
        self._writer.transport.abort()


async def knock(url: str, headers: Iterable[tuple[str, str]]) -> RawSocket:
    """Shake hands with exactly these headers; the socket's `status` is 101 where it is open."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [
        f"GET {path} HTTP/1.1", f"Host: {parts.netloc}", "Upgrade: websocket", "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}", "Sec-WebSocket-Version: 13",
        *(f"{name}: {value}" for name, value in headers), "", "",
    ]  # fmt: skip
    writer.write("\r\n".join(lines).encode("latin-1"))
    async with asyncio.timeout(PATIENCE_SECONDS):
        head = await reader.readuntil(b"\r\n\r\n")
    return RawSocket(reader, writer, int(head.split(b" ", 2)[1]))
