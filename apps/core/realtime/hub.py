"""The hub of one web process: channels, who listens, and one Redis subscription for all of them."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from django.conf import settings
from prometheus_client import Counter, Gauge

from apps.core import faults
from apps.core.events import publishing
from apps.core.realtime import link as links
from apps.core.realtime.recent import Recent
from apps.core.realtime.sockets import Socket, text_frame

SUBSCRIBE_TIMEOUT_SECONDS = 2.0
logger = logging.getLogger(__name__)
sockets_open = Gauge(
    "chatsystem_sockets_open", "Open client sockets of this process", multiprocess_mode="livesum"
)
deliveries = Counter("chatsystem_frames_delivered_total", "Frames written to sockets")
slow_consumers = Counter("chatsystem_slow_consumers_total", "Sockets closed because they read too slowly")
_RESYNC = b'{"frame":"resync"}'
Listener = Callable[[bytes], None]


class Hub:
    """Delivers what Redis brings. Everything one read brought is joined and written once per socket.

    A lost Redis costs no fact: after reconnecting, every socket is told to compare its sequences (`resync`).
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._members: dict[bytes, set[Socket]] = defaultdict(set)
        self._listeners: dict[bytes, set[Listener]] = defaultdict(set)
        self._acknowledged: dict[bytes, asyncio.Future[None]] = {}
        self._subscription: links.RedisLink | None = None
        self._publisher: links.RedisLink | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._lost = asyncio.Event()
        self._connections = 0
        self._heard: dict[bytes, int] = {}
        self._recent = Recent()

    async def start(self) -> None:
        """Connect; where Redis is away, keep trying in the background."""
        if self._keeper is None:
            await self._connect()
            self._keeper = asyncio.get_running_loop().create_task(self._keep())

    async def stop(self) -> None:
        """Close both connections."""
        if self._keeper is not None:
            self._keeper.cancel()
            self._keeper = None
        for link in (self._subscription, self._publisher):
            if link is not None:
                link.close()

    async def join(self, channels: Iterable[str], socket: Socket, listener: Listener | None = None) -> None:
        """Deliver these channels to the socket; returns when Redis has confirmed, so nothing falls in between.

        Args:
            listener: called with each raw frame of these channels too (own streams: revocation, new conversations).
        """
        waiting = []
        for name in channels:
            channel = name.encode()
            first = not self._members[channel] and not self._listeners[channel]
            self._members[channel].add(socket)
            if listener is not None:
                self._listeners[channel].add(listener)
            if first:
                waiting.append(self._subscribe(channel))
            elif channel in self._acknowledged:
                waiting.append(self._acknowledged[channel])
        pending = [future for future in waiting if future is not None]
        if pending:
            await asyncio.wait(pending, timeout=SUBSCRIBE_TIMEOUT_SECONDS)

    def hand_over(self, channel: str, socket: Socket, to: Socket) -> None:
        """Deliver a channel that a socket has joined to another one from here on; no frame is lost or told twice."""
        members = self._members.get(channel.encode(), set())
        if socket in members:
            members.discard(socket)
            members.add(to)

    async def listen(self, channel: str, listener: Listener) -> Callable[[], int | None]:
        """Give a channel to a function of this process, for good.

        Returns:
            A function that returns None while frames do not arrive, else a number that changes with every gap.
        """
        name = channel.encode()
        self._heard.setdefault(name, 0)
        is_first = not self._members.get(name) and not self._listeners.get(name)
        self._listeners[name].add(listener)
        if is_first and (future := self._subscribe(name)) is not None:
            await asyncio.wait([future], timeout=SUBSCRIBE_TIMEOUT_SECONDS)

        def connection() -> int | None:
            link = self._subscription
            is_heard = link is not None and link.is_up and self._heard[name] == self._connections
            return self._connections if is_heard else None

        return connection

    def leave(self, channels: Iterable[str], socket: Socket, listener: Listener | None = None) -> None:
        """Stop delivering these channels to the socket."""
        for name in channels:
            channel = name.encode()
            members, listeners = self._members.get(channel), self._listeners.get(channel)
            if members is not None:
                members.discard(socket)
            if listeners is not None and listener is not None:
                listeners.discard(listener)
            if not members and not listeners:
                self._members.pop(channel, None)
                self._listeners.pop(channel, None)
                self._acknowledged.pop(channel, None)
                self._recent.drop(channel)
                if self._subscription is not None and self._subscription.is_up:
                    self._subscription.command(b"UNSUBSCRIBE", channel)

    def publish(self, items: Iterable[tuple[str, bytes, int]], *, wake: bool = True) -> None:
        """Publish (channel, frame, sequence), in the order of each channel, and remember the heads.

        While Redis is away, deliver in this process; the relay brings the others what they missed.
        """
        if self._publisher is None or not self._publisher.is_up:
            batch = [(channel.encode(), frame) for channel, frame, _ in items]
            publishing.publish_failures.inc(len(batch))
            self._deliver(batch)
            return
        count, expiry = 0, str(publishing.HEAD_SECONDS).encode()
        heads: dict[str, int] = {}
        for channel, frame, sequence in items:
            self._publisher.command(b"PUBLISH", channel.encode(), frame)
            heads[channel] = sequence
            count += 1
        for channel, sequence in heads.items():
            head = publishing.head_key(channel).encode()
            self._publisher.command(b"SET", head, str(sequence).encode(), b"EX", expiry)
        if wake:
            self._publisher.command(b"PUBLISH", publishing.WAKE_RELAY.encode(), b"1")
        publishing.published.labels("web").inc(count)

    def publish_ephemeral(self, channel: str, frame: bytes) -> None:
        """Publish a frame without a sequence; lost when Redis is away."""
        if self._publisher is not None and self._publisher.is_up:
            self._publisher.command(b"PUBLISH", channel.encode(), frame)

    def _subscribe(self, channel: bytes) -> asyncio.Future[None] | None:
        if self._subscription is None or not self._subscription.is_up:
            return None  # the next connection subscribes to everything, then tells all sockets to compare
        future = asyncio.get_running_loop().create_future()
        self._acknowledged[channel] = future
        self._subscription.command(b"SUBSCRIBE", channel)
        return future

    def missed(self, channel: str, sequence: int) -> list[bytes] | None:
        """Return the frames of a joined channel after a number, oldest first; None where the database has to say."""
        name = channel.encode()
        is_up = self._subscription is not None and self._subscription.is_up
        return self._recent.since(name, sequence) if is_up and name not in self._acknowledged else None

    async def _connect(self) -> bool:
        self._lost.clear()
        self._recent.clear()
        self._connections += 1
        try:
            self._subscription = await links.connect(self._url, self._on_batch, self._lost.set)
            self._publisher = await links.connect(self._url, _ignore, self._lost.set)
        except OSError as error:
            logger.warning("hub.redis_away", extra={"error": faults.told(error)})
            self._lost.set()
            return False
        channels = list(self._members.keys() | self._listeners.keys())
        for start in range(0, len(channels), 500):
            self._subscription.command(b"SUBSCRIBE", *channels[start : start + 500])
        return True

    async def _keep(self) -> None:
        """Reconnect with back-off and jitter; after a gap every socket compares its sequences."""
        delay = 0.1
        while True:
            await self._lost.wait()
            for link in (self._subscription, self._publisher):
                if link is not None:
                    link.close()
            await asyncio.sleep(delay * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, no secret
            delay = min(delay * 2, 2.0)
            if await self._connect():
                delay = 0.1
                self.push_to_all(_RESYNC)

    def push_to_all(self, payload: bytes) -> None:
        """Send one frame to every socket of this process."""
        framed = text_frame(payload)
        for socket in set().union(*self._members.values()):
            self._push(socket, framed if socket.framed else [payload])

    def _on_batch(self, batch: links.Batch) -> None:
        messages: list[tuple[bytes, bytes]] = []
        for reply in batch:
            if not isinstance(reply, list):
                continue
            if reply[0] == b"message":
                messages.append((reply[1], reply[2]))
            elif reply[0] == b"subscribe":
                # What came before was of a subscription that had ended: nobody knows what followed it.
                self._deliver(messages)
                messages = []
                self._recent.drop(reply[1])
                if reply[1] in self._heard:
                    self._heard[reply[1]] = self._connections
                future = self._acknowledged.pop(reply[1], None)
                if future is not None and not future.done():
                    future.set_result(None)
        if messages:
            self._deliver(messages)

    def _deliver(self, batch: list[tuple[bytes, bytes]]) -> None:
        grouped: dict[bytes, list[bytes]] = {}
        for channel, payload in batch:
            grouped.setdefault(channel, []).append(payload)
        for channel, payloads in grouped.items():
            members = self._members.get(channel)
            if members:
                self._recent.keep(channel, payloads)
                self._write(members, payloads)
            for listener in tuple(self._listeners.get(channel, ())):
                for payload in payloads:
                    listener(payload)

    def _write(self, members: set[Socket], payloads: list[bytes]) -> None:
        framed = b"".join(map(text_frame, payloads))
        gone = [socket for socket in members if not socket.push(framed if socket.framed else payloads)]
        deliveries.inc(len(payloads) * (len(members) - len(gone)))
        for socket in gone:
            members.discard(socket)
            slow_consumers.inc()
            socket.drop()

    def _push(self, socket: Socket, data: Any) -> None:
        if not socket.push(data):
            socket.drop()


def _ignore(_batch: links.Batch) -> None:
    """Replies to PUBLISH and SET carry nothing we need."""


@lru_cache(maxsize=8)
def _hub_of(loop: asyncio.AbstractEventLoop) -> Hub:  # noqa: ARG001 - the key
    return Hub(settings.REDIS_URL)


async def get_hub() -> Hub:
    """Return the hub of the running event loop, connected if Redis is there."""
    hub = _hub_of(asyncio.get_running_loop())
    await hub.start()
    return hub
