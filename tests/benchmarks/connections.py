"""Many connections and what they may not do to each other: idle ones, a stalled one, a slow query, a storm that returns.

Part of `./run bench realtime`. Goals 6, 10, 11 and 13 to 15 of the performance targets.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import psycopg
import redis as redis_client
import uvloop

from tests.benchmarks.crowd import opened
from tests.benchmarks.figures import figure, middle, progress
from tests.benchmarks.stack import Stack, become_part
from tests.benchmarks.targets import Crowd, Target, ours
from tests.benchmarks.wire import Client, masked

BENCH = "realtime"
IDLE = {"quick": 1000, "standard": 4000, "full": 8000}
SECONDS = {"quick": 2.0, "standard": 3.0, "full": 5.0}
AT_ONCE = 32
READERS, GENTLE, BUSY = 50, 100.0, 1000.0
ROOMS, OF_ONE, KEPT, MISSED, RETURNING = 400, 20, 50, 50, {"quick": 300, "standard": 1000, "full": 1000}
_GIB = 1024 * 1024  # KiB


def run(running: Stack, bare: Target, size: str) -> None:
    """Print the figures of one web process."""
    idle(running, bare, IDLE[size])
    deflated(running, SECONDS[size])
    stalled(running, SECONDS[size])
    slow_query(running, SECONDS[size])
    resumes(running, RETURNING[size])


def idle(running: Stack, bare: Target, count: int) -> None:
    """Open connections that wait, here signed in and told their conversations, there only accepted."""
    target = ours(running)
    headers = dict(line.split(": ", 1) for line in target.headers)
    told: dict[str, tuple[float, float]] = {}
    for name, pid, url, greeted in (
        ("own", target.pid, target.url, True), ("bare", bare.pid, bare.url, False),
    ):  # fmt: skip
        uvloop.run(
            _connect(url, headers if greeted else {}, 50, is_greeted=greeted)
        )  # what the first ones load stays
        before = _resident(pid)
        took = uvloop.run(
            _connect(
                url, headers if greeted else {}, count, is_greeted=greeted, look=lambda p=pid: _resident(p)
            )
        )
        told[name] = count / took[0], (took[1] - before) / count
        progress(f"{name}: {count} connections, {told[name][0]:.0f}/s, {told[name][1]:.1f} KiB each")
    (own_rate, own_size), (bare_rate, bare_size) = told["own"], told["bare"]
    figure(bench=BENCH, name="idle_connection", value=own_size, unit="KiB")
    figure(
        bench=BENCH,
        name="idle_connections_per_gib",
        value=_GIB / own_size,
        unit="x",
        goal=40_000,
        better="higher",
    )
    figure(bench=BENCH, name="idle_connection_to_bare", value=own_size / bare_size, unit="x", goal=2.2)
    figure(bench=BENCH, name="connects_signed_in", value=own_rate, unit="1/s", better="higher")
    figure(
        bench=BENCH, name="connects_to_bare", value=own_rate / bare_rate, unit="x", goal=0.4, better="higher"
    )


async def _connect(
    url: str,
    headers: dict[str, str],
    count: int,
    *,
    is_greeted: bool,
    look: Callable[[], float] = lambda: 0.0,
) -> tuple[float, float]:
    """Return the seconds until all are in, and what `look` saw while they were."""
    turn = asyncio.Semaphore(AT_ONCE)
    clients: list[Client] = []

    async def one() -> None:
        async with turn:
            greeted = asyncio.get_running_loop().create_future()

            def on_frame(payload: bytes) -> None:
                if payload.startswith(b'{"frame":"hello"') and not greeted.done():
                    greeted.set_result(None)

            client = Client(url, headers, on_frame if is_greeted else None)
            clients.append(await client.connect())
            if is_greeted:
                await greeted
                client.on_frame = None

    begun = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(count)))
    took = time.perf_counter() - begun
    await asyncio.sleep(1)  # what follows the greeting is done
    seen = look()
    for client in clients:
        client.close()
    await asyncio.sleep(0.5)
    return took, seen


def _resident(pid: int) -> float:
    """Return the memory of a process in KiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return float(line.split()[1])
    raise RuntimeError("no memory told")


