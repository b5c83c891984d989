"""How the event log is doing: what waits, and who is behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

_OUTBOX = (
    "SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 FROM core_eventoutbox"
)
_HEAD = "SELECT coalesce(max(position), 0) FROM core_eventfeed"
_CONSUMERS = """
SELECT c.name, c.position, c.attempts, c.retry_at, c.last_error, c.updated_at,
       (SELECT count(*) FROM core_deadletter d WHERE d.consumer = c.name AND d.state = 'open')
FROM core_consumer c ORDER BY c.name
"""


@dataclass(frozen=True)
class ConsumerState:
    """A durable consumer: its cursor, and what holds it up.

    Attributes:
        behind: positions between its cursor and the head of the feed; not all of them are for it.
        attempts: failures at its next event; 0 when it runs well.
    """

    name: str
    position: int
    behind: int
    attempts: int
    retry_at: datetime | None
    last_error: str
    updated_at: datetime
    dead_letters: int


@dataclass(frozen=True)
class EventLogState:
    """The whole of it.

    Attributes:
        outbox: committed events the relay has not moved yet.
        lag_seconds: age of the oldest of them; how late the relay is.
    """

    outbox: int
    lag_seconds: float
    head: int
    consumers: tuple[ConsumerState, ...]


def event_log_state() -> EventLogState:
    """Return how outbox, feed and consumers are doing. Three queries."""
    with connection.cursor() as cursor:
        cursor.execute(_OUTBOX)
        outbox, lag = cursor.fetchone()
        cursor.execute(_HEAD)
        (head,) = cursor.fetchone()
        cursor.execute(_CONSUMERS)
        consumers = tuple(
            ConsumerState(name, position, max(0, head - position), *others)
            for name, position, *others in cursor.fetchall()
        )
    return EventLogState(outbox, lag, head, consumers)


def relay_lag_seconds() -> float:
    """Return the age of the oldest event in the outbox; 0 when it is empty. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_OUTBOX)
        return float(cursor.fetchone()[1])
