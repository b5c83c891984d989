"""Record an event inside the transaction of its change; publish it after the commit."""

from __future__ import annotations

import dataclasses
from typing import TypeVar

from django.db import connection, transaction
from structlog.contextvars import get_contextvars

from apps.core.events import publishing, subscribers
from apps.core.events.types import DomainEvent

_RECORD = "SELECT sequence, created_at FROM core_record_event(%s, %s, %s, %s, %s::jsonb, %s, %s)"

Recorded = TypeVar("Recorded", bound=DomainEvent)


class NotInTransaction(RuntimeError):
    """`record` was called outside `atomic()`: the event could survive without its change."""


def record(event: Recorded) -> Recorded:
    """Write the event with the next number of its stream, run its in-transaction subscribers, publish after the commit.

    Costs one statement plus those of the in-transaction subscribers. Takes the lock of the stream's counter row until
    the commit, so record as late in the transaction as possible.

    Returns:
        The same event with `sequence` and `recorded_at`.

    Raises:
        NotInTransaction: outside `atomic()`.
    """
    if not connection.in_atomic_block:
        raise NotInTransaction(event.type)
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
    subscribers.run_in_transaction(recorded)
    transaction.on_commit(
        lambda: publishing.publish_stored(
            type=event.type, stream_id=event.stream_id, sequence=sequence, payload=payload
        )
    )
    return recorded
