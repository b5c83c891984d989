"""Durable sending at the service boundary, in one web process: compose, seat, client key, event, row security, commit."""

from __future__ import annotations

import asyncio
import gc
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import uvloop

from apps.accounts.services import access
from apps.accounts.types import Principal
from apps.chat.services import batcher, composing
from apps.core import tenancy
from tests.benchmarks.figures import percentile

BODY = "The quick brown fox jumps over the lazy dog, twice. " * 3


@dataclass(frozen=True)
class Sent:
    """A closed loop: everybody sends the next message once the last is committed."""

    per_second: float
    p50: float
    p95: float
    cpu_us: float


def closed_loop(places: Sequence[tuple[Principal, UUID]], seconds: float) -> Sent:
    """Send from all places at once, as the web process does, and return what it gave after a warm-up."""
    gc.collect()
    gc.freeze()  # as the web process does
    gc.set_threshold(10_000, 20, 20)
    with tenancy.use(places[0][0].organization_id):
        return uvloop.run(_run(places, seconds))


async def _run(places: Sequence[tuple[Principal, UUID]], seconds: float) -> Sent:
    collecting, numbers, run = await batcher.get_batcher(), itertools.count(), time.time_ns()

    async def send(principal: Principal, conversation: UUID, until: float, latencies: list[float]) -> None:
        while (begun := time.perf_counter()) < until:
            access.require(principal, "message.send")
            draft = composing.compose(
                principal=principal,
                conversation_id=conversation,
                body=BODY,
                client_key=f"{run}.{next(numbers)}",
            )
            await collecting.submit(draft)
            latencies.append(time.perf_counter() - begun)

    async def all_of_them(length: float) -> list[float]:
        latencies: list[float] = []
        until = time.perf_counter() + length
        await asyncio.gather(*(send(*place, until, latencies) for place in places))
        return latencies

    await all_of_them(min(1.0, seconds / 3))
    begun, cpu = time.perf_counter(), time.process_time()
    latencies = await all_of_them(seconds)
    took, used = time.perf_counter() - begun, time.process_time() - cpu
    await batcher.close()
    return Sent(
        len(latencies) / took,
        percentile(latencies, 0.5),
        percentile(latencies, 0.95),
        used / len(latencies) * 1e6,
    )
