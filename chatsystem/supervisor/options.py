"""What the operator asked for: command line and environment, checked before anything is started."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_PORT = 8000
_HIGHEST_PORT = 65535
_MOST_WEB_PROCESSES = 64


class OptionsError(ValueError):
    """A variable has a value that cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """The commands behind the services. Tests put tiny programs in their place."""

    prepare: tuple[str, ...] = (sys.executable, "manage.py", "prepare")
    web: tuple[str, ...] = (sys.executable, "-m", "chatsystem.web")
    worker: tuple[str, ...] = (
        *(sys.executable, "-m", "celery", "-A", "chatsystem", "worker"),
        *("-P", "threads", "-c", "4", "-Q", "default,ingest,media", "--loglevel", "warning"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    )
    relay: tuple[str, ...] = (sys.executable, "manage.py", "relay")
    model: tuple[str, ...] = (sys.executable, "-m", "apps.elyza.server")
    install_models: tuple[str, ...] = (sys.executable, "run", "install", "ai")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """One start. `port` None: the first free one from 8000 on; `quick` None: as at the last start."""

    data: Path
    host: str = "127.0.0.1"
    port: int | None = None
    public_url: str | None = None
    web_processes: int = 1
    database_url: str | None = None
    redis_url: str | None = None
    quick: bool | None = None
    dev: bool = False
    root: Path = ROOT
    programs: Programs = field(default_factory=Programs)

    @classmethod
    def read(cls, arguments: Sequence[str], *, programs: Programs) -> Self:
        """Read both.

        Raises:
            OptionsError: with the name of the variable. An unknown argument ends the process with code 2.
        """
        parser = argparse.ArgumentParser(prog="./run", description="Start the whole stack.")
        parser.add_argument("--dev", action="store_true", help="reload on change, debug pages")
        models = parser.add_mutually_exclusive_group()
        models.add_argument("--quick", action="store_true", help="leave the local models out, for good")
        models.add_argument("--full", action="store_true", help="bring the local models back")
        asked = parser.parse_args(arguments)
        environment = os.environ
        return cls(
            data=Path(environment.get("CHATSYSTEM_DATA_DIR") or ROOT / "var").absolute(),
            host=environment.get("CHATSYSTEM_HOST") or "127.0.0.1",
            port=_number(environment, "CHATSYSTEM_PORT", _HIGHEST_PORT),
            public_url=(environment.get("CHATSYSTEM_PUBLIC_URL") or "").rstrip("/") or None,
            web_processes=_number(environment, "CHATSYSTEM_WEB_PROCESSES", _MOST_WEB_PROCESSES) or 1,
            database_url=environment.get("DATABASE_URL") or None,
            redis_url=environment.get("REDIS_URL") or None,
            quick=True if asked.quick else False if asked.full else None,
            dev=asked.dev,
            programs=programs,
        )


def _number(environment: Mapping[str, str], name: str, highest: int) -> int | None:
    text = environment.get(name)
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= highest:
        raise OptionsError(f"{name} must be a number from 1 to {highest}, not {text!r}")
    return int(text)
