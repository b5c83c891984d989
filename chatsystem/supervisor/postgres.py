"""The embedded PostgreSQL cluster: made from the carried programs, reached over a private Unix socket."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.parse import quote

from chatsystem.supervisor import spawn

SUPERUSER = "postgres"
DATABASE = "chat"
REQUIRED_EXTENSIONS = ("vector",)
OPTIONAL_EXTENSIONS = ("pg_trgm", "unaccent", "btree_gin")  # contrib: not in every carried build

# Small on purpose: the whole stack shares one laptop.
SERVER_SETTINGS: Mapping[str, str] = {
    "shared_buffers": "64MB",
    "max_connections": "60",
    "jit": "off",
    "random_page_cost": "1.1",  # flash and memory: the default of 4 is for turning disks and shuns indexes
    "max_wal_size": "512MB",
    "log_min_messages": "log",  # no errors: they quote values, and the application logs its own without them
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "timezone": "UTC",
    "log_timezone": "UTC",
}

_MORE_FOR_A_WEB_PROCESS = 15  # connections: its pool, and those of its batches, its pulse and its sockets


def settings_for(web_processes: int, *, memory_bytes: int | None = None) -> Mapping[str, str]:
    """Return the server's settings; each further web process brings connections of its own.

    Pages that are kept grow with the machine: a thirty-second of its memory, 64 to 512 MB, taken as they are used. A
    page that the operating system has to hand over again costs ten times one that is kept, and a search among 100,000
    passages reads ten thousand.

    Args:
        memory_bytes: of the machine; None asks it.
    """
    most = int(SERVER_SETTINGS["max_connections"]) + _MORE_FOR_A_WEB_PROCESS * (web_processes - 1)
    memory = memory_bytes or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    kept = max(64, min(512, memory // 32 // 2**20))
    return {**SERVER_SETTINGS, "max_connections": str(most), "shared_buffers": f"{kept}MB"}


# A throw-away cluster loses its data with the process that made it, so nothing waits for a disk.
THROW_AWAY_SETTINGS: Mapping[str, str] = {
    **SERVER_SETTINGS,
    "max_connections": "100",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
}

_ROLES = """
CREATE ROLE chat_owner LOGIN BYPASSRLS CREATEDB;
CREATE ROLE chat_app LOGIN;
CREATE ROLE chat_platform LOGIN BYPASSRLS;
CREATE ROLE chat_writer NOLOGIN BYPASSRLS;
GRANT chat_writer TO chat_owner;
"""
_STEP_DOWN = "GRANT chat_app TO chat_platform WITH INHERIT FALSE, SET TRUE"  # consumers run behind the walls


class ClusterError(RuntimeError):
    """The cluster cannot be made, started or asked; the text says what the server said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """One PostgreSQL data directory and the private directory of its socket.

    `sockets` must be short: the kernel refuses socket paths over 107 bytes.
    """

    programs: Path
    data: Path
    sockets: Path
    settings: Mapping[str, str] = field(default_factory=lambda: SERVER_SETTINGS)
    death_signal: signal.Signals = signal.SIGINT  # a fast, clean shutdown

    def url(self, role: str, *, database: str = DATABASE) -> str:
        return f"postgresql://{role}@/{database}?host={quote(str(self.sockets))}"

    def is_made(self) -> bool:
        return (self.data / "PG_VERSION").is_file()

    def make(self, *, durable: bool = True) -> None:
        """Make the data directory beside its place, then rename it: a kill leaves nothing half-made."""
        unfinished = self.data.with_name(self.data.name + ".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700, parents=True)
        spawn.give_away(unfinished)
        made = spawn.spawn(
            [
                *spawn.unprivileged_prefix(death_signal=signal.SIGKILL),
                self.programs / "initdb",
                f"--pgdata={unfinished}",
                f"--username={SUPERUSER}",
                "--auth-local=trust",  # the socket directory is private to this user
                "--auth-host=scram-sha-256",
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C.UTF-8",
                *([] if durable else ["--no-sync"]),
            ],
            environment=clean_environment(),
            directory=Path("/"),
            log=subprocess.PIPE,
            death_signal=signal.SIGKILL,
        )
        said, _ = made.communicate()
        if made.returncode:
            raise ClusterError(said.decode(errors="replace").strip())
        unfinished.rename(self.data)

    def refuse_other_version(self) -> None:
        """Raise ClusterError when the data directory was made by another major version."""
        made_by = (self.data / "PG_VERSION").read_text().strip()
        carried = self._run([self.programs / "postgres", "--version"]).split()[-1]
        if carried.split(".")[0] != made_by:
            raise ClusterError(
                f"{self.data} was made by PostgreSQL {made_by}, "
                f"the programs in {self.programs} are {carried}: "
                "dump with the old version and load into a new data directory"
            )

    def command(self) -> list[str]:
        """The server in the foreground, for `spawn`; it listens on its Unix socket only."""
        settings = {"listen_addresses": "", "unix_socket_directories": str(self.sockets), **self.settings}
        return [
            *spawn.unprivileged_prefix(death_signal=self.death_signal),
            str(self.programs / "postgres"),
            "-D",
            str(self.data),
            *(f"--{name}={value}" for name, value in settings.items()),
        ]

    def start(self, *, log: IO[bytes] | int) -> subprocess.Popen[bytes]:
        return spawn.spawn(
            self.command(),
            environment=clean_environment(),
            directory=Path("/"),
            log=log,
            death_signal=self.death_signal,
        )

    def is_ready(self) -> bool:
        command = [str(self.programs / "pg_isready"), "--quiet", f"--host={self.sockets}"]
        return (
            subprocess.run(command, env=clean_environment(), check=False, capture_output=True).returncode == 0
        )

    def ask(self, statements: str, *, database: str = "postgres") -> str:
        """Run SQL as the superuser and return the rows as text, one a line, columns split by `|`."""
        return self._run(
            [
                self.programs / "psql",
                "--no-psqlrc",
                "--quiet",
                "--no-align",
                "--tuples-only",
                "--set=ON_ERROR_STOP=1",
                f"--host={self.sockets}",
                f"--username={SUPERUSER}",
                f"--dbname={database}",
                f"--command={statements}",
            ]
        ).strip()

    def furnish(self) -> None:
        """Create extensions, roles and the database where they are missing; twice is harmless.

        Extensions go into template1 by the superuser: `vector` is not a trusted extension, databases made
        later (the tests' too) have them by themselves, and nobody else races to create them.
        """
        found = self.ask(
            "SELECT 'extension ' || name FROM pg_available_extensions"
            " UNION ALL SELECT 'role ' || rolname FROM pg_roles"
            " UNION ALL SELECT 'database ' || datname FROM pg_database"
            " UNION ALL SELECT 'step down' FROM pg_auth_members"
            " WHERE roleid = to_regrole('chat_app') AND member = to_regrole('chat_platform')"
        ).splitlines()
        if "role chat_platform" in found and "step down" not in found:
            self.ask(_STEP_DOWN)  # a cluster of an older version
        if f"database {DATABASE}" in found:
            return
        extensions = [name for name in OPTIONAL_EXTENSIONS if f"extension {name}" in found]
        for name in (*REQUIRED_EXTENSIONS, *extensions):
            self.ask(f"CREATE EXTENSION IF NOT EXISTS {name}", database="template1")
        if "role chat_owner" not in found:
            self.ask(_ROLES + _STEP_DOWN)
        self.ask(f"CREATE DATABASE {DATABASE} OWNER chat_owner")

    def _run(self, command: list[str | Path]) -> str:
        done = subprocess.run(
            [str(part) for part in command],
            env=clean_environment(),
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ClusterError(done.stderr.strip() or done.stdout.strip() or f"{command[0]} failed")
        return done.stdout


def clean_environment() -> dict[str, str]:
    """This process's environment without PG* variables, which would redirect every PostgreSQL program."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
