"""Do what an exchange asks for: with blocking sockets, or on the event loop. No decision is made here."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import Any

from apps.core.outbound import resolving
from apps.core.outbound.exchange import Connect, Exchange, LookUp, Receive, Secure, Send, Talk, Want
from apps.core.outbound.types import Fetched

Look = Callable[[str, int], Sequence[str]]


def run(exchange: Exchange, look: Look) -> Fetched:
    """Drive an exchange in this thread."""
    line = Wire(look)
    try:
        fetched: Fetched = line.follow(exchange)
        return fetched
    finally:
        line.hang()


async def run_async(exchange: Exchange, look: Look) -> Fetched:
    """Drive an exchange on the event loop."""
    line = _AsyncLine(look)
    try:
        want = next(exchange)
        while True:
            try:
                said = await line.do(want)
            except (OSError, resolving.NameUnknown) as error:
                want = exchange.throw(error)
            else:
                want = exchange.send(said)
    except StopIteration as end:
        fetched: Fetched = end.value
        return fetched
    finally:
        exchange.close()
        line.hang()


class Wire:
    """One blocking connection at a time."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._socket: socket.socket | None = None

    def follow(self, talk: Talk) -> Any:
        """Do what a talk asks for, and return what it returns; the connection stays."""
        try:
            want = next(talk)
            while True:
                try:
                    said = self.do(want)
                except (OSError, resolving.NameUnknown) as error:
                    want = talk.throw(error)
                else:
                    want = talk.send(said)
        except StopIteration as end:
            return end.value
        finally:
            talk.close()

    def do(self, want: Want) -> Any:
        """Return the answer to a wish."""
        if isinstance(want, LookUp):
            return resolving.begin(self._look, want.name, want.port).result(want.seconds)
        if isinstance(want, Connect):
            self.hang()
            self._socket = socket.create_connection((want.host, want.port), want.seconds)
            return self._socket.getpeername()[0]
        if self._socket is None:
            raise OSError("not connected")
        self._socket.settimeout(want.seconds)
        if isinstance(want, Secure):
            self._socket = want.context.wrap_socket(self._socket, server_hostname=want.name)
            return None
        if isinstance(want, Send):
            return self._socket.sendall(want.data)
        return self._socket.recv(want.most)

    def hang(self) -> None:
        """Close what is open."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class _AsyncLine:
    """One connection of the event loop at a time."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def do(self, want: Want) -> Any:
        """Return the answer to a wish."""
        async with asyncio.timeout(want.seconds):
            if isinstance(want, LookUp):
                return await asyncio.wrap_future(resolving.begin(self._look, want.name, want.port))
            if isinstance(want, Connect):
                self.hang()
                self._reader, self._writer = await asyncio.open_connection(want.host, want.port)
                return self._writer.get_extra_info("peername")[0]
            return await self._talk(want)

    async def _talk(self, want: Secure | Send | Receive) -> Any:
        if self._reader is None or self._writer is None:
            raise OSError("not connected")
        if isinstance(want, Secure):
            await self._writer.start_tls(want.context, server_hostname=want.name)
            return None
        if isinstance(want, Send):
            self._writer.write(want.data)
            await self._writer.drain()
            return None
        return await self._reader.read(want.most)

    def hang(self) -> None:
        """Close what is open, without waiting for the other side."""
        if self._writer is not None:
            self._writer.transport.abort()
            self._reader = self._writer = None
