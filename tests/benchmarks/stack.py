"""A whole stack of our own for one benchmark: `./run --quick` in a temporary directory, on a free port."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatsystem.supervisor import spawn

ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 180
_PREFIX = "chatsystem-bench-"
_SURROUNDINGS = dict(
    os.environ
)  # of every stack, also of one started after this process became part of another


@dataclass(frozen=True)
class Person:
    """Someone of the demo organizations."""

    organization: str
    name: str
    email: str
    password: str
    role: str
    api_key: str


@dataclass
class Stack:
    """A running stack."""

    directory: Path
    base_url: str
    socket_url: str
    people: list[Person]
    process: subprocess.Popen[bytes]

    def person(self, role: str, organization: str = "nordlicht") -> Person:
        """Return the first person with a role."""
        return next(p for p in self.people if p.role == role and p.organization == organization)

    def call(self, person: Person, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Call the API and return its JSON."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.base_url + path, data=data, method=method,
            headers={"Authorization": f"Bearer {person.api_key}", "Content-Type": "application/json", **headers},
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=60) as answer:
            raw = answer.read()
        return json.loads(raw) if raw else None

    def processes(self) -> list[dict[str, Any]]:
        """Return what the supervisor keeps."""
        listed = json.loads((self.directory / "run" / "processes.json").read_text())
        found: list[dict[str, Any]] = listed["processes"] if isinstance(listed, dict) else listed
        return found

    def pid(self, name: str) -> int:
        """Return the process id of a kept process."""
        return int(next(p["pid"] for p in self.processes() if p["name"] == name))

    def database_url(self, role: str) -> str:
        """Return the address of the database for another role: the socket is private, so each may come in."""
        return self.environment()["DATABASE_URL"].replace("//chat_app@", f"//{role}@", 1)

    def environment(self) -> dict[str, str]:
        """Return the environment the applications run with."""
        pid = self.pid("web")
        pairs = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        return dict(pair.decode().split("=", 1) for pair in pairs if b"=" in pair)


@contextmanager
def stack(*, quick: bool = True, **settings: str) -> Iterator[Stack]:
    """Start a stack, yield it when it is ready, stop it and remove its data.

    Args:
        settings: more environment, for example wider limits.
    """
    _remove_forgotten()
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-") as name:
        directory = Path(name)
        port = free_port()
        environment = _SURROUNDINGS | {
            "CHATSYSTEM_DATA_DIR": str(directory), "CHATSYSTEM_PORT": str(port), **settings,
        }  # fmt: skip
        log = (directory / "supervisor.log").open("wb")
        command = [sys.executable, "-m", "chatsystem.supervisor", *(["--quick"] if quick else [])]
        process = spawn.spawn(
            command, environment=environment, directory=ROOT, log=log, death_signal=signal.SIGTERM
        )
        try:
            yield _wait(directory, process)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
            log.close()


def end_on_signals() -> None:
    """Let a stop signal unwind like any other end, so that no process and no directory is left."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))


def _remove_forgotten() -> None:
    """Remove what a run left that was killed before it could: the name says whose it was."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}[0-9]*-*"):
        owner = left.name.removeprefix(_PREFIX).partition("-")[0]
        if not Path(f"/proc/{owner}").exists():
            shutil.rmtree(left, ignore_errors=True)


def _wait(directory: Path, process: subprocess.Popen[bytes]) -> Stack:
    deadline = time.monotonic() + _START_SECONDS
    log = directory / "supervisor.log"
    while "ready: " not in log.read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the stack did not start:\n{log.read_text()}")
        time.sleep(0.1)
    demo = json.loads((directory / "demo.json").read_text())
    people = [Person(**person) for person in demo["people"]]
    return Stack(directory, demo["base_url"], demo["socket_url"], people, process)


def free_port() -> int:
    """Return a port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def become_part(running: Stack, *, role: str = "chat_app", process: str = "command") -> None:
    """Become a process of the stack: its settings, its database, as the runtime role or another."""
    environment = running.environment() | {"DATABASE_URL": running.database_url(role)}
    names = [
        name
        for name in environment
        if name.startswith("CHATSYSTEM_") or name in ("DATABASE_URL", "REDIS_URL")
    ]
    os.environ |= {name: environment[name] for name in names} | {
        "CHATSYSTEM_PROCESS": process, "DJANGO_SETTINGS_MODULE": "chatsystem.settings.embedded",
    }  # fmt: skip
    import django

    django.setup()
