"""A cluster whose test database is migrated, made once: each test process starts with a copy of it.

Making it takes fifty seconds of processor, copying it a fraction of one. It lies in the Python environment, which
several checkouts may share, under a key of everything a migration reads, so that a changed migration, model or package
makes it anew; in pytest's cache where the environment is somebody else's.

    python -m chatsystem.testing.template      make it where it is missing
"""

import fcntl
import gc
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chatsystem.testing.servers import ThrowAwayServers

ROOT = Path(__file__).resolve().parents[2]
_ENVIRONMENT = Path(sys.prefix)
_HOME = (_ENVIRONMENT if os.access(_ENVIRONMENT, os.W_OK) else ROOT / ".pytest_cache") / "databases"
READ_BY_MIGRATIONS = (
    "apps/*/migrations/*.py",
    "apps/*/models.py",
    "apps/*/models/*.py",
    "apps/*/apps.py",
    *(
        f"apps/core/{name}.py"
        for name in ("ids", "migrations_support", "services/database_roles", "tenancy", "walls")
    ),
    "apps/core/database/*.py",
    "chatsystem/settings/**/*.py",
    "chatsystem/supervisor/postgres.py",
    "chatsystem/testing/*.py",
    "requirements/base.txt",
    "requirements/embedded.txt",
)
_KEPT = 4  # branches at work, a hundred megabytes each


class TemplateFailed(RuntimeError):
    """The text is what the process that made it said."""


def make_in_background() -> subprocess.Popen[bytes] | None:
    """Begin to make it while the tests are collected; None where it lies there."""
    if _place().is_dir():
        return None
    return subprocess.Popen(
        _maker(), env=_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def copy(target: Path) -> None:
    """Put a copy at `target`; wait for who makes it, or make it where nobody does.

    Raises:
        TemplateFailed: a migration failed, say.
    """
    with _lock(fcntl.LOCK_EX):
        is_made = _place().is_dir()
    if not is_made:
        made = subprocess.run(_maker(), env=_environment(), capture_output=True, text=True, check=False)
        if made.returncode:
            raise TemplateFailed(made.stderr[-4000:])
    with _lock(fcntl.LOCK_SH):
        _copy(_place(), target)


def main() -> None:
    """Make it where it is missing, and forget those of older migrations."""
    place = _place()
    with _lock(fcntl.LOCK_EX):
        if place.is_dir():
            return
        older = sorted(_HOME.glob("made-*"), key=lambda path: path.stat().st_mtime)
        for path in (*older[: -_KEPT + 1], *_HOME.glob("new-*")):
            shutil.rmtree(path)
        unfinished = place.with_name(f"new-{place.name}")
        _make(unfinished)
        unfinished.rename(place)


def _make(target: Path) -> None:
    """Migrate a new cluster's test database as the owner, end it cleanly, and move it to `target`."""
    servers = ThrowAwayServers.place()
    with servers.closing:
        process = servers.start_cluster()
        os.environ.update(servers.environment())
        import django  # noqa: PLC0415 - reads the addresses just set
        from django.db import connection  # noqa: PLC0415

        django.setup()
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)  # see `ops.services.preparing`
        connection.settings_dict["USER"] = "chat_owner"
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        connection.close()
        process.send_signal(signal.SIGINT)
        process.wait()
        _copy(servers.cluster.data, target)


def _copy(source: Path, target: Path) -> None:
    """Share the blocks where the file system can: a cluster has thousands of files."""
    subprocess.run([shutil.which("cp") or "cp", "-a", "--reflink=auto", source, target], check=True)


def _place() -> Path:
    seen = hashlib.sha256()
    for path in sorted(path for pattern in READ_BY_MIGRATIONS for path in ROOT.glob(pattern)):
        seen.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes() + b"\0")
    return _HOME / f"made-{seen.hexdigest()[:24]}"


def _maker() -> list[str]:
    return [sys.executable, "-W", "ignore", "-m", "chatsystem.testing.template"]


def _environment() -> dict[str, str]:
    """As for tests, and not with the addresses of the process that asks."""
    foreign = ("CHATSYSTEM_", "DATABASE_URL", "REDIS_URL")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**kept, "PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "chatsystem.settings.test"}


@contextmanager
def _lock(how: int) -> Iterator[None]:
    """Held by who makes or removes one; shared by those that copy. The kernel lets go of it, however they end."""
    _HOME.mkdir(parents=True, exist_ok=True)
    with (_HOME / "lock").open("w") as file:
        fcntl.flock(file, how)
        yield


if __name__ == "__main__":
    main()
