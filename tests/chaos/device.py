"""One of several devices of a person: a socket that breaks and comes back, and what it shows of some conversations."""

from __future__ import annotations

import asyncio
import itertools
import time
import urllib.error
from typing import Any

import orjson

from tests.benchmarks.stack import Person, Stack
from tests.benchmarks.wire import Client
from tests.chaos.views import Json, View

PAGE = 200
_LOOK_SECONDS = 0.05
_ASK_SECONDS = 0.3  # counts are asked for at most so often
_ANSWER_SECONDS = 5.0


class Device:
    """A client as an integrator writes one.

    Attributes:
        views: the conversations of the trial that the person is in, as this device knows them.
        own: number of the last notice it was told.
        breaks, loads, asks: lines lost, conversations loaded anew, counts asked for.
    """

    def __init__(self, running: Stack, person: Person, me: str, conversations: list[str]) -> None:
        self._running, self._person, self.me = running, person, me
        self._wanted = conversations
        self._client: Client | None = None
        self._refs = itertools.count()
        self._waiting: dict[str, asyncio.Future[Json]] = {}
        self._early: dict[str, dict[int, Json]] = {}
        self._early_notices: dict[int, Json] = {}
        self._to_load: set[str] = set()
        self._missed: dict[str, list[Json]] = {}
        self._resuming: set[str] = set()
        self._asked_at = 0.0
        self._away_until = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self.views: dict[str, View] = {}
        self.own: int | None = None
        self.heads: tuple[dict[str, int], int] = ({}, 0)
        self.bell = 0
        self.breaks = self.loads = self.asks = 0

    # What a test does with it

    @property
    def is_online(self) -> bool:
        """Whether there is a line."""
        return self._client is not None and not self._client.is_closed

    @property
    def is_settled(self) -> bool:
        """Whether it waits for nothing that it knows of."""
        waits = self._to_load or self._resuming or any(self._early.values()) or self._early_notices
        return self.is_online and not waits and not any(view.is_uncertain for view in self.views.values())

    def cut(self, seconds: float) -> None:
        """Lose the line for a while, in the middle of whatever is told."""
        self.breaks += 1
        self._away_until = time.monotonic() + seconds
        if self._client is not None:
            self._client.close()

    async def ask(self, **frame: Any) -> Json:
        """Send a frame and return its answer: of a kind of its own, or an error.

        Raises:
            ConnectionError: the line broke before the answer came.
        """
        if not self.is_online or self._client is None:
            raise ConnectionError
        ref = f"r{next(self._refs)}"
        future = self._waiting[ref] = asyncio.get_running_loop().create_future()
        self._client.send({**frame, "ref": ref})
        try:
            return await asyncio.wait_for(future, _ANSWER_SECONDS)
        except TimeoutError as error:
            self._client.close()
            raise ConnectionError from error
        finally:
            self._waiting.pop(ref, None)

    async def live(self) -> None:
        """Come back after breaks, load what is missing, ask what cannot be counted, until cancelled."""
        try:
            while True:
                if not self.is_online:
                    await self._come_back()
                elif self._to_load:
                    await self._load(next(iter(self._to_load)))
                elif time.monotonic() - self._asked_at > _ASK_SECONDS:
                    await self._ask_counts()
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            if self._client is not None:
                self._client.close()
            for task in self._tasks:
                task.cancel()

    def state(self) -> Json:
        """Return all that it shows."""
        return {
            "conversations": {
                f"{number}": self.views[pk].state()
                for number, pk in enumerate(self._wanted)
                if pk in self.views
            },
            "bell": self.bell,
        }

    def fetched_threads(self) -> dict[str, Json | None]:
        """Return what the server said of the threads below all messages it fetched."""
        return {pk: told for view in self.views.values() for pk, told in view.threads_counted().items()}

    async def get(self, path: str) -> Any:
        """Read over the API."""
        return await asyncio.to_thread(self._running.call, self._person, "GET", f"/api/v1/{path}")

    # The line

    async def _come_back(self) -> None:
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ConnectionError())
        if (wait := self._away_until - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        self._early, self._early_notices, self._resuming = {}, {}, set()
        headers = {"Authorization": f"Bearer {self._person.api_key}"}
        client = Client(self._running.socket_url, headers, self._on_frame)
        hello = self._waiting["hello"] = asyncio.get_running_loop().create_future()
        try:
            self._client = await asyncio.wait_for(client.connect(), _ANSWER_SECONDS)
            self._welcome(await asyncio.wait_for(hello, _ANSWER_SECONDS))
        except (TimeoutError, OSError):
            client.close()

    def _welcome(self, hello: Json) -> None:
        """Compare what the server names with what is known: forget, load, or ask for what was missed."""
        mine = hello["conversations"]
        self.heads = mine, hello["sequence"]
        for gone in self.views.keys() - mine.keys():
            del self.views[gone]
        is_lost = self.own is None
        if self.own is None:
            self.own = hello["sequence"]
        self._to_load |= {pk for pk in self._wanted if pk in mine and (is_lost or pk not in self.views)}
        self._spawn_resume({pk: view.head for pk, view in self.views.items()}, self.own)

    def _on_frame(self, payload: bytes) -> None:
        frame = orjson.loads(payload)
        name = frame["frame"]
        if name == "event":
            self._on_event(frame)
        elif name == "notice":
            self._on_notice(frame)
        elif name == "resync":
            self._on_resync(frame)
        else:
            future = self._waiting.get("hello" if name == "hello" else frame.get("ref", ""))
            if future is not None and not future.done():
                future.set_result(frame)

    def _on_resync(self, frame: Json) -> None:
        if "conversation" not in frame:  # the server lost its own line for a moment
            self._spawn_resume({pk: view.head for pk, view in self.views.items()}, self.own)
        elif frame["conversation"] is None:  # the own stream is too far ahead: begin anew
            self.own = None
            self.cut(0)
        elif frame["conversation"] in self._wanted:
            self._to_load.add(frame["conversation"])

    # What is told

    def _on_event(self, frame: Json) -> None:
        pk, number = frame["conversation"], frame["sequence"]
        if pk in self._missed:
            self._missed[pk].append(frame)
        view = self.views.get(pk)
        if view is None or number <= view.head:
            return
        self._early.setdefault(pk, {})[number] = frame
        self._deliver(pk, view)
        if self._early[pk] and pk not in self._resuming:
            self._spawn_resume({pk: view.head}, None)

    def _deliver(self, pk: str, view: View, *, is_all: bool = False) -> None:
        """Apply what follows; after a resume also what follows a hole, for nothing in it is for us."""
        early = self._early.setdefault(pk, {})
        for number in sorted(early):
            if not is_all and number > view.head + 1:
                break
            frame = early.pop(number)
            if number > view.head:
                view.take(number, frame["type"], frame["data"])

    def _on_notice(self, frame: Json) -> None:
        if self.own is None or frame["sequence"] <= self.own:
            return
        self._early_notices[frame["sequence"]] = frame
        self._deliver_notices()
        if self._early_notices and "own" not in self._resuming:
            self._spawn_resume({}, self.own)

    def _deliver_notices(self, *, is_all: bool = False) -> None:
        for number in sorted(self._early_notices):
            if self.own is None or (not is_all and number > self.own + 1):
                break
            frame = self._early_notices.pop(number)
            if number > self.own:
                self.own = number
                self._notice(frame["type"], frame["data"])

    def _notice(self, kind: str, data: Json) -> None:
        pk = data.get("conversation") or ""
        if kind.startswith("notification."):
            self.bell = data["unread"]
        elif kind == "conversation.added" and pk in self._wanted:
            self._to_load.add(pk)
        elif kind == "conversation.removed":
            self.views.pop(pk, None)
            self._to_load.discard(pk)
        elif pk in self.views:
            self.views[pk].notice(kind, data)

    def _spawn_resume(self, heads: dict[str, int], own: int | None) -> None:
        asked = {*heads, *(["own"] if own is not None else [])}
        self._resuming |= asked
        task = asyncio.get_running_loop().create_task(self._resume(heads, own, asked))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _resume(self, heads: dict[str, int], own: int | None, asked: set[str]) -> None:
        """Ask for what was missed; what waited behind a hole follows."""
        asking = {pk: self.views.get(pk) for pk in heads}
        try:
            await self.ask(frame="resume", conversations=heads, **({} if own is None else {"notices": own}))
        except ConnectionError:
            return  # the next line begins with it
        self._resuming -= asked
        for pk, view in asking.items():
            if view is not None and self.views.get(pk) is view:
                self._deliver(pk, view, is_all=True)
        if own is not None:
            self._deliver_notices(is_all=True)

    # What is asked for

    async def _load(self, pk: str) -> None:
        """Load a conversation anew; what is told meanwhile comes on top, and what fell in between is asked for."""
        self.loads += 1
        self._missed[pk] = []
        own = self.own
        try:
            view = await self._fetch(pk)
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            self._to_load.discard(pk)  # left meanwhile
            self.views.pop(pk, None)
            return
        finally:
            told = self._missed.pop(pk)
        if own != self.own or pk not in self._to_load:
            return  # something of one's own was told meanwhile, which the answers may not show yet: once more
        self._to_load.discard(pk)
        self.views[pk] = view
        self._early[pk] = {frame["sequence"]: frame for frame in told if frame["sequence"] > view.head}
        self._spawn_resume({pk: view.head}, None)

    async def _fetch(self, pk: str) -> View:
        path = f"conversations/{pk}"
        page = await self.get(f"{path}/messages/?anchor=newest&before={PAGE - 1}&after=1")
        view = View(self.me, page["last_sequence"])
        view.learn(page["messages"], page["last_sequence"])
        while not page["found_oldest"]:
            anchor = page["messages"][0]["id"]
            page = await self.get(f"{path}/messages/?anchor={anchor}&before={PAGE - 1}&after=1")
            view.learn(
                [one for one in page["messages"] if one["id"] not in view.messages], page["last_sequence"]
            )
        for root in [one["id"] for one in view.messages.values() if one["replies"]]:
            thread = await self.get(f"{path}/messages/?thread={root}&before={PAGE}")
            view.learn(thread["messages"], thread["last_sequence"])
        for topic in (await self.get(f"{path}/topics/?limit=100"))["results"]:
            view.meet(topic)
        view.members = {one["id"] for one in (await self.get(f"{path}/members/"))["results"]}
        shown = await self.get(f"{path}/")
        view.preferences = {name: shown[name] for name in ("is_muted", "is_starred")}
        view.count(await self.get(f"{path}/unread/"))
        self.bell = (await self.get("me/notifications/unread/"))["unread"]
        return view

    async def _ask_counts(self) -> None:
        """Ask for the counts of what is uncertain; an answer that something overtook is asked for again."""
        for pk, view in list(self.views.items()):
            if view.is_uncertain:
                self._asked_at = time.monotonic()
                self.asks += 1
                own = self.own
                try:
                    told = await self.get(f"conversations/{pk}/unread/")
                except urllib.error.HTTPError as error:
                    if error.code != 404:
                        raise
                    continue  # left meanwhile; the notice is on its way
                if own == self.own and told["up_to"] >= view.head and self.views.get(pk) is view:
                    view.count(told)
