"""A real worker process against the servers of the tests, and waiting for what it does."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.db import connection

PROJECT = Path(__file__).resolve().parents[2]


def environment() -> dict[str, str]:
    """Return the environment of a worker that uses the test database."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    url = urlunsplit(parts._replace(path=f"/{connection.settings_dict['NAME']}"))
    return {
        **os.environ,
        "DATABASE_URL": url,
        "CHATSYSTEM_PROCESS": "worker",
        "CELERY_SKIP_CHECKS": "1",
        "C_FORCE_ROOT": "1",
    }


@contextmanager
def worker(log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start a worker with the steps of the tests; it is gone when the block ends."""
    command = [sys.executable, "-m", "celery", "-A", "chatsystem", "worker", "-P", "threads", "-c", "4"]
    options = ["-Q", "default,ingest,media", "-I", "tests.runs.steps", "-l", "warning", "--without-mingle"]
    with (
        log.open("ab") as output,
        subprocess.Popen(
            [*command, *options], cwd=PROJECT, env=environment(), stdout=output, stderr=output
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def wait_for(condition: Callable[[], object], *, seconds: float = 60, log: Path | None = None) -> float:
    """Return how long it took until the condition held; fail when it does not in time."""
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > seconds:
            raise AssertionError(log.read_text(errors="replace")[-3000:] if log else "it did not happen")
        time.sleep(0.01)
    return time.monotonic() - begun
