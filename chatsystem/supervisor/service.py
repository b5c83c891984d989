"""One process to keep alive: what it is, and its life from start to end."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from chatsystem.supervisor import spawn
from chatsystem.supervisor.state import ProcessState

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 10.0
STEADY_SECONDS = 30.0  # after this long without dying the pauses start small again


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A program and how to treat it.

    Attributes:
        stop_signal: asks for a clean end.
        death_signal: what it gets when the supervisor itself is killed. Python processes are killed outright:
            everything they do can be done again, and nobody is left to wait for them.
        grace_seconds: then SIGKILL to its whole session.
        once: ends by itself (an installation); it is not started again.
        while_running: what the table says while it runs.
        after_end: is told the number of each process of this service that has ended.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    directory: Path
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    grace_seconds: float = 4.0  # a web process gives its connections three
    keep_descriptors: tuple[int, ...] = ()
    once: bool = False
    while_running: str = "running"
    is_ready: Callable[[], bool] | None = None
    after_end: Callable[[int], None] | None = None


@dataclass(slots=True)
class KeptProcess:
    """The running side of a service: its process, how often it was started again, when it is due next."""

    service: Service
    process: subprocess.Popen[bytes] | None = None
    state: str = "starting"
    restarts: int = 0
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    started_at: float = 0.0  # monotonic, like `due_at`
    due_at: float = 0.0
    pause_seconds: float = FIRST_PAUSE_SECONDS
    exit_code: int | None = None

    def start(self) -> None:
        with self.service.log.open("ab") as log:
            self.process = spawn.spawn(
                self.service.command,
                environment=self.service.environment,
                directory=self.service.directory,
                log=log,
                death_signal=self.service.death_signal,
                keep_descriptors=self.service.keep_descriptors,
            )
        self.started_at = time.monotonic()
        self.exit_code = None
        self.change_state(self.service.while_running if self.service.is_ready is None else "starting")

    def change_state(self, state: str) -> None:
        self.state = state
        self.since = datetime.now(UTC)

    def is_running(self) -> bool:
        return self.process is not None

    def notice_end(self) -> bool:
        """Collect the process if it has ended, with what it left behind in its session; True if it had.

        The session is killed before the process is collected: until then its number cannot be another's.
        """
        process = self.process
        if process is None or os.waitid(os.P_PID, process.pid, _WITHOUT_COLLECTING) is None:
            return False
        self.kill_session()
        self.exit_code = process.wait()
        self.process = None
        if self.service.after_end is not None:
            self.service.after_end(process.pid)
        return True

    def plan_restart(self) -> None:
        """Set when to start again: soon after a long life, later and later after short ones."""
        now = time.monotonic()
        if now - self.started_at >= STEADY_SECONDS:
            self.pause_seconds = FIRST_PAUSE_SECONDS
        self.due_at = now + self.pause_seconds
        self.pause_seconds = min(max(self.pause_seconds * 2, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
        self.change_state("restarting")

    def send(self, number: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(number)

    def kill_session(self) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def as_state(self) -> ProcessState:
        return ProcessState(
            name=self.service.name,
            pid=self.process.pid if self.process else None,
            command=" ".join(self.service.command),
            state=self.state,
            restarts=self.restarts,
            since=self.since.isoformat(timespec="milliseconds"),
        )


_WITHOUT_COLLECTING = os.WEXITED | os.WNOHANG | os.WNOWAIT
