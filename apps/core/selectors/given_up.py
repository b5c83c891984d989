"""What consumers gave up on, what waits for them, and whether a relay leads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from apps.core import tenancy
from apps.core.errors import NotFound
from apps.core.events.subscribers import durable_consumers
from apps.core.models import DeadLetter

_LEADS = """
SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
  WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 0 AND l.objid = %s AND l.objsubid = 1
    AND d.datname = current_database())
"""
_WAITING = "SELECT consumer, waiting, since FROM core_waiting(%s, %s, %s)"
_OLDEST = "SELECT id, organization_id FROM core_open_dead_letters() ORDER BY created_at, id LIMIT %s"
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
    if organization_id is not None:
        return _open(organization_id).count()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM core_open_dead_letters()")
        return int(cursor.fetchone()[0])


def list_dead_letters(organization_id: UUID | None, *, limit: int = 50) -> list[GivenUp]:
    """Return unsettled dead letters, oldest first. One query; for all organizations one more for each that has some."""
    if organization_id is not None:
        return [_view(row) for row in _open(organization_id).order_by("created_at", "pk")[:limit]]
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST, [limit])
        found = cursor.fetchall()
    by_id: dict[int, GivenUp] = {}
    for organization in dict.fromkeys(organization for _, organization in found):
        wanted = [letter for letter, its in found if its == organization]
        with tenancy.use(organization):
            by_id |= {row.pk: _view(row) for row in _open(organization).filter(pk__in=wanted)}
    return [by_id[letter] for letter, _ in found if letter in by_id]


def get_dead_letter_organization(organization_id: UUID | None, letter_id: int) -> UUID:
    """Return the organization of an open dead letter that is the reader's; None means that all are. One query.

    Raises:
        NotFound: settled, or another organization's.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT organization_id FROM core_open_dead_letters() WHERE id = %s", [letter_id])
        found = cursor.fetchone()
    if found is None or organization_id not in (None, found[0]):
        raise NotFound
    its: UUID = found[0]
    return its


def last_line(error: str) -> str:
    """Return the line of a trace that says what went wrong."""
    lines = error.strip().splitlines()
    return lines[-1][:300] if lines else ""


def _view(row: DeadLetter) -> GivenUp:
    return GivenUp(row.pk, row.consumer, row.event_type, row.attempts, last_line(row.error), row.created_at)


def _open(organization_id: UUID) -> QuerySet[DeadLetter]:
    return DeadLetter.objects.filter(state=DeadLetter.State.OPEN, organization_id=organization_id)
