"""Early pytest plugin: a throw-away PostgreSQL and Valkey, started before Django reads its settings.

pytest-django loads the settings before `pytest_configure`, so a fixture would be too late: this module is
loaded by `-p chatsystem.testing.plugin`. With xdist each worker has servers of its own, since a Valkey's channels
cannot be told apart, and the process that hands out the tests has none. It does nothing where DATABASE_URL names a
server. The servers end with the test run, however it ends.
"""

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
from typing import IO

import pytest

from chatsystem.supervisor.binaries import postgres_directory, valkey_server
from chatsystem.supervisor.lock import DirectoryLock, LockHeldError
from chatsystem.supervisor.postgres import THROW_AWAY_SETTINGS, Cluster
from chatsystem.supervisor.spawn import give_away
from chatsystem.supervisor.valkey import Valkey

_PREFIX = "chatsystem-test-"
_START_SECONDS = 60.0
_YOUNG_SECONDS = 60.0
_LONGEST_DIRECTORY = 80  # a socket path may have 107 bytes; the socket's own name needs the rest


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrowAwayServers:
    """The running servers of one test run; `closing` ends them and removes everything they wrote."""

    directory: Path
    cluster: Cluster
    valkey: Valkey
    closing: ExitStack

    def environment(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.cluster.url("chat_app"),
            "CHATSYSTEM_DATABASE_OWNER_URL": self.cluster.url("chat_owner"),
            "CHATSYSTEM_DATABASE_PLATFORM_URL": self.cluster.url("chat_platform"),
            "REDIS_URL": self.valkey.url(),
            "CHATSYSTEM_DATA_DIR": str(self.directory / "data"),
        }


def start_servers() -> ThrowAwayServers:
    """Start both servers in a new temporary directory and furnish the cluster. About two seconds."""
    remove_left_overs()
    with ExitStack() as closing:
        directory = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_short_temporary_directory()))
        closing.callback(DirectoryLock.take(directory / "lock").release)
        closing.callback(shutil.rmtree, directory)
        (directory / "data").mkdir()
        valkey = Valkey(
            program=valkey_server(), data=directory, socket=directory / "redis.sock", durable=False
        )
        valkey_log = directory / "valkey.log"
        valkey_process = valkey.start(log=_opened(valkey_log, closing))
        closing.callback(_end, valkey_process, signal.SIGKILL)
        cluster = Cluster(
            programs=postgres_directory(),
            data=directory / "pg",
            sockets=directory / "s",
            settings=THROW_AWAY_SETTINGS,
            death_signal=signal.SIGQUIT,  # immediate: nothing has to survive
        )
        cluster.sockets.mkdir(mode=0o700)
        give_away(cluster.sockets)
        cluster.make(durable=False)
        postgres_log = directory / "postgres.log"
        postgres_process = cluster.start(log=_opened(postgres_log, closing))
        closing.callback(_end, postgres_process, signal.SIGQUIT)
        _wait_until(cluster.is_ready, process=postgres_process, log=postgres_log)
        _wait_until(valkey.is_ready, process=valkey_process, log=valkey_log)
        cluster.furnish()
        # Tests look at several organizations now and then; the product's runtime role is a member of nothing.
        cluster.ask(
            "CREATE ROLE chat_everywhere NOLOGIN BYPASSRLS;"
            " GRANT chat_everywhere TO chat_app WITH INHERIT FALSE, SET TRUE;"
            " GRANT SET ON PARAMETER session_replication_role TO chat_everywhere"
        )
        return ThrowAwayServers(
            directory=directory, cluster=cluster, valkey=valkey, closing=closing.pop_all()
        )


def _opened(path: Path, closing: ExitStack) -> IO[bytes]:
    return closing.enter_context(path.open("wb"))


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
            raise pytest.UsageError(
                f"a test server did not start:\n{log.read_text(errors='replace')[-2000:]}"
            )
        time.sleep(0.02)


_servers = pytest.StashKey[ThrowAwayServers]()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsystem.settings.test")
    given = early_config.known_args_namespace
    hands_out = getattr(given, "numprocesses", None) and not os.environ.get("PYTEST_XDIST_WORKER")
    if os.environ.get("DATABASE_URL") or given.help or given.version or hands_out:
        return
    servers = start_servers()
    early_config.stash[_servers] = servers
    os.environ.update(servers.environment())


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    servers = config.stash.get(_servers, None)
    if servers is None:
        return
    for name in servers.environment():
        os.environ.pop(name, None)
    servers.closing.close()
