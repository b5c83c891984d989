"""How the event log is doing: what waits, and who is behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

# Functions that count over all organizations and show nothing of any.
_STATE = "SELECT outbox, lag_seconds, head FROM core_log_state()"
_CONSUMERS = """
SELECT c.name, c.position, c.attempts, c.retry_at, c.last_error, c.updated_at, coalesce(d.letters, 0)
FROM core_consumer c
LEFT JOIN (SELECT consumer, count(*) AS letters FROM core_open_dead_letters() GROUP BY 1) d ON d.consumer = c.name
ORDER BY c.name
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
    """Return how outbox, feed and consumers are doing. Two queries."""
    with connection.cursor() as cursor:
        cursor.execute(_STATE)
        outbox, lag, head = cursor.fetchone()
        cursor.execute(_CONSUMERS)
        consumers = tuple(
            ConsumerState(name, position, max(0, head - position), *others)
            for name, position, *others in cursor.fetchall()
        )
    return EventLogState(outbox, lag, head, consumers)


def relay_lag_seconds() -> float:
    """Return the age of the oldest event in the outbox; 0 when it is empty. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_STATE)
        return float(cursor.fetchone()[1])
