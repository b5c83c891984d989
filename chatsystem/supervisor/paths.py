"""Where a running stack keeps its files: one data directory, and a short private one for sockets."""

import hashlib
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_LONGEST_SOCKET_DIRECTORY = 80  # the kernel refuses socket paths over 107 bytes


class UnusableDirectoryError(RuntimeError):
    """A directory cannot be used; the text says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The paths of one stack. Everything below `data` is private to the user who started it."""

    data: Path
    sockets: Path

    @classmethod
    def of(cls, data: Path) -> Self:
        data = data.resolve()
        beside = data / "run"
        short = len(os.fsencode(beside)) <= _LONGEST_SOCKET_DIRECTORY
        return cls(data=data, sockets=beside if short else _runtime_directory(data))

    @property
    def run(self) -> Path:
        return self.data / "run"

    @property
    def logs(self) -> Path:
        return self.data / "log"

    @property
    def postgres(self) -> Path:
        return self.data / "pg"

    @property
    def valkey(self) -> Path:
        return self.data / "valkey"

    @property
    def secrets(self) -> Path:
        return self.data / "secrets"

    @property
    def lock(self) -> Path:
        return self.run / "supervisor.lock"

    @property
    def processes(self) -> Path:
        return self.run / "processes.json"

    @property
    def environment(self) -> Path:
        """The variables of the running stack, for commands started beside it."""
        return self.run / "stack.env"

    @property
    def figures(self) -> Path:
        """Where web, worker and relay count for /metrics, a few files for each process."""
        return self.run / "figures"

    def empty_figures(self) -> None:
        """Forget what the processes of the last start counted; call it with the lock held."""
        shutil.rmtree(self.figures, ignore_errors=True)
        self.figures.mkdir(mode=0o700)

    def forget_live_figures(self, pid: int) -> None:
        """Take away what a process that has ended said of itself as it is now; what it counted stays."""
        for path in self.figures.glob(f"gauge_live*_{pid}.db"):
            path.unlink(missing_ok=True)

    @property
    def prepare_output(self) -> Path:
        return self.run / "prepare.out"

    @property
    def prepared(self) -> Path:
        """Names the sources and the database that were last prepared (migrated and filled)."""
        return self.run / "prepared"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def was_prepared_for(self, fingerprint: str) -> bool:
        return self.prepared.is_file() and self.prepared.read_text() == fingerprint

    @property
    def quick(self) -> Path:
        """Exists while this data directory is used without local models (`./run --quick`)."""
        return self.data / "quick"

    @property
    def demo(self) -> Path:
        return self.data / "demo.json"

    @property
    def model_socket(self) -> Path:
        return self.sockets / "model.sock"

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "redis.sock"

    def make(self) -> None:
        """Create what is missing.

        Raises:
            UnusableDirectoryError: not writable, or somebody else's.
        """
        try:
            for directory in (self.data, self.run, self.logs, self.valkey, self.secrets):
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.sockets.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = self.sockets.lstat()
        except OSError as error:
            where = error.filename or self.data
            raise UnusableDirectoryError(f"cannot use {where}: {error.strerror}") from error
        if not os.access(self.data, os.W_OK):
            raise UnusableDirectoryError(f"{self.data} is not writable; set CHATSYSTEM_DATA_DIR")
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise UnusableDirectoryError(f"{self.sockets} belongs to somebody else; remove it")

    def remove_what_was_running(self) -> None:
        """Take away what only makes sense while the stack runs."""
        for path in (self.model_socket, self.valkey_socket, self.environment, self.prepare_output):
            path.unlink(missing_ok=True)
        shutil.rmtree(self.figures, ignore_errors=True)
        if self.sockets != self.run and not any(self.sockets.iterdir()):
            self.sockets.rmdir()


def _runtime_directory(data: Path) -> Path:
    key = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    parent = Path(os.environ.get("XDG_RUNTIME_DIR") or "/tmp")  # noqa: S108 - private, owner checked
    return parent / f"chatsystem-{os.geteuid()}-{key}"