def deflated(running: Stack, seconds: float) -> None:
    """Print what clients cost that offer compression, as browsers do, against those that do not."""
    plain = ours(running)
    offering = replace(
        ours(running), name="deflate offered",
        headers=(*plain.headers, "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"),
    )  # fmt: skip
    costs = []
    for target in (plain, offering):
        crowd = Crowd(target, READERS)
        try:
            crowd.step(GENTLE, 1)
            costs.append(crowd.step(BUSY, seconds).cpu_us)
        finally:
            crowd.end()
    figure(bench=BENCH, name="deflate_offered_cpu", value=costs[1] / costs[0], unit="x", goal=1.1)


def stalled(running: Stack, seconds: float) -> None:
    """Print what the others get while one client reads nothing, and what it costs the server."""
    target = ours(running)
    crowd = Crowd(target, READERS)
    try:
        crowd.step(BUSY, 1)
        alone = crowd.step(GENTLE, seconds)
        url = urlsplit(target.url)
        deaf = opened(str(url.hostname), int(url.port or 80), url.path, target.headers, receive_bytes=4096)
        with deaf:
            before = _resident(target.pid)
            crowd.step(BUSY, max(6.0, seconds))  # enough to fill every buffer on the way
            beside = crowd.step(GENTLE, seconds)
            grown = (_resident(target.pid) - before) / 1024
            is_closed = _is_closed(deaf)
    finally:
        crowd.end()
    figure(bench=BENCH, name="stalled_one_p95_of_the_others", value=beside.p95 * 1e3, unit="ms", goal=100)
    figure(bench=BENCH, name="stalled_one_p95_to_without", value=beside.p95 / alone.p95, unit="x", goal=1.2)
    figure(bench=BENCH, name="stalled_one_memory", value=max(0.0, grown), unit="MiB", goal=2)
    figure(bench=BENCH, name="stalled_one_is_closed", value=is_closed, unit="x", goal=1, better="higher")


def _is_closed(deaf: socket.socket) -> bool:
    """Read what is left until the server's end."""
    deaf.settimeout(5)
    try:
        while deaf.recv(1 << 16):
            pass
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True
    return True


def slow_query(running: Stack, seconds: float) -> None:
    """Print what the others get while a client's frames wait for the database: a row that somebody holds."""
    target = ours(running)
    conversation = UUID(json.loads(target.frame)["conversation"])
    crowd = Crowd(target, READERS)
    try:
        crowd.step(GENTLE, 1)
        alone = crowd.step(GENTLE, seconds)
        with _held_seats(running, conversation), _asking(target, conversation):
            beside = crowd.step(GENTLE, seconds)
    finally:
        crowd.end()
    figure(bench=BENCH, name="slow_query_p95_to_without", value=beside.p95 / alone.p95, unit="x", goal=1.5)
    figure(bench=BENCH, name="slow_query_complete", value=beside.complete, unit="x", goal=1, better="higher")


@contextmanager
def _held_seats(running: Stack, conversation: UUID) -> Iterator[None]:
    """Hold the rows that moving a read marker needs."""
    with psycopg.connect(running.database_url("postgres")) as database:
        database.execute("SELECT FROM chat_membership WHERE conversation_id = %s FOR UPDATE", [conversation])
        yield
        database.rollback()


@contextmanager
def _asking(target: Target, conversation: UUID) -> Iterator[None]:
    """A client whose frames wait for those rows."""
    url = urlsplit(target.url)
    with opened(str(url.hostname), int(url.port or 80), url.path, target.headers) as client:
        for number in range(4):
            frame = {
                "frame": "read",
                "ref": str(number),
                "conversation": str(conversation),
                "sequence": number + 1,
            }
            client.sendall(masked(1, json.dumps(frame).encode()))
        yield


def resumes(running: Stack, count: int) -> None:
    """Print how many returning clients are told what they missed: from memory, the database, and Redis streams."""
    become_part(running, process="web")
    uvloop.run(_resumes(running, count))


