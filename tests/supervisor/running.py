"""A stack under test: start it, read its table, find what it left behind. Every wait has a deadline."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_SECONDS = 40.0
LOOK_SECONDS = 0.02
SETTINGS = ("CHATSYSTEM_", "TINY_", "DJANGO_", "DATABASE_URL", "REDIS_URL", "PYTEST_")

Found = TypeVar("Found")


def wait_until(look: Callable[[], Found], *, what: str, seconds: float = DEADLINE_SECONDS) -> Found:
    """Look again and again until it finds something true."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        select.select([], [], [], LOOK_SECONDS)
    return found


@dataclass(kw_only=True)
class RunningStack:
    """`./run` with tiny programs in `data`."""

    data: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    arguments: Sequence[str] = ()
    prefix: Sequence[str] = (sys.executable,)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> "RunningStack":
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [*self.prefix, "-m", "tests.supervisor.tiny_programs", "stack", *self.arguments],
                cwd=ROOT,
                env={**inherited, "CHATSYSTEM_DATA_DIR": str(self.data), **self.variables},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    @property
    def output(self) -> Path:
        return self.data.with_name(self.data.name + ".output")

    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def wait_ready(self) -> "RunningStack":
        wait_until(lambda: "ready: " in self.said() or self.has_ended(), what=f"ready\n{self.said()}")
        assert not self.has_ended(), self.said()
        return self

    def url(self) -> str:
        return self.said().partition("ready: ")[2].splitlines()[0]

    def has_ended(self) -> bool:
        assert self.process is not None
        return self.process.poll() is not None

    def wait_end(self, *, seconds: float = DEADLINE_SECONDS) -> int:
        assert self.process is not None
        return self.process.wait(seconds)

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def table(self) -> dict[str, dict[str, Any]]:
        text = (self.data / "run" / "processes.json").read_text()
        return {row["name"]: row for row in json.loads(text)}

    def row(self, name: str) -> dict[str, Any]:
        return self.table().get(name, {"state": "absent", "pid": None, "restarts": 0})

    def wait_state(self, name: str, state: str) -> dict[str, Any]:
        wait_until(lambda: self.row(name)["state"] == state, what=f"{name} {state}")
        return self.row(name)

    def left_over(self) -> list[str]:
        """Living processes that belong to this data directory: by command line, environment or directory."""
        mark = str(self.data)
        return [line for line in map(_describe, Path("/proc").glob("[0-9]*")) if mark in line]

    def wait_nothing_left(self, *, seconds: float = 8.0) -> None:
        wait_until(lambda: not self.left_over(), what=f"no process left: {self.left_over()}", seconds=seconds)

    def destroy(self) -> None:
        """For the end of a test, passed or failed."""
        if self.process is not None and not self.has_ended():
            self.send(signal.SIGTERM)
            self.wait_end()


MakeStack = Callable[..., RunningStack]


def _describe(process: Path) -> str:
    with suppress(OSError):
        status = (process / "stat").read_text().rpartition(")")[2].split()[0]
        if status not in "ZX" and int(process.name) != os.getpid():
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            environment = (process / "environ").read_bytes().decode(errors="replace")
            return f"{process.name} {command} {(process / 'cwd').readlink()} {environment}"
    return ""
