"""`run/processes.json`: what the supervisor keeps alive, for people, the status page and tests."""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessState:
    """One line of the table.

    `state` is starting, running, restarting, stopping, stopped, done, failed, or words for people. `pid` is
    None while there is no process; `since` is the moment of the last change, UTC, ISO 8601.
    """

    name: str
    pid: int | None
    command: str
    state: str
    restarts: int
    since: str


def write_table(path: Path, states: Iterable[ProcessState]) -> None:
    """Replace the file in one step: a reader sees the old table or the new one."""
    unfinished = path.with_name(path.name + ".new")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump([asdict(state) for state in states], file, indent=1)
    unfinished.rename(path)
