"""Who works: a name for this process that others on the same machine can find dead, and its wish to stop."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from functools import lru_cache
from pathlib import Path
from uuid import uuid4

stopping = threading.Event()  # set when the worker process was told to end


@lru_cache(maxsize=1)
def machine() -> str:
    """Return 12 hex digits for machine, boot and process namespace: where a process id means the same."""
    parts = [socket.gethostname()]
    try:
        parts += [
            Path("/proc/sys/kernel/random/boot_id").read_text(),
            str(Path("/proc/self/ns/pid").readlink()),
        ]
    except OSError:
        parts.append(uuid4().hex)  # no Linux: nobody can be found dead, leases run out instead
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:12]


def new_owner() -> str:
    """Return a name no other lease has: machine, process, its start, and a random part."""
    return f"{machine()}:{os.getpid()}:{_started(os.getpid())}:{uuid4().hex[:12]}"


def is_dead(owner: str) -> bool:
    """Return whether the process of this name is certainly gone; False when that is not known here."""
    where, pid, start, _ = owner.split(":")
    return where == machine() and start != "" and _started(int(pid)) != start


def _started(pid: int) -> str:
    """Return the start time of a process in clock ticks since boot, or empty when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    state, *rest = stat.rpartition(")")[2].split()
    return "" if state in "ZX" else rest[18]
