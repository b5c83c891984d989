"""A real web process on a free port, for tests of the server itself."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
from django.db import connection

ROOT = Path(__file__).resolve().parents[2]
# Of clients that ask a process here: reading the authorities of the system takes fifty times as long as one request.
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@dataclass
class WebProcess:
    process: subprocess.Popen[bytes]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> httpx2.Client:
        return httpx2.Client(base_url=self.url, timeout=60, verify=PLAIN)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(how)
        return self.process.wait(20)


def environment(**more: str) -> dict[str, str]:
    """Return what a process needs to reach the test database and to have the routes of `web_urls`."""
    settings = connection.settings_dict
    url = f"postgresql://{settings['USER']}@/{settings['NAME']}?host={settings['HOST']}"
    return {
        **os.environ,
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "tests.core.web_settings",
        "CHATSYSTEM_PROCESS": "web",
        "CHATSYSTEM_INSTANCE": "test-instance",
        "CHATSYSTEM_SECRET_KEY": "only-for-tests-" + "k3JxW9vQ" * 8,
        **more,
    }


@contextmanager
def web_process(*, log: Path | None = None, **more: str) -> Iterator[WebProcess]:
    """Start the process on an inherited socket; returns once it answers. What it says goes to `log` where given."""
    with socket.socket() as listening, ExitStack() as closing:
        output = None if log is None else closing.enter_context(log.open("ab"))
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        port = listening.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-m", "chatsystem.web"],
            cwd=ROOT,
            env=environment(CHATSYSTEM_LISTEN_FD=str(listening.fileno()), **more),
            pass_fds=[listening.fileno()],
            stdout=output,
            stderr=output,
        )
    web = WebProcess(process, port)
    try:
        httpx2.get(f"{web.url}/livez", timeout=100, verify=PLAIN)
        yield web
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(10)
