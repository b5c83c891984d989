"""A PostgreSQL that stands still: its kernel takes connections and statements, and nobody answers."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from tests.conftest import owner_connection


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Stop one process of the server."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def frozen_server() -> Iterator[None]:
    """Stop the test's server with all its processes; it is this process's own, so nobody else waits for it."""
    with owner_connection() as here:
        parent = psutil.Process(here.info.backend_pid).parent()
        assert parent is not None
        parent.suspend()  # first: it makes no more children
        family = [parent, *parent.children(recursive=True)]
        try:
            for process in family:
                process.suspend()
            yield
        finally:
            for process in family:
                process.resume()
