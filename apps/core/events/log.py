"""Record an event inside the transaction of its change; publish it after the commit."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from django.db import connection, transaction
from structlog.contextvars import get_contextvars

from apps.core.events import publishing, subscribers
from apps.core.events.types import DomainEvent

_RECORD = "SELECT sequence, created_at FROM core_record_event(%s, %s, %s, %s, %s::jsonb, %s, %s)"
# Streams are numbered in one order, so that two transactions never wait for each other.
_RECORD_MANY = """
SELECT e.place, r.sequence, r.created_at FROM (
  SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::uuid[], %s::uuid[], %s::uuid[])
    WITH ORDINALITY AS t (stream, type, payload, organization, scope, actor, place) ORDER BY t.stream, t.place
) e CROSS JOIN LATERAL core_record_event(
  e.organization, e.scope, e.stream, e.type, e.payload::jsonb, e.actor, %s) r
"""

Recorded = TypeVar("Recorded", bound=DomainEvent)
_told_last: ContextVar[list[DomainEvent] | None] = ContextVar("told_last", default=None)


class NotInTransaction(RuntimeError):
    """`record` was called outside `atomic()`: the event could survive without its change."""


def record(event: Recorded) -> Recorded:
    """Run the event's in-transaction subscribers, write it with its stream's next number, publish after the commit.

    Costs one statement plus those of the in-transaction subscribers. Takes the lock of the stream's counter row until
    the commit, so record as late in the transaction as possible. Subscribers come first for the same reason: rows that
    they lock are locked before streams by everybody, or two would wait for each other.

    Returns:
        The same event with `sequence` and `recorded_at`.

    Raises:
        NotInTransaction: outside `atomic()`.
    """
    if not connection.in_atomic_block:
        raise NotInTransaction(event.type)
    subscribers.run_in_transaction(event)
    payload = event.payload()
    trace_id = str(get_contextvars().get("request_id", ""))
    with connection.cursor() as cursor:
        cursor.execute(
            _RECORD,
            [
                event.organization_id,
                event.scope_id,
                event.stream_id,
                event.type,
                payload.decode(),
                event.actor_id,
                trace_id,
            ],
        )
        sequence, recorded_at = cursor.fetchone()
    recorded = dataclasses.replace(event, sequence=sequence, recorded_at=recorded_at)
    stored = publishing.Stored(event.type, event.stream_id, sequence, payload)
    transaction.on_commit(lambda: publishing.publish_stored([stored]))
    return recorded


def record_many(events: Sequence[Recorded]) -> list[Recorded]:
    """Write events of many streams in one statement and publish them in one round trip; otherwise as `record`.

    Raises:
        NotInTransaction: outside `atomic()`.
    """
    if not events:
        return []
    if not connection.in_atomic_block:
        raise NotInTransaction(events[0].type)
    for event in events:
        subscribers.run_in_transaction(event)
    payloads = [event.payload() for event in events]
    with connection.cursor() as cursor:
        cursor.execute(
            _RECORD_MANY,
            [
                [event.stream_id for event in events],
                [event.type for event in events],
                [payload.decode() for payload in payloads],
                [event.organization_id for event in events],
                [event.scope_id for event in events],
                [event.actor_id for event in events],
                str(get_contextvars().get("request_id", "")),
            ],
        )
        numbers = {place: (sequence, moment) for place, sequence, moment in cursor.fetchall()}
    recorded = [
        dataclasses.replace(event, sequence=numbers[place][0], recorded_at=numbers[place][1])
        for place, event in enumerate(events, start=1)
    ]
    stored = [
        publishing.Stored(event.type, event.stream_id, numbers[place][0], payload)
        for place, (event, payload) in enumerate(zip(events, payloads, strict=True), start=1)
    ]
    transaction.on_commit(lambda: publishing.publish_stored(stored))
    return recorded


@contextmanager
def one_order() -> Iterator[None]:
    """Write what `record_last` is given at the end of the block, stream by stream in the order every writer takes.

    For work that handles many things in one transaction. Told one after the other, each would take the lock of its
    stream when its turn comes, and two that had taken them in different orders would wait for each other.

    Raises:
        NotInTransaction: the block ended outside `atomic()`.
    """
    waiting: list[DomainEvent] = []
    token = _told_last.set(waiting)
    try:
        yield
    finally:
        _told_last.reset(token)
    record_many(waiting)


def record_last(events: Sequence[DomainEvent]) -> None:
    """Write events whose numbers the caller does not need: as `record_many`, or at the end of `one_order`."""
    waiting = _told_last.get()
    if waiting is None:
        record_many(events)
    else:
        waiting.extend(events)
