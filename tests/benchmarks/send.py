"""Durable sending over the socket: closed loop of N senders, against pgbench's single-row inserts in the same run."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import tempfile
import time
from urllib.parse import parse_qs, urlsplit

import orjson
import uvloop

from chatsystem.supervisor.binaries import postgres_directory
from tests.benchmarks.figures import figure, percentile, progress
from tests.benchmarks.stack import Stack, stack
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


async def closed_loop(running: Stack, conversations: list[str], senders: int, seconds: float) -> list[float]:
    """Return the latencies of all acknowledged messages."""
    key = running.person("owner").api_key
    url = running.socket_url
    clients = [Sender(url, key, conversations[number % len(conversations)]) for number in range(senders)]
    await asyncio.gather(*(client.open() for client in clients))
    until = time.perf_counter() + seconds
    await asyncio.gather(*(client.run(until) for client in clients))
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
        owner = running.person("owner")
        made = [
            running.call(
                owner, "POST", "/api/v1/conversations/", {"name": f"bench {number} {time.time_ns()}"}
            )["id"]
            for number in range(20)
        ]
        rates = {}
        for senders in (1, 32, 128):
            latencies = uvloop.run(closed_loop(running, made, senders, seconds))
            rates[senders] = len(latencies) / seconds
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
        hot = uvloop.run(closed_loop(running, made[:1], 32, seconds))
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
