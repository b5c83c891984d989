"""Durable sending, closed loops of N senders: at the service boundary against pgbench's single rows, and over sockets.

Relay and worker stand still while the boundary is measured, and so while pgbench is: what follows from a message is not
what it costs to store one. Over the sockets everything runs as shipped.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import orjson
import psycopg
import uvloop

from tests.benchmarks.figures import cpu_seconds, figure, middle, percentile, progress
from tests.benchmarks.pgbench import SingleRows
from tests.benchmarks.stack import Stack, become_part, stack
from tests.benchmarks.wire import Client

if TYPE_CHECKING:
    from apps.accounts.types import Principal
    from tests.benchmarks.sending import Sent

SECONDS = {"quick": 3.0, "standard": 10.0, "full": 30.0}
ROUNDS = {"quick": 3, "standard": 3, "full": 5}
SENDERS = 256
PLAIN = "The quick brown fox jumps over the lazy dog, twice. " * 3
MARKDOWN = "The **quick** brown fox:\n\n- jumps over the `lazy` dog\n- reads https://example.org/ twice\n"


@dataclass(frozen=True)
class Seat:
    """A principal of its own, with a conversation of its own and a place in the one that all share."""

    principal: Principal
    key: str
    own: UUID
    shared: UUID


class Sender:
    """Sends one message after the other; the next leaves when the last is acknowledged."""

    def __init__(self, url: str, seat: Seat, body: str) -> None:
        self._url, self._key, self._conversation, self._body = url, seat.key, str(seat.own), body
        self._client: Client | None = None
        self._ack: asyncio.Future[None] | None = None
        self.latencies: list[float] = []

    async def open(self) -> None:
        """Connect."""
        client = Client(self._url, {"Authorization": f"Bearer {self._key}"}, self._on_frame)
        self._client = await client.connect()

    def _on_frame(self, payload: bytes) -> None:
        if payload.startswith(b'{"frame":"ack"') and self._ack is not None and not self._ack.done():
            self._ack.set_result(None)
        elif payload.startswith(b'{"frame":"error"'):
            raise RuntimeError(orjson.loads(payload)["code"])

    def close(self) -> None:
        """Leave."""
        if self._client is not None:
            self._client.close()

    async def run(self, until: float) -> None:
        """Send until the time is over."""
        assert self._client is not None
        loop = asyncio.get_running_loop()
        while (begun := time.perf_counter()) < until:
            self._ack = loop.create_future()
            self._client.send(
                {"frame": "send", "ref": "s", "conversation": self._conversation, "body": self._body,
                 "client_key": f"{id(self)}.{time.time_ns()}"}
            )  # fmt: skip
            await self._ack
            self.latencies.append(time.perf_counter() - begun)


def seats(running: Stack, count: int) -> list[Seat]:
    """Make principals: were they one person, every socket would receive every message."""
    become_part(running)
    from django.utils import timezone

    from apps.accounts.selectors.principals import principal_of_member
    from apps.accounts.services.api_keys import issue_for
    from apps.accounts.services.members import create_principal
    from apps.accounts.services.organizations import create_organization
    from apps.chat.services.conversations import create_channel
    from apps.chat.services.members import add_people
    from apps.core import tenancy

    organization_id = create_organization(slug="bench-send", name="Bench")
    with tenancy.use(organization_id):
        ids = [
            create_principal(organization_id=organization_id, kind="service", name=f"Sender {number}")
            for number in range(count)
        ]
        principals = [principal_of_member(organization_id=organization_id, user_id=pk) for pk in ids]
        shared = create_channel(principal=principals[0], name="shared")
        add_people(principal=principals[0], conversation_id=shared, people=ids[1:])
        expires_at = timezone.now() + timedelta(days=1)
        return [
            Seat(
                principal,
                issue_for(
                    organization_id=organization_id, owner_id=principal.id, name="bench",
                    scopes=["chat:read", "chat:write"], expires_at=expires_at,
                ).secret,
                create_channel(principal=principal, name=f"own {number}"), shared,
            )
            for number, principal in enumerate(principals)
        ]  # fmt: skip


async def over_sockets(running: Stack, places: list[Seat], body: str, seconds: float) -> list[float]:
    """Return the latencies of all acknowledged messages."""
    clients = [Sender(running.socket_url, seat, body) for seat in places]
    await asyncio.gather(*(client.open() for client in clients))
    until = time.perf_counter() + seconds
    await asyncio.gather(*(client.run(until) for client in clients))
    for client in clients:
        client.close()
    return [latency for client in clients for latency in client.latencies]


@contextmanager
def held(running: Stack, *names: str) -> Iterator[None]:
    """Let processes stand still, caught outside of every transaction: an open one would hold back the clean-up of rows."""
    pids = [running.pid(name) for name in names]
    open_ones = (
        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'chat_platform' AND xact_start IS NOT NULL"
    )
    try:
        with psycopg.connect(running.database_url("postgres"), autocommit=True) as database:
            for _ in range(200):
                for pid in pids:
                    os.kill(pid, signal.SIGSTOP)
                if database.execute(open_ones).fetchone() == (0,):
                    break
                for pid in pids:
                    os.kill(pid, signal.SIGCONT)
                time.sleep(0.2)
            else:
                raise RuntimeError("the relay is never idle")
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def boundary(running: Stack, made: list[Seat], rounds: int, seconds: float) -> None:
    """Print the figures of the service boundary; each ratio is the median of rounds, each with its own pgbench."""
    from tests.benchmarks.sending import closed_loop

    limit = SingleRows(running, PLAIN)
    ratios: dict[str, list[float]] = {}
    seen: dict[str, Sent] = {}
    for number in range(rounds + 1):  # the first makes the files grow that later ones write again
        single, alone = limit.per_second(32, seconds), limit.per_second(1, seconds)
        for name, count in (("1", 1), ("32", 32), ("256", SENDERS)):
            seen[name] = closed_loop([(seat.principal, seat.own) for seat in made[:count]], seconds)
        seen["hot"] = closed_loop([(seat.principal, seat.shared) for seat in made[:32]], seconds)
        progress(
            f"pgbench {single:.0f}/s, "
            + ", ".join(f"{name}: {one.per_second:.0f}/s" for name, one in seen.items())
        )
        if not number:
            continue
        for name, value in (
            ("pgbench_32", single), ("messages_32", seen["32"].per_second), ("messages_256", seen["256"].per_second),
            ("ratio_32", seen["32"].per_second / single), ("ratio_256", seen["256"].per_second / single),
            ("latency_alone", seen["1"].p50 * alone), ("hot", seen["hot"].per_second / seen["32"].per_second),
            ("p95_32", seen["32"].p95 * 1e3), ("p95_256", seen["256"].p95 * 1e3),
            ("cpu_32", seen["32"].cpu_us), ("cpu_256", seen["256"].cpu_us),
        ):  # fmt: skip
            ratios.setdefault(name, []).append(value)
    told = {name: middle(values) for name, values in ratios.items()}
    for name, label, unit, goal, better in (
        ("pgbench_32", "pgbench_32_single_rows", "1/s", None, "higher"),
        ("messages_32", "boundary_messages_32_senders", "1/s", None, "higher"),
        ("messages_256", "boundary_messages_256_senders", "1/s", None, "higher"),
        ("ratio_32", "boundary_to_pgbench_32_senders", "x", 0.8, "higher"),
        ("ratio_256", "boundary_to_pgbench_256_senders", "x", 1.5, "higher"),
        ("latency_alone", "boundary_latency_alone_to_pgbench", "x", 1.3, "lower"),
        ("hot", "boundary_hot_conversation_to_spread", "x", 0.9, "higher"),
        ("p95_32", "boundary_p95_32_senders", "ms", None, "lower"),
        ("p95_256", "boundary_p95_256_senders", "ms", None, "lower"),
        ("cpu_32", "boundary_cpu_32_senders", "us", None, "lower"),
        ("cpu_256", "boundary_cpu_256_senders", "us", None, "lower"),
    ):
        figure(bench="send", name=label, value=told[name], unit=unit, goal=goal, better=better)


def sockets(running: Stack, made: list[Seat], seconds: float) -> None:
    """Print the figures over sockets, plain texts and Markdown."""
    for kind, body in (("plain", PLAIN), ("markdown", MARKDOWN)):
        for senders in (1, 32, 128):
            begun = cpu_seconds(running.pid("web"))
            latencies = uvloop.run(over_sockets(running, made[:senders], body, seconds))
            cpu = (cpu_seconds(running.pid("web")) - begun) / max(1, len(latencies))
            name = f"socket_{kind}_{senders}_senders"
            rate = len(latencies) / seconds
            figure(bench="send", name=f"{name}_messages", value=rate, unit="1/s", better="higher")
            figure(bench="send", name=f"{name}_p95", value=percentile(latencies, 0.95) * 1e3, unit="ms")
            figure(bench="send", name=f"{name}_cpu", value=cpu * 1e6, unit="us")


def run(size: str) -> None:
    """Print the figures."""
    wide = {
        "CHATSYSTEM_MESSAGES_PER_MINUTE": "10000000", "CHATSYSTEM_MESSAGE_BURST": "1000000",
        "CHATSYSTEM_SOCKETS_PER_PRINCIPAL": "5000",
    }  # fmt: skip
    with stack(**wide) as running:
        made = seats(running, SENDERS)
        with held(running, "relay", "worker"):
            boundary(running, made, ROUNDS[size], SECONDS[size])
        sockets(running, made, SECONDS[size])
