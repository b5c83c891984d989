"""The socket as the product serves it: uvicorn with our protocol class, in the test's own event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
import uvicorn
from channels.routing import URLRouter
from django.urls import path

from apps.chat.consumers import ClientConsumer
from apps.chat.services import batcher
from apps.core.realtime.protocol import HubProtocol
from tests.benchmarks.wire import Client, masked

PATIENCE_SECONDS = 8


class Inbox:
    """A connected client and every frame it got."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self._client: Client | None = None

    def on_frame(self, payload: bytes) -> None:
        """Keep a frame."""
        self.frames.append(orjson.loads(payload))

    async def open(self, url: str, headers: dict[str, str]) -> Inbox:
        """Connect and wait for the first frame."""
        self._client = await Client(url, headers, self.on_frame).connect()
        await self.get("hello")
        return self

    def send(self, **frame: Any) -> None:
        """Send a frame."""
        assert self._client is not None
        self._client.send(frame)

    def send_text(self, text: str) -> None:
        """Send a frame as it is written."""
        assert self._client is not None
        assert self._client.transport is not None
        self._client.transport.write(masked(1, text.encode()))

    async def get(
        self, name: str, matches: Callable[[dict[str, Any]], bool] = lambda _frame: True
    ) -> dict[str, Any]:
        """Return the first frame with this name that matches, waiting for it."""
        await self.until(lambda: any(f["frame"] == name and matches(f) for f in self.frames))
        return next(f for f in self.frames if f["frame"] == name and matches(f))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until the condition holds."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not condition():
                await asyncio.sleep(0.005)

    def named(self, name: str) -> list[dict[str, Any]]:
        """Return all frames with this name so far."""
        return [frame for frame in self.frames if frame["frame"] == name]

    @property
    def is_closed(self) -> bool:
        """The server ended the connection."""
        assert self._client is not None
        return self._client.is_closed

    def close(self) -> None:
        """Leave."""
        if self._client is not None:
            self._client.close()


@asynccontextmanager
async def serving() -> AsyncIterator[str]:
    """Serve the socket on a free port; yields its address."""
    application = URLRouter([path("ws/v1/", ClientConsumer.as_asgi())])
    config = uvicorn.Config(
        application, port=0, ws=HubProtocol, lifespan="off", log_config=None, ws_max_size=64 * 1024,
        ws_per_message_deflate=False,
    )  # fmt: skip
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"ws://127.0.0.1:{port}/ws/v1/"
    finally:
        server.should_exit = True
        server.force_exit = True
        await task
        await batcher.close()