async def _resumes(running: Stack, count: int) -> None:
    from apps.accounts.models import Organization
    from apps.chat.selectors.resuming import Missing
    from apps.chat.services import batcher
    from apps.chat.services.arriving import get_arrivals
    from apps.core.events import frames
    from apps.core.realtime.recent import Recent
    from apps.core.threads import in_thread

    organization = (await in_thread(Organization.objects.get, slug="nordlicht")).pk
    streams = [uuid4() for _ in range(ROOMS)]
    payload = json.dumps({"message": {"body": "fox jumps over " * 9, "id": str(uuid4())}}).encode()
    told = {
        stream: [
            frames.encode(type="message.sent", stream_id=stream, sequence=number, payload=payload)
            for number in range(1, KEPT + 1)
        ]
        for stream in streams
    }
    with psycopg.connect(running.database_url("postgres"), autocommit=True) as database:
        with database.cursor().copy(
            "COPY core_event (organization_id, stream_id, sequence, type, payload, trace_id, created_at) FROM STDIN"
        ) as copy:
            for stream in streams:
                for number in range(1, KEPT + 1):
                    copy.write_row(
                        (organization, stream, number, "message.sent", payload.decode(), "", "2026-01-01")
                    )
        database.cursor().executemany(
            "INSERT INTO core_stream (id, organization_id, last_sequence) VALUES (%s, %s, %s)",
            [(stream, organization, KEPT) for stream in streams],
        )
        database.execute("ANALYZE core_event, core_stream")
    recent = Recent()
    redis = redis_client.asyncio.Redis.from_url(running.environment()["REDIS_URL"])
    for stream, encoded in told.items():
        for number, one in enumerate(encoded, 1):
            assert one is not None
            recent.keep(one[0].encode(), [one[1]])
            await redis.xadd(f"bench:{stream}", {"frame": one[1]}, id=f"1-{number}")
    # Each client is in rooms of its own choice, and misses some in each, 50 together.
    chance = random.Random(1)
    seen = [
        {
            stream: KEPT - (3 if place % 2 else 2)
            for place, stream in enumerate(chance.sample(streams, OF_ONE))
        }
        for _ in range(count)
    ]
    arrivals = get_arrivals()
    channels = {
        stream: f"c:{stream}" for stream in streams
    }  # as every open socket has those of its conversations

    async def from_database(after: dict[UUID, int]) -> int:
        missed = await arrivals.resume.ask(Missing(organization, after))
        return sum(map(len, missed.payloads.values()))

    async def from_memory(after: dict[UUID, int]) -> int:
        return sum(len(recent.since(channels[stream].encode(), last) or []) for stream, last in after.items())

    async def from_streams(after: dict[UUID, int]) -> int:
        asked = redis.pipeline(transaction=False)
        for stream, last in after.items():
            asked.xrange(f"bench:{stream}", min=f"(1-{last}")
        return sum(len(rows) for rows in await asked.execute())

    rates: dict[str, list[float]] = {}
    for _ in range(3):
        for name, way in (("database", from_database), ("memory", from_memory), ("streams", from_streams)):
            rates.setdefault(name, []).append(await _rate(way, seen))
    await redis.delete(*(f"bench:{stream}" for stream in streams))
    await redis.aclose()
    await batcher.close()
    own, memory, other = (middle(rates[name]) for name in ("database", "memory", "streams"))
    figure(bench=BENCH, name="resumes_from_the_database", value=own, unit="1/s", better="higher")
    figure(bench=BENCH, name="resumes_from_memory", value=memory, unit="1/s", better="higher")
    figure(
        bench=BENCH,
        name="resumes_database_to_redis_streams",
        value=own / other,
        unit="x",
        goal=2,
        better="higher",
    )
    figure(
        bench=BENCH, name="resumes_memory_to_database", value=memory / own, unit="x", goal=10, better="higher"
    )


async def _rate(way: Callable[[dict[UUID, int]], Awaitable[int]], clients: list[dict[UUID, int]]) -> float:
    left = iter(clients)

    async def one() -> None:
        for after in left:
            if await way(after) != MISSED:
                raise RuntimeError("not all was told")

    begun = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(AT_ONCE)))
    return len(clients) / (time.perf_counter() - begun)


def several_processes(running: Stack, seconds: float) -> None:
    """Print whether all of a room get everything when its members sit in several web processes."""
    crowd = Crowd(ours(running), 4 * READERS)
    try:
        crowd.step(20, 1)
        gentle, busy = crowd.step(20, seconds), crowd.step(250, seconds)
    finally:
        crowd.end()
    figure(
        bench=BENCH,
        name="four_processes_complete",
        value=gentle.complete and busy.complete,
        unit="x",
        goal=1,
        better="higher",
    )
    figure(bench=BENCH, name="four_processes_gentle_p95", value=gentle.p95 * 1e3, unit="ms", goal=100)
