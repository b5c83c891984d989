"""The embedded Valkey server: wake-ups, presence, limits, broker. No fact lives only here."""

import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM
from typing import IO

from chatsystem.supervisor import spawn
from chatsystem.supervisor.postgres import clean_environment

_ANSWER_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Valkey:
    """One server on a private Unix socket. `durable` keeps an append-only file in `data`."""

    program: Path
    data: Path
    socket: Path
    durable: bool = True

    def url(self) -> str:
        return f"unix://{self.socket}"

    def command(self) -> list[str]:
        return [
            str(self.program),
            "--port", "0",
            "--unixsocket", str(self.socket),
            "--unixsocketperm", "700",
            "--dir", str(self.data),
            "--appendonly", "yes" if self.durable else "no",
            "--save", "",
            "--maxmemory", "256mb",
            "--maxmemory-policy", "noeviction",  # a full broker must refuse, not forget tasks
            "--daemonize", "no",
        ]  # fmt: skip

    def start(self, *, log: IO[bytes] | int) -> subprocess.Popen[bytes]:
        return spawn.spawn(
            self.command(),
            environment=clean_environment(),
            directory=self.data,
            log=log,
            death_signal=SIGTERM,
        )

    def is_ready(self) -> bool:
        """Whether the server answers PING; while it still loads its file it answers an error instead."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_ANSWER_SECONDS)
            try:
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(64).startswith(b"+PONG")
            except OSError:
                return False
