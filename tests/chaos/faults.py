"""What is done to a running stack: kills, and freezes of a process with all that it started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.benchmarks.figures import progress
from tests.benchmarks.stack import Stack

VICTIMS = ("web", "worker", "relay", "redis", "postgres")
PAUSE_SECONDS = 6


def kill(running: Stack, victim: str) -> None:
    """End a process without a word; the supervisor starts it again."""
    with contextlib.suppress(ProcessLookupError, StopIteration):
        os.kill(running.pid(victim), signal.SIGKILL)
        progress(f"killed {victim}")


async def kill_in_turn(running: Stack, rounds: int) -> None:
    """Kill every process, each once a round."""
    for _ in range(rounds):
        for victim in random.sample(VICTIMS, len(VICTIMS)):
            kill(running, random.choice(_of_kind(running, victim)))
            await asyncio.sleep(PAUSE_SECONDS)


def _of_kind(running: Stack, victim: str) -> list[str]:
    """Return the names of the processes of one kind: of web there may be several (`CHATSYSTEM_WEB_PROCESSES`)."""
    names = [str(process["name"]) for process in running.processes()]
    return [name for name in names if name == victim or name.startswith(f"{victim}-")]


@asynccontextmanager
async def frozen(running: Stack, victim: str) -> AsyncIterator[None]:
    """Stop a process and its children where they stand."""
    pids = _family(running.pid(victim))
    _signal(pids, signal.SIGSTOP)
    progress(f"froze {victim}")
    try:
        yield
    finally:
        _signal(pids, signal.SIGCONT)
        progress(f"thawed {victim}")


def _family(pid: int) -> list[int]:
    found = [pid]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            found += _family(int(child))
    return found


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
