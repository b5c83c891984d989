"""Whether each part answers. Only the database decides whether this process can serve; the rest degrades."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import redis
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from apps.core.api.problems import DATABASE_AWAY
from apps.core.redis import client
from apps.core.selectors.event_log import relay_lag_seconds
from apps.elyza.services import encoder

RELAY_LATE_SECONDS = 10.0
OK, DEGRADED, DOWN, OFF = "ok", "degraded", "down", "off"
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PartState:
    """One part: `ok`, `degraded` (slower or poorer), `down`, or `off` (not set up)."""

    name: str
    state: str
    note: str = ""
    is_required: bool = False


@dataclass(frozen=True)
class Health:
    """All parts."""

    parts: tuple[PartState, ...]

    @property
    def is_ready(self) -> bool:
        """Return whether this process can serve."""
        return not any(part.is_required and part.state == DOWN for part in self.parts)

    @property
    def status(self) -> str:
        """Return one word for all parts."""
        if not self.is_ready:
            return "unavailable"
        return "ready" if all(part.state in (OK, OFF) for part in self.parts) else "degraded"


def check() -> Health:
    """Ask every part; about 2 ms when all are well, at most some seconds when they are not."""
    database = _database()
    if database.state == DOWN:
        return Health((database, _redis()))
    return Health((database, _migrations(), _redis(), _relay(), _model()))


def _database() -> PartState:
    def ask() -> PartState:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return PartState("database", OK, is_required=True)

    return _asked("database", ask, is_required=True)


def _migrations() -> PartState:
    def ask() -> PartState:
        if missing := _missing_migrations():
            return PartState("migrations", DOWN, f"{missing} not applied", is_required=True)
        return PartState("migrations", OK, is_required=True)

    return _asked("migrations", ask, is_required=True)


def _missing_migrations() -> int:
    """Return how many migrations are not applied; once none is missing, this process does not look again."""
    if not _seen_applied:
        executor = MigrationExecutor(connection)
        missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
        if missing:
            return missing
        _seen_applied.append(True)
    return 0


def _asked(name: str, ask: Callable[[], PartState], *, is_required: bool = False) -> PartState:
    try:
        return ask()
    except DATABASE_AWAY as error:
        logger.warning("health.down", extra={"part": name, "error": type(error).__name__})
        return PartState(name, DOWN, is_required=is_required)


_seen_applied: list[bool] = []


def _redis() -> PartState:
    try:
        client().ping()
    except redis.RedisError:
        return PartState("redis", DOWN, "live updates come late")
    return PartState("redis", OK)


def _relay() -> PartState:
    def ask() -> PartState:
        lag = relay_lag_seconds()
        if lag > RELAY_LATE_SECONDS:
            return PartState("relay", DEGRADED, f"{lag:.0f} s behind")
        return PartState("relay", OK)

    return _asked("relay", ask)


def _model() -> PartState:
    if not settings.CONFIGURATION.model.model_url and encoder.provider() != "hashed":
        return PartState("model", OFF, "search uses words only")
    state = encoder.find_health().state
    if state in ("ready", "idle"):
        return PartState("model", OK)
    return PartState("model", DEGRADED, state)
