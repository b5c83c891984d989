"""Fan-out of one conversation: our socket (every message committed first) against Channels with its Redis layer.

Both are loaded the same way in the same run: N readers in one room, one sender at a rate; the best rate is the highest at
which p95 stays below 250 ms and every message reached every reader at most 250 ms after the last was sent.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import uvloop

from tests.benchmarks.figures import cpu_seconds, figure, middle, percentile, progress
from tests.benchmarks.stack import ROOT, Stack, free_port, stack
from tests.benchmarks.wire import Client

LATE_SECONDS = 0.25
SIZES = {"quick": (200, 3.0), "standard": (200, 6.0), "full": (1000, 8.0)}
RATES = (2, 5, 10, 20, 40, 80, 160, 320, 640, 1280, 2000, 3000, 4500)
_TEXT = "The quick brown fox jumps over the lazy dog, twice. "


@dataclass
class Target:
    """A server under load."""

    name: str
    pid: int
    open: Callable[[Callable[[bytes], None] | None], Awaitable[Client]]
    send: Callable[[Client, float, int], None]
    find_time: Callable[[bytes], float | None]


@dataclass
class Round:
    """What one rate gave."""

    rate: float
    sent: int
    delivered: int
    expected: int
    p50: float
    p95: float
    late: bool
    cpu_us: float

    @property
    def holds(self) -> bool:
        """The rate is good."""
        return self.delivered >= self.expected and self.p95 <= LATE_SECONDS and not self.late


async def measure(
    target: Target, readers: list[Client], times: list[float], sender: Client, rate: float, seconds: float
) -> Round:
    """Send at a rate for some seconds and see what arrives."""
    times.clear()
    before, cpu = sum(reader.frames for reader in readers), cpu_seconds(target.pid)
    begun, sent = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - begun) < seconds:
        for _ in range(int(elapsed * rate) + 1 - sent):
            target.send(sender, time.time(), sent)
            sent += 1
        await asyncio.sleep(min(0.005, 1 / rate))
    expected, last = sent * len(readers), time.perf_counter()
    while (delivered := sum(reader.frames for reader in readers) - before) < expected:
        if time.perf_counter() - last > 5:
            break
        await asyncio.sleep(0.01)
    late = time.perf_counter() - last > LATE_SECONDS
    used = cpu_seconds(target.pid) - cpu
    return Round(
        rate, sent, delivered, expected, percentile(times or [9.9], 0.5), percentile(times or [9.9], 0.95), late,
        used / max(1, delivered) * 1e6,
    )  # fmt: skip


async def load(target: Target, count: int, seconds: float) -> list[Round]:
    """Raise the rate until it does not hold."""
    times: list[float] = []

    def look(payload: bytes) -> None:
        sent_at = target.find_time(payload)
        if sent_at is not None:
            times.append(time.time() - sent_at)

    sampled = max(1, count // 50)
    readers = [await target.open(look if number < sampled else None) for number in range(count)]
    sender = await target.open(lambda _payload: None)
    await asyncio.sleep(1)
    await measure(target, readers, times, sender, 2, 1)
    rounds: list[Round] = []
    for rate in RATES:
        result = await measure(target, readers, times, sender, rate, seconds)
        progress(
            f"{target.name} N={count} {rate}/s: {result.delivered}/{result.expected}, p95 {result.p95 * 1e3:.0f} ms"
        )
        rounds.append(result)
        if not result.holds:
            break
        await asyncio.sleep(0.3)
    for client in [*readers, sender]:
        client.close()
    return rounds


def ours(running: Stack) -> Target:
    """Our socket: one conversation, a key of its owner."""
    owner = running.person("owner")
    channel = running.call(owner, "POST", "/api/v1/conversations/", {"name": f"bench {time.time_ns()}"})["id"]

    async def open_client(on_frame: Callable[[bytes], None] | None) -> Client:
        client = Client(running.socket_url, {"Authorization": f"Bearer {owner.api_key}"}, on_frame)
        return await client.connect()

    def send(client: Client, now: float, number: int) -> None:
        client.send(
            {"frame": "send", "ref": str(number), "conversation": channel, "body": f"{now:.6f} {_TEXT}",
             "client_key": f"{time.time_ns()}.{number}"}
        )  # fmt: skip

    def find_time(payload: bytes) -> float | None:
        if not payload.startswith(b'{"frame":"event"') or b'"message.sent"' not in payload:
            return None
        return float(orjson.loads(payload)["data"]["message"]["body"].split(" ", 1)[0])

    return Target("chatsystem", running.pid("web"), open_client, send, find_time)


@contextmanager
def naive(running: Stack) -> Iterator[Target]:
    """The comparison on the same Redis, in one uvicorn process."""
    port = free_port()
    environment = os.environ | {
        name: value for name, value in running.environment().items() if name == "REDIS_URL"
    }
    command = [
        sys.executable, "-m", "uvicorn", "tests.benchmarks.naive:application", "--port", str(port), "--lifespan", "off",
        "--log-level", "warning", "--ws-per-message-deflate", "false",
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        os.sched_setaffinity(process.pid, {0})

        async def open_client(on_frame: Callable[[bytes], None] | None) -> Client:
            for _ in range(100):
                try:
                    return await Client(f"ws://127.0.0.1:{port}/ws/", {}, on_frame).connect()
                except ConnectionError:
                    await asyncio.sleep(0.1)
            raise RuntimeError("the comparison did not start")

        def send(client: Client, now: float, number: int) -> None:
            client.send({"t": now, "n": number, "text": _TEXT * 2})

        def find_time(payload: bytes) -> float | None:
            return float(orjson.loads(payload)["t"])

        yield Target("channels", process.pid, open_client, send, find_time)
    finally:
        process.terminate()
        process.wait(10)


async def gentle(running: Stack, seconds: float) -> list[float]:
    """Return the latencies from send to received frame at 20 messages/s with 50 clients."""
    target, times = ours(running), []

    def look(payload: bytes) -> None:
        sent_at = target.find_time(payload)
        if sent_at is not None:
            times.append(time.time() - sent_at)

    readers = [await target.open(look) for _ in range(50)]
    sender = await target.open(None)
    await asyncio.sleep(0.5)
    await measure(target, readers, times, sender, 20, 1)
    times.clear()
    await measure(target, readers, times, sender, 20, seconds)
    for client in [*readers, sender]:
        client.close()
    return times


def best(rounds: list[Round], count: int) -> float:
    """Return deliveries/s of the highest rate that held."""
    return max((one.rate * count for one in rounds if one.holds), default=0.0)


def run(size: str) -> None:
    """Print the figures."""
    count, seconds = SIZES[size]
    wide: dict[str, Any] = {
        "CHATSYSTEM_MESSAGES_PER_MINUTE": "10000000", "CHATSYSTEM_MESSAGE_BURST": "1000000",
        "CHATSYSTEM_SOCKETS_PER_PRINCIPAL": "5000",
    }  # fmt: skip
    with stack(**wide) as running:
        os.sched_setaffinity(running.pid("web"), {0})
        os.sched_setaffinity(0, {1})
        latencies = uvloop.run(gentle(running, seconds))
        mine = uvloop.run(load(ours(running), count, seconds))
        with naive(running) as target:
            theirs = uvloop.run(load(target, count, seconds))
    own, other = best(mine, count), best(theirs, count)
    print_figures(count, own, other, mine, theirs, latencies)


def print_figures(
    count: int, own: float, other: float, mine: list[Round], theirs: list[Round], latencies: list[float]
) -> None:
    """Print what was measured and what it is compared with."""
    bench = "realtime"
    figure(bench=bench, name="gentle_p50_50_clients", value=percentile(latencies, 0.5) * 1e3, unit="ms")
    figure(
        bench=bench, name="gentle_p95_50_clients", value=percentile(latencies, 0.95) * 1e3, unit="ms", goal=60
    )
    figure(bench=bench, name=f"best_deliveries_n{count}", value=own, unit="1/s", better="higher")
    figure(
        bench=bench, name=f"channels_redis_best_deliveries_n{count}", value=other, unit="1/s", better="higher"
    )
    if other:
        figure(
            bench=bench,
            name=f"ratio_to_channels_redis_n{count}",
            value=own / other,
            unit="x",
            goal=20,
            better="higher",
        )
    held = [one.cpu_us for one in mine if one.holds]
    compared = [one.cpu_us for one in theirs if one.holds]
    if held and compared:
        figure(bench=bench, name="cpu_per_delivery", value=held[-1], unit="us")
        figure(bench=bench, name="channels_redis_cpu_per_delivery", value=middle(compared[-2:]), unit="us")
