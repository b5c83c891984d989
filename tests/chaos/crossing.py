"""People who change the same messages, read them and hear of them at once: nobody waits for another in a circle.

PostgreSQL ends one of such a circle after a second, and its request is answered that a part of the system restarts.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
import urllib.error
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.benchmarks.figures import figure
from tests.benchmarks.stack import Person, Stack
from tests.chaos.asking import answered

PEOPLE, AT_ONCE = 4, 5
LATEST = 60  # messages that are met again
TOPICS = ("", "Kran", "Wetter", "Boot")
FAR = 1 << 40  # behind every number of a conversation
_ENDED = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


@dataclass(frozen=True)
class Said:
    """A message that was sent, by whom and where."""

    id: str
    sender: Person
    place: str
    is_reply: bool


class Crowd:
    """Members of two channels who do anything to what was said last."""

    def __init__(self, running: Stack, people: list[Person], places: list[str]) -> None:
        self._running, self._people, self._places = running, people, places
        self._latest: deque[Said] = deque(maxlen=LATEST)
        self.answers: Counter[int] = Counter()
        self.faults: list[str] = []
        self._acts: dict[str, Callable[[Person, Said], tuple[Person, str, str, Any]]] = {
            "delete": lambda _, m: (m.sender, "DELETE", f"messages/{m.id}/", None),
            "restore": lambda _, m: (m.sender, "POST", f"messages/{m.id}/restore/", {}),
            "react": lambda me, m: (me, "POST", f"messages/{m.id}/reactions/", {"emoji": "👍"}),
            "pin": lambda me, m: (me, "PUT", f"messages/{m.id}/pin/", {"is_pinned": random.random() < 0.5}),
            "read": lambda me, m: (me, "PUT", f"conversations/{m.place}/read/", {"sequence": FAR}),
            "unread": lambda me, m: (me, "PUT", f"conversations/{m.place}/read/", {"unread_from": m.id}),
            "read a thread": lambda me, m: (me, "PUT", f"messages/{m.id}/thread-read/", {"sequence": FAR}),
            "see": lambda me, _: (me, "POST", "me/notifications/", {"state": "seen"}),
            "read notifications": lambda me, _: (me, "POST", "me/notifications/", {"state": "read"}),
            "move": lambda _, m: (
                self._people[0], "POST", f"messages/{m.id}/move/",
                {"topic": random.choice(TOPICS), "conversation": random.choice(self._places)},
            ),
        }  # fmt: skip

    async def stir(self, until: float) -> None:
        """Do one thing after the other."""
        while time.monotonic() < until:
            me = random.choice(self._people)
            if len(self._latest) < AT_ONCE or random.random() < 0.35:
                await self._say(me)
            else:
                name = random.choice(list(self._acts))
                await self._ask(name, *self._acts[name](me, random.choice(self._latest)))

    async def _say(self, me: Person) -> None:
        place, roots = random.choice(self._places), [one for one in self._latest if not one.is_reply]
        root = random.choice(roots) if roots and random.random() < 0.5 else None
        named = " ".join(f"@**{one.name}**" for one in random.sample(self._people, 2))
        body = {"body": f"Wer kommt? {named}", "client_key": f"{time.monotonic_ns()}-{random.random()}"}
        body |= {"thread": root.id} if root else {"topic": random.choice(TOPICS)}
        place = root.place if root else place
        made = await self._ask("send", me, "POST", f"conversations/{place}/messages/", body)
        if made is not None:
            self._latest.append(Said(made["id"], me, place, root is not None))

    async def _ask(self, name: str, person: Person, method: str, path: str, body: Any) -> Any:
        try:
            made = await asyncio.to_thread(self._running.call, person, method, f"/api/v1/{path}", body)
        except urllib.error.HTTPError as error:
            self.answers[error.code] += 1
            if error.code >= 500:
                self.faults.append(f"{name} was answered {error.code} {json.loads(error.read()).get('code')}")
            return None
        self.answers[200] += 1
        return made


async def cross(running: Stack, seconds: float) -> list[str]:
    """Let people get in each other's way; return the answers that are the server's fault."""
    people = [one for one in running.people if one.organization == "nordlicht" and one.role != "guest"][
        :PEOPLE
    ]
    ids = [str((await answered(running, one, "/api/v1/me/"))["id"]) for one in people]
    places = [await _make(running, people[0], ids[1:], number) for number in range(2)]
    with psycopg.connect(running.database_url("postgres"), autocommit=True) as database:
        before = _ended(database)
        crowd, until = Crowd(running, people, places), time.monotonic() + seconds
        await asyncio.gather(*(crowd.stir(until) for _ in range(AT_ONCE)))
        ended = _ended(database) - before
    done = crowd.answers[200]
    figure(bench="chaos", name="crossing: requests done", value=done, unit="requests", better="higher")
    figure(bench="chaos", name="crossing: ended by the database", value=ended, unit="transactions", goal=0)
    figure(
        bench="chaos", name="crossing: faults of the server", value=len(crowd.faults), unit="answers", goal=0
    )
    return crowd.faults


async def _make(running: Stack, person: Person, people: list[str], number: int) -> str:
    body = {"name": f"crossing {number} {time.time_ns()}", "people": people}
    made = await answered(running, person, "/api/v1/conversations/", method="POST", body=body)
    return str(made["id"])


def _ended(database: psycopg.Connection) -> int:
    row = database.execute(_ENDED).fetchone()
    return int(row[0]) if row else 0
