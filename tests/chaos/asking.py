"""What the API says of a conversation: its head, and all of its messages."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from tests.benchmarks.stack import Person, Stack


async def head_of(running: Stack, person: Person, conversation: str) -> int:
    """Return the conversation's last number, once the server answers."""
    answer = await answered(running, person, f"/api/v1/conversations/{conversation}/")
    return int(answer["last_sequence"])


async def answered(
    running: Stack, person: Person, path: str, *, method: str = "GET", body: Any = None
) -> Any:
    """Ask until there is an answer, for a minute: one of several web processes may still say 503."""
    for _ in range(120):
        with contextlib.suppress(OSError):
            return await asyncio.to_thread(running.call, person, method, path, body)
        await asyncio.sleep(0.5)
    raise RuntimeError("the server did not come back")


async def history(running: Stack, person: Person, conversation: str) -> tuple[int, list[tuple[int, str]]]:
    """Return the head, and (number, client key) of all messages up to it in their order."""
    found: dict[int, str] = {}
    anchor, head = "newest", None
    while True:
        path = f"/api/v1/conversations/{conversation}/messages/?anchor={anchor}&before=199&after=1"
        page = await answered(running, person, path)
        head = page["last_sequence"] if head is None else head
        for message in page["messages"]:
            found[message["sequence"]] = message["client_key"]
        if page["found_oldest"]:
            return int(head), sorted(pair for pair in found.items() if pair[0] <= head)
        anchor = page["messages"][0]["id"]
