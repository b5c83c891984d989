"""Strings that must be found nowhere, and the places that are searched for them."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.db import connection
from prometheus_client import generate_latest

from apps.core.redis import client
from tests.walls import everywhere

MARK = "q7z"


class Canaries:
    """Makes canaries, one for each entrance, and finds them again."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def new(self, entrance: str) -> str:
        """Return a text that looks like a word, a name, a part of a path and a key at once."""
        made = f"canary{MARK}{entrance}{len(self.made)}{MARK}"
        self.made.append(made)
        return made

    def found_in(self, text: str) -> list[str]:
        """Return those that stand in a text, in any of the usual encodings."""
        lower = text.lower()
        marked = MARK in lower or MARK.encode().hex() in lower
        return [
            made
            for made in self.made
            if (marked or MARK not in made) and (made.lower() in lower or made.encode().hex() in lower)
        ]


@contextmanager
def logs() -> Iterator[io.StringIO]:
    """Everything this process logs meanwhile, in the product's form."""
    (formatter,) = {handler.formatter for handler in logging.getLogger().handlers if is_ours(handler)}
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(formatter)
    logging.getLogger().addHandler(handler)
    try:
        yield written
    finally:
        logging.getLogger().removeHandler(handler)


def is_ours(handler: logging.Handler) -> bool:
    return type(handler.formatter).__name__ == "ProcessorFormatter"


def metrics() -> str:
    return generate_latest().decode()


def queue() -> str:
    """The tasks that wait in Redis."""
    redis: Any = client()
    return "".join(
        str(redis.lrange(key, 0, -1)) for key in redis.keys("celery:*") if redis.type(key) == b"list"
    )


def rows(*columns: str) -> str:
    """The text of whole columns: `rows("runs_attempt.error_text")`."""
    found = []
    with everywhere(), connection.cursor() as cursor:
        for column in columns:
            table, name = column.split(".")
            cursor.execute(f"SELECT {name}::text FROM {table}")
            found += [str(row[0]) for row in cursor.fetchall()]
    return "\n".join(found)


def postgres_log() -> str:
    """What the throw-away PostgreSQL of the tests wrote so far."""
    sockets = parse_qs(urlsplit(os.environ["DATABASE_URL"]).query)["host"][0]
    return (Path(sockets).parent / "postgres.log").read_text(errors="replace")


ERRORS = (
    "runs_attempt.error_text", "runs_step.error_text", "runs_run.error_text", "runs_run.error_code",
    "runs_runframe.data", "core_deadletter.error", "core_consumer.last_error",
)  # fmt: skip
