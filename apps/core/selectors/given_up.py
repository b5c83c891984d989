"""What consumers gave up on, what waits for them, and whether a relay leads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from apps.core.errors import NotFound
from apps.core.events.subscribers import durable_consumers
from apps.core.models import DeadLetter

_LEADS = """
SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
  WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 0 AND l.objid = %s AND l.objsubid = 1
    AND d.datname = current_database())
"""
# A cursor stands at the consumer's last event, so what lies between it and the head may all be for others.
_WAITING = """
SELECT d.name, count(w.created_at), min(w.created_at)
FROM unnest(%s::text[], %s::text[]) AS d (name, type) JOIN core_consumer c ON c.name = d.name
LEFT JOIN LATERAL (SELECT created_at FROM core_eventfeed f WHERE f.position > c.position AND f.type = d.type
  ORDER BY f.position LIMIT %s) w ON true
GROUP BY d.name
"""
MOST_COUNTED = 1000


@dataclass(frozen=True)
class Waiting:
    """Events that wait for a consumer: how many (of one type at most `MOST_COUNTED`), and since when."""

    count: int
    since: datetime | None


@dataclass(frozen=True)
class GivenUp:
    """A dead letter in a list; the event's content stays in the table."""

    id: int
    consumer: str
    event_type: str
    attempts: int
    error: str
    created_at: datetime


def is_relay_leading(lock: int) -> bool:
    """Return whether some relay holds the leader's lock. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_LEADS, [lock])
        return bool(cursor.fetchone()[0])


def waiting_by_consumer() -> dict[str, Waiting]:
    """Return what waits for each consumer that has a cursor. One query."""
    pairs = [(consumer.name, name) for consumer in durable_consumers() for name in sorted(consumer.types)]
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [[name for name, _ in pairs], [kind for _, kind in pairs], MOST_COUNTED])
        return {name: Waiting(count, since) for name, count, since in cursor.fetchall()}


def count_dead_letters(organization_id: UUID | None) -> int:
    """Return how many events were given up and are not settled; of all organizations for None. One query."""
    return _open(organization_id).count()


def list_dead_letters(organization_id: UUID | None, *, limit: int = 50) -> list[GivenUp]:
    """Return unsettled dead letters, oldest first. One query."""
    rows = _open(organization_id).order_by("created_at", "pk")[:limit]
    return [
        GivenUp(row.pk, row.consumer, row.event_type, row.attempts, last_line(row.error), row.created_at)
        for row in rows
    ]


def require_dead_letter(organization_id: UUID | None, letter_id: int) -> None:
    """Refuse a dead letter that is settled or another organization's; None means that all are the reader's.

    Raises:
        NotFound.
    """
    if not _open(organization_id).filter(pk=letter_id).exists():
        raise NotFound


def last_line(error: str) -> str:
    """Return the line of a trace that says what went wrong."""
    lines = error.strip().splitlines()
    return lines[-1][:300] if lines else ""


def _open(organization_id: UUID | None) -> QuerySet[DeadLetter]:
    letters = DeadLetter.objects.filter(state=DeadLetter.State.OPEN)
    return letters if organization_id is None else letters.filter(organization_id=organization_id)
