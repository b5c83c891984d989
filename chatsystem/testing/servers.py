"""A throw-away PostgreSQL and Valkey in a temporary directory; they end with the process that started them."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from chatsystem.supervisor.binaries import postgres_directory, valkey_server
from chatsystem.supervisor.lock import DirectoryLock, LockHeldError
from chatsystem.supervisor.postgres import THROW_AWAY_SETTINGS, Cluster
from chatsystem.supervisor.spawn import give_away
from chatsystem.supervisor.valkey import Valkey

_PREFIX = "chatsystem-test-"
_START_SECONDS = 60.0
_YOUNG_SECONDS = 60.0
_LONGEST_DIRECTORY = 80  # a socket path may have 107 bytes; the socket's own name needs the rest


class ServerDidNotStart(RuntimeError):
    """The text is the end of what the server said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrowAwayServers:
    """The servers of one run; `closing` ends them and removes everything they wrote."""

    directory: Path
    cluster: Cluster
    valkey: Valkey
    closing: ExitStack

    @classmethod
    def place(cls) -> Self:
        """Choose where they will be; none runs yet, but their addresses are known."""
        remove_left_overs()
        with ExitStack() as closing:
            directory = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_short_temporary_directory()))
            closing.callback(DirectoryLock.take(directory / "lock").release)
            closing.callback(shutil.rmtree, directory)
            (directory / "data").mkdir()
            cluster = Cluster(
                programs=postgres_directory(),
                data=directory / "pg",
                sockets=directory / "s",
                settings=THROW_AWAY_SETTINGS,
                death_signal=signal.SIGQUIT,  # immediate: nothing has to survive
            )
            cluster.sockets.mkdir(mode=0o700)
            give_away(cluster.sockets)
            valkey = Valkey(
                program=valkey_server(), data=directory, socket=directory / "redis.sock", durable=False
            )
            return cls(directory=directory, cluster=cluster, valkey=valkey, closing=closing.pop_all())

    def environment(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.cluster.url("chat_app"),
            "CHATSYSTEM_DATABASE_OWNER_URL": self.cluster.url("chat_owner"),
            "CHATSYSTEM_DATABASE_PLATFORM_URL": self.cluster.url("chat_platform"),
            "CHATSYSTEM_DATABASE_PLANS_STAY": "true",
            "REDIS_URL": self.valkey.url(),
            "CHATSYSTEM_DATA_DIR": str(self.directory / "data"),
        }

    def start_valkey(self) -> None:
        log = self.directory / "valkey.log"
        process = self.valkey.start(log=self._opened(log))
        self.closing.callback(_end, process, signal.SIGKILL)
        _wait_until(self.valkey.is_ready, process=process, log=log)

    def start_cluster(self) -> subprocess.Popen[bytes]:
        """Start PostgreSQL on the data directory that lies there, or on a new one, which it furnishes."""
        is_new = not self.cluster.is_made()
        if is_new:
            self.cluster.make(durable=False)
        log = self.directory / "postgres.log"
        process = self.cluster.start(log=self._opened(log))
        self.closing.callback(_end, process, signal.SIGQUIT)
        _wait_until(self.cluster.is_ready, process=process, log=log)
        if is_new:
            self.cluster.furnish()
            # Tests look at several organizations now and then; the product's runtime role is a member of nothing.
            self.cluster.ask(
                "CREATE ROLE chat_everywhere NOLOGIN BYPASSRLS;"
                " GRANT chat_everywhere TO chat_app WITH INHERIT FALSE, SET TRUE;"
                " GRANT SET ON PARAMETER session_replication_role TO chat_everywhere"
            )
        return process

    def _opened(self, path: Path) -> IO[bytes]:
        return self.closing.enter_context(path.open("wb"))


def start_servers() -> ThrowAwayServers:
    """Start both servers, the cluster new and without tables. About two seconds."""
    servers = ThrowAwayServers.place()
    with ExitStack() as closing:
        closing.push(servers.closing)
        servers.start_valkey()
        servers.start_cluster()
        closing.pop_all()
    return servers


def _end(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    process.send_signal(how)
    process.wait()


def remove_left_overs() -> None:
    """Remove the directories of test runs that were killed: nobody holds their lock any more."""
    for directory in _short_temporary_directory().glob(f"{_PREFIX}*"):
        with suppress(LockHeldError, FileNotFoundError):
            status = (directory / "lock").stat()
            if status.st_uid != os.geteuid() or time.time() - status.st_mtime < _YOUNG_SECONDS:
                continue  # another user's, or one whose owner is about to lock it
            lock = DirectoryLock.take(directory / "lock")
            shutil.rmtree(directory, ignore_errors=True)
            lock.release()


def _short_temporary_directory() -> Path:
    wanted = Path(tempfile.gettempdir())
    return wanted if len(str(wanted)) < _LONGEST_DIRECTORY - len(_PREFIX) else Path("/tmp")  # noqa: S108 - a private directory is made in it


def _wait_until(is_ready: Callable[[], bool], *, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServerDidNotStart(log.read_text(errors="replace")[-2000:])
        time.sleep(0.02)
