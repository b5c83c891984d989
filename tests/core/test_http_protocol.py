"""The server's HTTP protocol: a head has a limit, however the network cuts it; a body has not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn

from apps.core.http.protocol import LARGEST_HEAD_BYTES, BoundedHttpProtocol

HEAD = b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"


async def count(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer with the number of bytes of the body."""
    assert scope["type"] == "http"
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    answer = b"%d" % size
    headers = [(b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A server of its own in this event loop."""
    server = uvicorn.Server(
        uvicorn.Config(count, port=0, http=BoundedHttpProtocol, lifespan="off", log_config=None, ws="none")
    )
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(10):
        while not server.started:
            await asyncio.sleep(0.005)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await task


async def ask(port: int, *parts: bytes) -> bytes:
    """Send the parts as single writes and return the whole answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0)
    answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize("cut", [None, 10, -1, -2, -3])
async def test_a_large_body_behind_a_small_head_is_taken_however_it_is_cut(
    port: int, cut: int | None
) -> None:
    body = b"x" * (4 * 1024 * 1024)
    whole = HEAD % len(body) + body
    at = len(whole) if cut is None else cut if cut > 0 else len(whole) - len(body) + cut
    answer = await ask(port, whole[:at], whole[at:])
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"%d" % len(body))


@pytest.mark.parametrize("ending", [b"\r\n\r\n", b""])
async def test_a_large_head_is_refused(port: int, ending: bytes) -> None:
    head = b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * LARGEST_HEAD_BYTES + ending
    assert (await ask(port, head)).startswith(b"HTTP/1.1 400")


async def test_a_head_in_many_pieces_is_refused_too(port: int) -> None:
    pieces = [b"GET / HTTP/1.1\r\nHost: x\r\n", *[b"X%d: %s\r\n" % (n, b"x" * 2000) for n in range(33)]]
    assert (await ask(port, *pieces)).startswith(b"HTTP/1.1 400")
