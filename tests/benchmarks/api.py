"""Server time of pages and endpoints on the demo data plus 10,000 messages, as the product itself logs it."""

from __future__ import annotations

import asyncio
import json
import re
import time
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from typing import Any

import psycopg

from tests.benchmarks import lists
from tests.benchmarks.figures import figure, percentile, progress
from tests.benchmarks.stack import Person, Stack, stack
from tests.benchmarks.wire import Client

ROUNDS = {"quick": 30, "standard": 100, "full": 300}
MESSAGES = 10_000
GOAL_MS = 80.0
# Events not yet in the feed and work that is asked for, and how far all consumers are. A cursor stands at the last event that was for it, so that
# "nothing moves" is what says that all of it is done.
_STANDING = (
    "SELECT (SELECT count(*) FROM core_eventoutbox) + (SELECT count(*) FROM runs_run WHERE finished_at IS NULL), "
    "(SELECT sum(position) FROM core_consumer)"
)
QUIET_SECONDS = 5


class Browser:
    """A signed-in person, as far as a page needs one."""

    def __init__(self, running: Stack, person: Person) -> None:
        self._base = running.base_url
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self._sign_in(person)

    def _sign_in(self, person: Person) -> None:
        page = self.get("/accounts/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        if token is None:
            raise RuntimeError("the sign-in page has no token")
        form = {"login": person.email, "password": person.password, "csrfmiddlewaretoken": token[1]}
        data = urllib.parse.urlencode(form).encode()
        request = urllib.request.Request(
            self._base + "/accounts/login/", data=data, headers={"Referer": self._base, "Accept": "text/html"}
        )
        self._opener.open(request, timeout=30).read()

    def get(self, path: str) -> str:
        """Return a page."""
        request = urllib.request.Request(self._base + path, headers={"Accept": "text/html"})
        answer = self._opener.open(request, timeout=30).read()
        return str(answer.decode())


def fill(running: Stack, conversation: str) -> None:
    """Send the messages through the product's own door."""

    async def send_all() -> None:
        acknowledged = 0

        def count(payload: bytes) -> None:
            nonlocal acknowledged
            acknowledged += payload.startswith(b'{"frame":"ack"')

        client = await Client(
            running.socket_url, {"Authorization": f"Bearer {running.person('owner').api_key}"}, count
        ).connect()
        for number in range(MESSAGES):
            client.send(
                {"frame": "send", "ref": "f", "conversation": conversation, "body": f"Message {number} about tower {number % 9}",
                 "client_key": f"fill-{number}"}
            )  # fmt: skip
            while number - acknowledged > 500:
                await asyncio.sleep(0.005)
        while acknowledged < MESSAGES:
            await asyncio.sleep(0.01)
        client.close()

    asyncio.run(send_all())


def settle(running: Stack) -> None:
    """Wait until everything that follows from the messages is done: a page is measured, not the fill beside it."""
    with psycopg.connect(running.database_url("chat_platform"), autocommit=True) as database:
        deadline, before, quiet = time.monotonic() + 600, None, 0
        while time.monotonic() < deadline:
            now = database.execute(_STANDING).fetchone()
            quiet = quiet + 1 if now == before and now is not None and now[0] == 0 else 0
            if quiet == QUIET_SECONDS:
                return
            before = now
            time.sleep(1)
    raise RuntimeError("the relay did not catch up within ten minutes")


def times(running: Stack, since: float) -> dict[str, list[float]]:
    """Return the logged server times in milliseconds by route."""
    found: dict[str, list[float]] = {}
    for line in (running.directory / "log" / "web.log").read_text().splitlines():
        try:
            entry: dict[str, Any] = json.loads(line)
        except ValueError:
            continue
        if entry.get("event") == "request" and entry["timestamp"] >= time.strftime(
            "%Y-%m-%dT%H:%M:%S", time.gmtime(since)
        ):
            found.setdefault(f"{entry['method']} {entry['route']}", []).append(float(entry["milliseconds"]))
    return found


def run(size: str) -> None:
    """Print the figures."""
    wide = {
        "CHATSYSTEM_MESSAGES_PER_MINUTE": "10000000", "CHATSYSTEM_MESSAGE_BURST": "1000000",
        "CHATSYSTEM_REQUESTS_PER_MINUTE": "1000000",
    }  # fmt: skip
    with stack(**wide) as running:
        owner = running.person("owner")
        listed = running.call(owner, "GET", "/api/v1/conversations/")["results"]
        conversation = next(row["id"] for row in listed if row["name"] == "betrieb-offshore")
        fill(running, conversation)
        progress(f"{MESSAGES} messages stored")
        settle(running)
        progress("all of them indexed")
        browser = Browser(running, owner)
        pages = {
            "sign_in": "/accounts/login/",
            "chat": f"/o/nordlicht/c/{conversation}/",
            "ask": "/o/nordlicht/ask/",
            "search": "/o/nordlicht/search/?q=" + urllib.parse.quote("Getriebe Temperatur"),
            "console_overview": "/o/nordlicht/console/",
        }
        visitor = urllib.request.build_opener()
        for path in pages.values():
            browser.get(path)
        since = time.time()
        for _ in range(ROUNDS[size]):
            for name, path in pages.items():
                if name == "sign_in":
                    request = urllib.request.Request(running.base_url + path, headers={"Accept": "text/html"})
                    visitor.open(request, timeout=30).read()
                else:
                    browser.get(path)
            running.call(owner, "GET", f"/api/v1/conversations/{conversation}/messages/?before=50")
            running.call(owner, "GET", "/api/v1/conversations/")
        for route, values in sorted(times(running, since).items()):
            if len(values) >= ROUNDS[size] // 2:
                figure(bench="api", name=f"p50 {route}", value=percentile(values, 0.5), unit="ms")
                figure(
                    bench="api", name=f"p95 {route}", value=percentile(values, 0.95), unit="ms", goal=GOAL_MS
                )
        lists.measure(running, conversation, size=size)
