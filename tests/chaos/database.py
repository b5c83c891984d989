"""REL-10: what the house says while the database stands still, and how it is back afterwards."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.benchmarks.figures import figure
from tests.benchmarks.stack import Person, Stack
from tests.chaos import faults

REFUSED_SECONDS, BACK_SECONDS, AT_ONCE_SECONDS = 5.0, 15.0, 1.0
_PATIENCE_SECONDS = 20
# What a web process may hold: Django's pool, that of the event loop, and the one that asks whether anybody is there.
CONNECTIONS = {"chatsystem-web": 8, "chatsystem-batcher": 4, "chatsystem-pulse": 1}
_COUNT = "SELECT application_name, count(*) FROM pg_stat_activity WHERE application_name = ANY(%s) GROUP BY 1"


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        status: 0 when nothing came.
    """

    seconds: float
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_refusal(self) -> bool:
        """A 503 in our shape, in time, that says when to come back."""
        if self.status != 503 or self.seconds > REFUSED_SECONDS or not self.headers.get("Retry-After"):
            return False
        return bool(json.loads(self.body)["code"] == "core.unavailable")


def ask(running: Stack, person: Person, path: str, body: Any = None) -> Answer:
    """Ask once."""
    headers = {"Authorization": f"Bearer {person.api_key}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(running.base_url + path, data=data, headers=headers)
    begun = time.monotonic()
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS) as answer:
            read, status, told = answer.read(), answer.status, answer.headers
    except urllib.error.HTTPError as error:
        read, status, told = error.read(), error.code, error.headers
    except OSError:
        return Answer(time.monotonic() - begun, 0, {}, b"")
    return Answer(time.monotonic() - begun, status, told, read)


async def stand_still(running: Stack, conversation: str, seconds: float) -> list[str]:
    """Freeze the database for so long, ask at every door meanwhile, and return the broken promises."""
    owner = running.person("owner")
    messages = f"/api/v1/conversations/{conversation}/messages/"
    doors: list[tuple[Any, ...]] = [
        ("/api/v1/conversations/",), (messages,), (messages, {"body": "while it stands", "client_key": "still"}),
        ("/api/v1/search/?q=tower",),
    ] * 8  # more than there are threads  # fmt: skip
    broken: list[str] = []
    async with faults.frozen(running, "postgres"):
        begun = time.monotonic()
        await asyncio.sleep(1)
        waited = await asyncio.gather(*(asyncio.to_thread(ask, running, owner, *door) for door in doors))
        _tell("refusal_seconds", max(one.seconds for one in waited), goal=REFUSED_SECONDS)
        broken += [
            f"database: {door[0]} answered {one.status} in {one.seconds:.1f} s while the database stood still"
            for door, one in zip(doors, waited, strict=True)
            if not one.is_refusal
        ]
        later = [await asyncio.to_thread(ask, running, owner, *door) for door in doors[:4]]
        _tell("refusal_once_known_seconds", max(one.seconds for one in later), goal=AT_ONCE_SECONDS)
        alive = await asyncio.to_thread(ask, running, owner, "/livez")
        ready = await asyncio.to_thread(ask, running, owner, "/readyz")
        _tell("livez_seconds", alive.seconds, goal=AT_ONCE_SECONDS)
        _tell("readyz_seconds", ready.seconds, goal=REFUSED_SECONDS)
        if (alive.status, ready.status) != (200, 503):
            broken.append(f"database: livez {alive.status}, readyz {ready.status}")
        await asyncio.sleep(max(0.0, seconds - (time.monotonic() - begun)))
    return broken + await _be_back(running, owner)


async def _be_back(running: Stack, owner: Person) -> list[str]:
    """Wait for the first answers after the thaw, then count the connections."""
    begun = time.monotonic()
    for path, wanted in (("/api/v1/conversations/", 200), ("/readyz", 200)):
        while (await asyncio.to_thread(ask, running, owner, path)).status != wanted:
            if time.monotonic() - begun > BACK_SECONDS:
                return [f"database: {path} is not back {BACK_SECONDS:.0f} s after the thaw"]
            await asyncio.sleep(0.2)
    _tell("back_seconds", time.monotonic() - begun, goal=BACK_SECONDS)
    await asyncio.sleep(2)  # those that were left behind notice it when they answer
    with psycopg.connect(running.database_url("postgres"), autocommit=True) as database:
        counted = dict(database.execute(_COUNT, [list(CONNECTIONS)]).fetchall())
    figure(
        bench="chaos database", name="connections", value=sum(counted.values()), unit="count",
        goal=sum(CONNECTIONS.values()),
    )  # fmt: skip
    return [
        f"database: {name} holds {count} connections"
        for name, count in counted.items()
        if count > CONNECTIONS[name]
    ]


def _tell(name: str, seconds: float, *, goal: float) -> None:
    figure(bench="chaos database", name=name, value=seconds, unit="s", goal=goal)
