"""Servers under load, and the load: a crowd of readers in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from tests.benchmarks.figures import cpu_seconds, progress
from tests.benchmarks.stack import ROOT, Stack, free_port

LATE_SECONDS = 0.25


@dataclass(frozen=True)
class Room:
    """One of many rooms of a server, each with readers of its own."""

    path: str
    frame: str
    headers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Target:
    """A server under load: where, what a sender sends, and which process is the server.

    Attributes:
        rooms: among which readers and messages are spread; none is one room for all.
    """

    name: str
    pid: int
    url: str
    frame: str
    headers: tuple[str, ...] = ()
    rooms: tuple[Room, ...] = ()


@dataclass(frozen=True)
class Round:
    """What one rate gave."""

    rate: float
    readers: int
    complete: bool
    late: float
    p50: float
    p95: float
    cpu_us: float
    own_cpu: float

    @property
    def holds(self) -> bool:
        """The rate is good, and the load was not what limited it."""
        return self.complete and self.p95 <= LATE_SECONDS >= self.late

    @property
    def deliveries(self) -> float:
        """Deliveries a second; `readers` are those of one message."""
        return self.rate * self.readers


class Crowd:
    """The load in its process.

    Args:
        readers: of each room.
    """

    def __init__(self, target: Target, readers: int) -> None:
        self._target, self._readers = target, readers
        command = [sys.executable, "-m", "tests.benchmarks.crowd"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        os.sched_setaffinity(self._process.pid, {1})
        url = urlsplit(target.url)
        rooms = target.rooms or (Room(url.path, target.frame, target.headers),)
        self._ask(
            {"host": url.hostname, "port": url.port, "readers": readers * len(rooms),
             "rooms": [asdict(room) for room in rooms]}
        )  # fmt: skip

    def step(self, rate: float, seconds: float) -> Round:
        """Load at a rate."""
        cpu = cpu_seconds(self._target.pid)
        told = self._ask({"rate": rate, "seconds": seconds})
        used = cpu_seconds(self._target.pid) - cpu
        found = Round(
            rate, self._readers, told["complete"], told["late"], told["p50"], told["p95"],
            used / max(1, told["sent"] * self._readers) * 1e6, told["own_cpu"],
        )  # fmt: skip
        progress(
            f"{self._target.name} N={self._readers} {rate:.0f}/s: {'all' if found.complete else 'not all'}, p95 "
            f"{found.p95 * 1e3:.0f} ms, {found.cpu_us:.1f} us, load {found.own_cpu:.2f} of a core"
        )
        if not found.complete:
            progress(f"readers, bytes, last number of {told['sent']} sent: {told['unlike']}")
        return found

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the load broke off")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def end(self) -> None:
        """Let everybody leave."""
        self._process.terminate()
        self._process.wait(10)


def ours(running: Stack) -> Target:
    """Our socket: one conversation, a key of its owner."""
    owner = running.person("owner")
    channel = running.call(owner, "POST", "/api/v1/conversations/", {"name": f"bench {time.time_ns()}"})["id"]
    return Target(
        "chatsystem", running.pid("web"), running.socket_url, sending(channel), (f"Authorization: Bearer {owner.api_key}",)
    )  # fmt: skip


def sending(conversation: UUID | str) -> str:
    """Return the frame that sends to a conversation."""
    frame = {
        "frame": "send",
        "ref": "b",
        "conversation": str(conversation),
        "body": "TEXT",
        "client_key": "KEY",
    }
    return json.dumps(frame)


@contextmanager
def other(name: str, *command: str, **environment: str) -> Iterator[Target]:
    """A server that sends on what a client sends, on core 0 like ours."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", *(part.replace("PORT", str(port)) for part in command)],
        cwd=ROOT, env=os.environ | environment,
    )  # fmt: skip
    try:
        os.sched_setaffinity(process.pid, {0})
        time.sleep(3)
        yield Target(name, process.pid, f"ws://127.0.0.1:{port}/ws/", json.dumps({"text": "TEXT"}))
    finally:
        process.terminate()
        process.wait(10)
