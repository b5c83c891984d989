"""What the hot REST lists cost against the framework's default views: processor of server and PostgreSQL together.

Both are asked through the product's own ASGI door in this process, in turns, on the same data.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import cpu_seconds, figure
from tests.benchmarks.stack import Stack, become_part

ROUNDS = {"quick": 60, "standard": 200, "full": 600}  # of each, in groups
GROUP = 10
CONNECTIONS, SECONDS = 16, {"quick": 5, "standard": 10, "full": 20}
GOALS = {"messages": 3.0, "conversations": 2.0}
RATE_GOAL = 700.0

Ask = Callable[[str], Awaitable[bytes]]


def measure(running: Stack, conversation: str, *, size: str) -> None:
    """Print the ratios and how many pages of messages a process answers in a second."""
    become_part(running, process="web")
    from django.conf import settings

    settings.ROOT_URLCONF = "tests.benchmarks.plain"
    asyncio.run(_measure(running, conversation, size))


async def _measure(running: Stack, conversation: str, size: str) -> None:
    ask = _door(running.person("owner").api_key)
    lists = {
        "messages": (f"conversations/{conversation}/messages/", f"plain/{conversation}/messages/"),
        "conversations": ("conversations/", "plain/conversations/"),
    }
    queries = {"messages": "anchor=newest&before=50&after=0", "conversations": ""}
    for name, (own, plain) in lists.items():
        costs = {own: [0.0, 0.0], plain: [0.0, 0.0]}
        for path in (own, plain):
            for _ in range(GROUP):
                await ask(f"{path}?{queries[name] if path == own else ''}")
        for _ in range(ROUNDS[size] // GROUP):
            for path in (own, plain):
                target = f"{path}?{queries[name] if path == own else ''}"
                server, servers = time.process_time(), _postgres(running)
                for _ in range(GROUP):
                    await ask(target)
                costs[path][0] += time.process_time() - server
                costs[path][1] += _postgres(running) - servers
        asked = ROUNDS[size] // GROUP * GROUP
        for label, path in (("own", own), ("plain", plain)):
            server, servers = (1000 * seconds / asked for seconds in costs[path])
            figure(bench="api", name=f"{name} {label}: processor of the server", value=server, unit="ms")
            figure(bench="api", name=f"{name} {label}: processor of PostgreSQL", value=servers, unit="ms")
        ratio = sum(costs[plain]) / sum(costs[own])
        figure(
            bench="api", name=f"{name}: cheaper than the default view", value=ratio, unit="x",
            goal=GOALS[name], better="higher",
        )  # fmt: skip
    rate = await _rate(ask, f"{lists['messages'][0]}?{queries['messages']}", SECONDS[size])
    figure(
        bench="api", name=f"pages of messages, one process, {CONNECTIONS} connections", value=rate, unit="1/s",
        goal=RATE_GOAL, better="higher",
    )  # fmt: skip


def _door(key: str) -> Ask:
    """Return what asks the product for a path below `/api/v1/` and returns the body of its answer."""
    from chatsystem.asgi import application

    async def ask(target: str) -> bytes:
        path, _, query = target.partition("?")
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": f"/api/v1/{path}", "raw_path": f"/api/v1/{path}".encode(), "query_string": query.encode(),
            "root_path": "", "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
            "headers": [
                (b"host", b"127.0.0.1"), (b"authorization", f"Bearer {key}".encode()),
                (b"accept", b"application/json"),
            ],
        }  # fmt: skip
        status, body, is_sent = 0, b"", False

        async def receive() -> dict[str, Any]:
            nonlocal is_sent
            if is_sent:
                await asyncio.Event().wait()  # nobody hangs up
            is_sent = True
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            nonlocal status, body
            status = message.get("status", status)
            body += message.get("body", b"")

        await application(scope, receive, send)
        if status != 200:
            raise RuntimeError(f"{target}: {status} {body[:300]!r}")
        return body

    return ask


async def _rate(ask: Ask, target: str, seconds: int) -> float:
    until, answered = time.monotonic() + seconds, 0

    async def one() -> None:
        nonlocal answered
        while time.monotonic() < until:
            await ask(target)
            answered += 1

    begun = time.monotonic()
    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    return answered / (time.monotonic() - begun)


def _postgres(running: Stack) -> float:
    """Return the processor time so far of the server processes that work for the runtime role."""
    parent, spent = str(running.pid("postgres")), 0.0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            is_ours = (process / "cmdline").read_bytes().startswith(b"postgres: chat_app ")
            if is_ours and (process / "stat").read_text().rpartition(")")[2].split()[1] == parent:
                spent += cpu_seconds(int(process.name))
        except FileNotFoundError:
            continue  # it ended while we looked
    return spent
