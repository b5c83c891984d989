"""Refuse before Django sees the request: too busy, or a body that grows beyond the limit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson

from apps.core.api.problems import MEDIA_TYPE, refusal_as_problem
from apps.core.errors import DomainError, Unavailable
from apps.core.http.errors import BodyTooLarge

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Sending:
    """A `send` that knows whether an answer has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.has_begun = False

    async def __call__(self, message: Message) -> None:
        """Send."""
        self.has_begun = True
        await self._send(message)


async def refuse(send: Send, refusal: DomainError) -> None:
    """Send a problem document and end the connection."""
    problem = refusal_as_problem(refusal)
    headers = {
        "Content-Type": MEDIA_TYPE,
        "Cache-Control": "no-store",
        "Connection": "close",
        **problem.headers,
    }
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": pairs})
    await send({"type": "http.response.body", "body": orjson.dumps(problem.as_dict())})


async def refuse_as_busy(send: Send) -> None:
    """Refuse for now: too many requests wait for a thread, or the process stops."""
    await refuse(send, Unavailable(retry_after_seconds=1))


async def refuse_as_too_large(send: Send, *, limit_bytes: int) -> None:
    """Refuse a body, announced or arriving, that is over the limit."""
    await refuse(send, BodyTooLarge(limit_kb=limit_bytes // 1024))


def announced_bytes(scope: Mapping[str, Any]) -> int:
    """Return what `Content-Length` says, 0 without one; the server below has refused one that is no number."""
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    return int(lengths[0][:18]) if lengths and lengths[0].isdigit() else 0


def bounded(receive: Receive, send: Send, *, limit_bytes: int) -> Receive:
    """Return a `receive` that refuses a body over the limit and then looks like a client that left.

    `Content-Length` may lie or be absent, and the handler would write all of it to disk first.
    """
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        if message["type"] == "http.request":
            received += len(message.get("body", b""))
            if received > limit_bytes:
                await refuse_as_too_large(send, limit_bytes=limit_bytes)
                return {"type": "http.disconnect"}
        return message

    return counted
