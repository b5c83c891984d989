"""Durable sending over the socket: closed loop of N senders, against pgbench's single-row inserts in the same run."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import orjson
import uvloop

from chatsystem.supervisor.binaries import postgres_directory
from tests.benchmarks.figures import cpu_seconds, figure, percentile, progress
from tests.benchmarks.stack import Stack, become_part, stack
from tests.benchmarks.wire import Client

SECONDS = {"quick": 6.0, "standard": 15.0, "full": 40.0}
_BODY = "The quick brown fox jumps over the lazy dog, twice. " * 3


class Sender:
    """Sends one message after the other; the next leaves when the last is acknowledged."""

    def __init__(self, url: str, key: str, conversation: str) -> None:
        self._url, self._key, self._conversation = url, key, conversation
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
                {"frame": "send", "ref": "s", "conversation": self._conversation, "body": _BODY,
                 "client_key": f"{id(self)}.{time.time_ns()}"}
            )  # fmt: skip
            await self._ack
            self.latencies.append(time.perf_counter() - begun)


@dataclass(frozen=True)
class Seat:
    """A principal of its own, with a conversation of its own and a place in the one that all share."""

    key: str
    own: str
    shared: str


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
                issue_for(
                    organization_id=organization_id, owner_id=principal.id, name="bench",
                    scopes=["chat:read", "chat:write"], expires_at=expires_at,
                ).secret,
                str(create_channel(principal=principal, name=f"own {number}")), str(shared),
            )
            for number, principal in enumerate(principals)
        ]  # fmt: skip


async def closed_loop(running: Stack, places: list[tuple[str, str]], seconds: float) -> list[float]:
    """Return the latencies of all acknowledged messages of senders, each (key, conversation)."""
    clients = [Sender(running.socket_url, key, conversation) for key, conversation in places]
    await asyncio.gather(*(client.open() for client in clients))
    until = time.perf_counter() + seconds
    await asyncio.gather(*(client.run(until) for client in clients))
    for client in clients:
        client.close()
    return [latency for client in clients for latency in client.latencies]


def pgbench(running: Stack, clients: int, seconds: float) -> float:
    """Return transactions/s of one-row inserts with one commit each, on the same server."""
    url = urlsplit(running.database_url("chat_platform"))  # past the walls: its rows are of no organization
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    where = [
        "-h",
        query.get("host", url.hostname or ""),
        "-U",
        url.username or "",
        url.path.lstrip("/"),
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(
            f"INSERT INTO core_deadletter (consumer, position, organization_id, event_type, event, error, attempts, state, created_at) VALUES ('bench', nextval('core_deadletter_id_seq'), gen_random_uuid(), 'bench', '{{}}', '{_BODY}', 1, 'dismissed', now());\n"
        )
        script.flush()
        command = [
            str(postgres_directory() / "pgbench"), "-n", "-c", str(clients), "-j", "1", "-M", "prepared",
            "-T", str(int(seconds)), "-f", script.name, *where,
        ]  # fmt: skip
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"tps = ([\d.]+)", output)
    if found is None:
        raise RuntimeError(output)
    return float(found[1])


def run(size: str) -> None:
    """Print the figures."""
    seconds = SECONDS[size]
    wide = {
        "CHATSYSTEM_MESSAGES_PER_MINUTE": "10000000", "CHATSYSTEM_MESSAGE_BURST": "1000000",
        "CHATSYSTEM_SOCKETS_PER_PRINCIPAL": "5000",
    }  # fmt: skip
    with stack(**wide) as running:
        os.sched_setaffinity(running.pid("web"), {0})
        os.sched_setaffinity(0, {1})
        made = seats(running, 128)
        rates = {}
        for senders in (1, 32, 128):
            begun = cpu_seconds(running.pid("web"))
            latencies = uvloop.run(
                closed_loop(running, [(seat.key, seat.own) for seat in made[:senders]], seconds)
            )
            rates[senders] = len(latencies) / seconds
            cpu = (cpu_seconds(running.pid("web")) - begun) / max(1, len(latencies))
            progress(f"{senders} senders: {rates[senders]:.0f}/s")
            figure(
                bench="send",
                name=f"messages_{senders}_senders",
                value=rates[senders],
                unit="1/s",
                better="higher",
            )
            figure(
                bench="send",
                name=f"p95_{senders}_senders",
                value=percentile(latencies, 0.95) * 1e3,
                unit="ms",
            )
            figure(bench="send", name=f"cpu_{senders}_senders", value=cpu * 1e6, unit="us")
        hot = uvloop.run(closed_loop(running, [(seat.key, seat.shared) for seat in made[:32]], seconds))
        figure(
            bench="send", name="hot_conversation_to_spread_32", value=len(hot) / seconds / rates[32], unit="x",
            goal=0.9, better="higher",
        )  # fmt: skip
        single = pgbench(running, 32, seconds)
        figure(bench="send", name="pgbench_32_single_rows", value=single, unit="1/s", better="higher")
        figure(
            bench="send",
            name="ratio_to_pgbench_32",
            value=rates[32] / single,
            unit="x",
            goal=0.8,
            better="higher",
        )
