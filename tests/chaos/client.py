"""A client that behaves as ours do: client keys, resume by sequence, load anew when too far behind."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import time
from typing import Any

import orjson

from tests.benchmarks.stack import Person, Stack
from tests.benchmarks.wire import Client
from tests.chaos.asking import history

_BACK_OFF_SECONDS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)
_ACK_SECONDS, _CONNECT_SECONDS = 3.0, 10.0


class ChaosClient:
    """One person in one conversation; keeps what it saw, in order, without doubles."""

    def __init__(self, running: Stack, person: Person, conversation: str) -> None:
        self._running, self._person, self._conversation = running, person, conversation
        self._client: Client | None = None
        self._acks: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._resumed: asyncio.Future[None] | None = None
        self._refs = itertools.count()
        self.head = 0
        self.seen: list[tuple[int, str]] = []
        self._held: dict[int, dict[str, Any]] = {}
        self.acknowledged: dict[str, int] = {}
        self.acknowledged_at: list[float] = []
        self.connects = self.reloads = 0
        self._is_too_far = False
        self.errors: dict[str, int] = {}

    async def connect(self) -> None:
        """Open the socket, again and again, then ask for what was missed; one that is too slow is dropped."""
        headers = {"Authorization": f"Bearer {self._person.api_key}"}
        for delay in itertools.chain(_BACK_OFF_SECONDS, itertools.repeat(1.0, 120)):
            client = Client(self._running.socket_url, headers, self._on_frame)
            try:
                self._client = await asyncio.wait_for(client.connect(), _CONNECT_SECONDS)
                self.connects += 1
                await self.resume()
            except (TimeoutError, OSError):
                client.close()
                await asyncio.sleep(delay * random.uniform(0.5, 1.5))
            else:
                return
        raise RuntimeError("the server did not come back")

    async def resume(self) -> None:
        """Ask for everything after the last number in order; too far behind, load it and ask for the rest."""
        while True:
            self._is_too_far = False
            self._resumed = asyncio.get_running_loop().create_future()
            self._write({"frame": "resume", "ref": "r", "conversations": {self._conversation: self.head}})
            await asyncio.wait_for(asyncio.shield(self._resumed), 5)
            if not self._is_too_far:
                return
            await self._reload()

    async def say(self, text: str, key: str) -> None:
        """Send until it is acknowledged; the key makes every repetition harmless."""
        while True:
            if self._client is None or self._client.is_closed:
                await self.connect()
            ref = str(next(self._refs))
            future = asyncio.get_running_loop().create_future()
            self._acks[ref] = future
            self._write(
                {
                    "frame": "send",
                    "ref": ref,
                    "conversation": self._conversation,
                    "body": text,
                    "client_key": key,
                }
            )
            try:
                ack = await asyncio.wait_for(future, _ACK_SECONDS)
            except TimeoutError:
                if self._client is not None:
                    self._client.close()
                continue
            finally:
                self._acks.pop(ref, None)
            if ack["frame"] == "ack":
                self.acknowledged[key] = ack["sequence"]
                self.acknowledged_at.append(time.monotonic())
                return
            self.errors[ack["code"]] = self.errors.get(ack["code"], 0) + 1
            await asyncio.sleep(0.2)

    async def follow(self) -> None:
        """Read along: come back after a break, and ask again when a number is missing for a while."""
        while True:
            stuck_at = self.head
            await asyncio.sleep(1)
            try:
                if self._client is None or self._client.is_closed:
                    await self.connect()
                elif self._held and self.head == stuck_at:
                    await self.resume()
            except (TimeoutError, OSError):
                if self._client is not None:
                    self._client.close()

    async def catch_up(self, head: int, *, seconds: float = 60) -> None:
        """Read until the conversation's head."""
        async with asyncio.timeout(seconds):
            while self.head < head:
                if self._client is None or self._client.is_closed:
                    await self.connect()
                else:
                    await asyncio.sleep(0.5)
                    if self.head < head:
                        with contextlib.suppress(asyncio.TimeoutError):
                            await self.resume()

    def close(self) -> None:
        """Leave."""
        if self._client is not None:
            self._client.close()

    async def _reload(self) -> None:
        self.reloads += 1
        head, found = await history(self._running, self._person, self._conversation)
        self.seen += [(number, key) for number, key in found if number > self.head]
        self.head = max(self.head, head)
        self._held = {number: frame for number, frame in self._held.items() if number > self.head}
        self._take_next()

    def _write(self, frame: dict[str, Any]) -> None:
        if self._client is not None and not self._client.is_closed:
            self._client.send(frame)

    def _on_frame(self, payload: bytes) -> None:
        frame = orjson.loads(payload)
        kind = frame["frame"]
        if kind in ("ack", "error") and (future := self._acks.get(frame.get("ref", ""))) is not None:
            if not future.done():
                future.set_result(frame)
        elif kind == "resync" and frame.get("conversation") == self._conversation:
            self._is_too_far = True
        elif kind == "resumed" and self._resumed is not None and not self._resumed.done():
            self._resumed.set_result(None)
        elif kind == "event" and frame["conversation"] == self._conversation:
            self._take(frame)

    def _take(self, frame: dict[str, Any]) -> None:
        """Take events in the order of their numbers; one that came early waits for the gap to be filled."""
        if frame["sequence"] <= self.head:
            return
        self._held[frame["sequence"]] = frame
        self._take_next()

    def _take_next(self) -> None:
        while (following := self._held.pop(self.head + 1, None)) is not None:
            self.head += 1
            if following["type"] == "message.sent":
                self.seen.append((self.head, following["data"]["message"]["client_key"]))
