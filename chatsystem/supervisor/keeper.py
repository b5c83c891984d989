"""Keeps processes alive: starts them, starts them again when they end, stops them in reverse order."""

import os
import select
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from chatsystem.supervisor.service import KeptProcess, Service
from chatsystem.supervisor.state import write_table

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LOOK_SECONDS = 1.0  # the kernel wakes us at once when a child ends; this is for what is due by the clock
_STARTING_LOOK_SECONDS = 0.05


class Stopping(BaseException):
    """Somebody asked the supervisor to stop: not an error, but the way out of whatever is waiting."""


class Keeper:
    """The children of this process. One thread, one loop; every change is written to the table."""

    def __init__(self, *, table: Path, say: Callable[[str], None]) -> None:
        self._table = table
        self._say = say
        self._kept: dict[str, KeptProcess] = {}
        self._stop_asked = False
        self._wake_reader, self._wake_writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def watch_signals(self) -> None:
        """Take over SIGINT, SIGTERM, SIGHUP and SIGCHLD; call it before the first process is started."""
        signal.set_wakeup_fd(self._wake_writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _ignore)
        for number in STOP_SIGNALS:
            signal.signal(number, self._ask_to_stop)

    def start(self, service: Service) -> None:
        kept = KeptProcess(service)
        self._kept[service.name] = kept
        kept.start()
        self.write_table()

    def is_kept(self, name: str) -> bool:
        return name in self._kept

    def state(self, name: str) -> str:
        return self._kept[name].state

    def exit_code(self, name: str) -> int | None:
        """How the process ended; None while it runs and for a name that is not kept."""
        return self._kept[name].exit_code if name in self._kept else None

    def find_hopeless(self, restarts: int) -> str | None:
        """The name of a process that was started again at least so often."""
        return next((name for name, kept in self._kept.items() if kept.restarts >= restarts), None)

    def forget(self, name: str) -> None:
        """Take a process that ended by itself off the table."""
        del self._kept[name]
        self.write_table()

    def restart(self, names: Sequence[str]) -> None:
        """Ask processes to end; the loop starts them again at once."""
        for name in names:
            if kept := self._kept.get(name):
                kept.pause_seconds = 0.0
                kept.send(kept.service.stop_signal)

    def wait_for(self, is_done: Callable[[], bool], *, seconds: float) -> bool:
        """Keep everything alive until `is_done` or the time is over; True if it was done."""
        deadline = time.monotonic() + seconds
        while not is_done():
            if time.monotonic() > deadline:
                return False
            self.look(_STARTING_LOOK_SECONDS)
        return True

    def look(self, seconds: float = _LOOK_SECONDS) -> None:
        """Sleep until something happens, at most so long, then act on it.

        Raises:
            Stopping: a stop signal has arrived.
        """
        is_any_starting = any(kept.state == "starting" for kept in self._kept.values())
        due = [kept.due_at - time.monotonic() for kept in self._kept.values() if kept.state == "restarting"]
        pause = max(0.0, min([seconds, *due, *([_STARTING_LOOK_SECONDS] if is_any_starting else [])]))
        self._sleep(pause)
        if self._stop_asked:
            raise Stopping
        for kept in list(self._kept.values()):
            self._look_at(kept)

    def _look_at(self, kept: KeptProcess) -> None:
        service = kept.service
        if kept.notice_end():
            if service.once:
                kept.change_state("done" if kept.exit_code == 0 else "failed")
            else:
                kept.plan_restart()
                self._say(
                    f"{service.name} ended ({_how(kept.exit_code)}), starting it again; see {service.log}"
                )
        elif kept.state == "restarting" and time.monotonic() >= kept.due_at:
            kept.restarts += 1
            kept.start()
        elif kept.state == "starting" and service.is_ready is not None and service.is_ready():
            kept.change_state(service.while_running)
        else:
            return
        self.write_table()

    def stop(self, *stages: Sequence[str]) -> None:
        """Stop the named processes, stage after stage and within a stage together; then whatever is left."""
        named = {name for stage in stages for name in stage}
        rest = [name for name in self._kept if name not in named]
        for stage in (rest, *stages):
            self._stop_together([self._kept[name] for name in stage if name in self._kept])
        self.write_table()

    def _stop_together(self, stage: list[KeptProcess]) -> None:
        for kept in stage:
            if kept.is_running():
                kept.change_state("stopping")
                kept.send(kept.service.stop_signal)
            elif not kept.service.once:
                kept.change_state("stopped")
        self.write_table()
        begun = time.monotonic()
        while any(kept.is_running() for kept in stage):
            for kept in stage:
                if kept.is_running() and time.monotonic() - begun > kept.service.grace_seconds:
                    kept.kill_session()
                if kept.notice_end():
                    kept.change_state("stopped")
            self._sleep(_STARTING_LOOK_SECONDS)

    def write_table(self) -> None:
        write_table(self._table, [kept.as_state() for kept in self._kept.values()])

    def _sleep(self, seconds: float) -> None:
        """Wait, but wake up at once for a signal: a child that ended, or a request to stop."""
        if select.select([self._wake_reader], [], [], seconds)[0]:
            os.read(self._wake_reader, 4096)

    def _ask_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stop_asked = True


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """SIGCHLD needs a handler of its own, or the kernel's default would not wake the loop."""


def _how(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return signal.Signals(-exit_code).name
    return f"exit code {exit_code}"
