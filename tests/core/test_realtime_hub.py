"""The hub: what is published arrives once per socket, slow readers go, a lost Redis is noticed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import pytest
from django.conf import settings

from apps.core.events import frames, publishing
from apps.core.realtime.hub import Hub
from apps.core.realtime.sockets import text_frame
from apps.core.redis import client

pytestmark = pytest.mark.usefixtures("redis")
STREAM = uuid4()
CHANNEL = f"c:{STREAM}"


class Reader:
    """A socket that keeps what it gets."""

    def __init__(self, *, framed: bool = True, slow: bool = False) -> None:
        self.framed, self.slow, self.dropped = framed, slow, False
        self.received: list[object] = []

    def push(self, data: object) -> bool:
        if self.slow:
            return False
        self.received.append(data)
        return True

    def drop(self) -> None:
        self.dropped = True


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until the condition holds, five seconds at most."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    """A connected hub of this test's loop."""
    made = Hub(settings.REDIS_URL)
    await made.start()
    yield made
    await made.stop()


async def test_a_published_frame_reaches_every_socket_of_its_channel(hub: Hub) -> None:
    first, second, other = Reader(), Reader(framed=False), Reader()
    await hub.join(["c:1"], first)
    await hub.join(["c:1"], second)
    await hub.join(["c:2"], other)
    hub.publish([("c:1", b'{"a":1}', 1)])
    await until(lambda: bool(first.received and second.received))
    assert first.received == [text_frame(b'{"a":1}')]
    assert second.received == [[b'{"a":1}']]
    assert other.received == []


async def test_frames_of_one_read_are_joined_into_one_write(hub: Hub) -> None:
    reader = Reader()
    await hub.join(["c:1"], reader)
    hub.publish([("c:1", b"%d" % number, number) for number in range(50)])
    await until(lambda: sum(len(part) for part in reader.received) == 50 * 2 + 40 * 2 + 10)  # type: ignore[arg-type]
    assert len(reader.received) < 50


async def test_publishing_remembers_the_head_of_the_channel(hub: Hub) -> None:
    reader = Reader()
    await hub.join(["c:1"], reader)
    hub.publish([("c:1", b"x", 7)])
    await until(lambda: bool(reader.received))
    await until(lambda: client().get(publishing.head_key("c:1")) == b"7")


async def test_a_slow_reader_is_dropped_and_the_others_go_on(hub: Hub) -> None:
    slow, quick = Reader(slow=True), Reader()
    await hub.join(["c:1"], slow)
    await hub.join(["c:1"], quick)
    hub.publish([("c:1", b"x", 1)])
    await until(lambda: bool(quick.received))
    assert slow.dropped


async def test_after_leaving_nothing_arrives(hub: Hub) -> None:
    reader, stays = Reader(), Reader()
    await hub.join(["c:1"], reader)
    await hub.join(["c:1"], stays)
    hub.leave(["c:1"], reader)
    hub.publish([("c:1", b"x", 1)])
    await until(lambda: bool(stays.received))
    assert reader.received == []


async def test_a_listener_hears_the_raw_frames_of_its_channel(hub: Hub) -> None:
    heard: list[bytes] = []
    await hub.join(["p:1"], Reader(), heard.append)
    hub.publish([("p:1", b"notice", 1)])
    await until(lambda: heard == [b"notice"])


async def test_after_a_lost_connection_every_socket_compares_its_sequences(hub: Hub) -> None:
    reader = Reader(framed=False)
    await hub.join(["c:1"], reader)
    client().execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    await until(lambda: reader.received == [[b'{"frame":"resync"}']])
    hub.publish([("c:1", b"again", 2)])
    await until(lambda: reader.received[-1] == [b"again"])


def event(sequence: int) -> bytes:
    encoded = frames.encode(type="reaction.added", stream_id=STREAM, sequence=sequence, payload=b"{}")
    assert encoded is not None
    return encoded[1]


async def test_who_comes_back_gets_what_this_process_heard_meanwhile(hub: Hub) -> None:
    stays = Reader(framed=False)
    await hub.join([CHANNEL], stays)
    assert hub.missed(CHANNEL, 0) is None
    hub.publish([(CHANNEL, event(number), number) for number in (1, 2, 3)])
    await until(lambda: hub.missed(CHANNEL, 0) == [event(1), event(2), event(3)])
    assert hub.missed(CHANNEL, 2) == [event(3)]


async def test_what_came_before_a_subscription_ended_says_nothing_of_what_came_after(hub: Hub) -> None:
    reader = Reader(framed=False)
    await hub.join([CHANNEL], reader)
    hub.publish([(CHANNEL, event(1), 1)])
    await until(lambda: hub.missed(CHANNEL, 0) == [event(1)])
    hub.leave([CHANNEL], reader)
    assert hub.missed(CHANNEL, 1) is None
    client().publish(CHANNEL, event(2))  # nobody hears it
    await hub.join([CHANNEL], reader)
    assert hub.missed(CHANNEL, 1) is None
    client().publish(CHANNEL, event(3))
    await until(lambda: hub.missed(CHANNEL, 2) == [event(3)])
    assert hub.missed(CHANNEL, 1) is None


async def test_a_frame_of_the_subscription_before_is_not_held_in_the_next(hub: Hub) -> None:
    """It comes in one read with the answer to the new subscription; what was published between them is lost."""
    reader = Reader(framed=False)
    await hub.join([CHANNEL], reader)
    hub._on_batch([[b"message", CHANNEL.encode(), event(5)], [b"subscribe", CHANNEL.encode(), 1]])
    assert reader.received == [[event(5)]]
    assert hub.missed(CHANNEL, 5) is None
    hub._on_batch([[b"subscribe", CHANNEL.encode(), 1], [b"message", CHANNEL.encode(), event(7)]])
    assert hub.missed(CHANNEL, 6) == [event(7)]


async def test_after_a_lost_connection_nothing_is_known_any_more(hub: Hub) -> None:
    reader = Reader(framed=False)
    await hub.join([CHANNEL], reader)
    hub.publish([(CHANNEL, event(1), 1)])
    await until(lambda: hub.missed(CHANNEL, 0) == [event(1)])
    client().execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    await until(lambda: reader.received[-1] == [b'{"frame":"resync"}'])
    assert hub.missed(CHANNEL, 1) is None


async def test_without_redis_frames_stay_in_the_process_and_joining_does_not_fail() -> None:
    alone = Hub("unix:///nowhere/redis.sock")
    await alone.start()
    reader = Reader(framed=False)
    deliver: Awaitable[None] = alone.join(["c:1"], reader)
    await deliver
    alone.publish([("c:1", b"x", 1)])
    assert reader.received == [[b"x"]]
    await alone.stop()


@pytest.mark.parametrize(
    ("size", "head"), [(5, b"\x81\x05"), (200, b"\x81\x7e\x00\xc8"), (70_000, b"\x81\x7f")]
)
def test_a_text_frame_has_the_length_of_its_payload(size: int, head: bytes) -> None:
    framed = text_frame(b"x" * size)
    assert framed.startswith(head)
    assert framed.endswith(b"x" * size)
