"""A raw asyncio connection to Redis: everything of one loop turn leaves in one write, replies come as a batch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import hiredis

Batch = list[Any]


class RedisLink(asyncio.Protocol):
    """One connection. `on_batch` gets all replies of one read; `on_lost` is called once."""

    def __init__(self, on_batch: Callable[[Batch], None], on_lost: Callable[[], None]) -> None:
        self._reader = hiredis.Reader()
        self._on_batch, self._on_lost = on_batch, on_lost
        self._out: list[bytes] = []
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport  # type: ignore[assignment]  # always a stream transport here

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the reason does not matter
        """Tell the owner."""
        self._transport = None
        self._on_lost()

    def command(self, *parts: bytes) -> None:
        """Queue a command for the end of this loop turn."""
        if not self._out:
            asyncio.get_running_loop().call_soon(self._flush)
        self._out.append(hiredis.pack_command(parts))  # type: ignore[arg-type]  # takes several arguments

    def _flush(self) -> None:
        data, self._out = b"".join(self._out), []
        if self._transport is not None:
            self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        """Parse everything that arrived and hand it on at once."""
        reader = self._reader
        reader.feed(data)
        batch: Batch = []
        while (reply := reader.gets()) is not False:
            batch.append(reply)
        if batch:
            self._on_batch(batch)

    @property
    def is_up(self) -> bool:
        """The connection stands."""
        return self._transport is not None

    def close(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.close()


async def connect(url: str, on_batch: Callable[[Batch], None], on_lost: Callable[[], None]) -> RedisLink:
    """Return a connected link for `redis://[:password@]host:port/db` or `unix:///path?db=0`.

    Raises:
        OSError: Redis is away.
    """
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()

    def factory() -> RedisLink:
        return RedisLink(on_batch, on_lost)

    if parts.scheme == "unix":
        _, link = await loop.create_unix_connection(factory, unquote(parts.path))
        database = parse_qs(parts.query).get("db", ["0"])[0]
    else:
        _, link = await loop.create_connection(factory, parts.hostname or "127.0.0.1", parts.port or 6379)
        database = parts.path.lstrip("/") or "0"
    if parts.password:
        user = [unquote(parts.username).encode()] if parts.username else []
        link.command(b"AUTH", *user, unquote(parts.password).encode())
    if database != "0":
        link.command(b"SELECT", database.encode())
    return link
