"""Run the durable consumers: effect and cursor in one transaction, retry with back-off, then a dead letter."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import takewhile
from typing import Any
from uuid import UUID

import orjson
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from prometheus_client import Counter, Gauge

from apps.core import faults, tenancy
from apps.core.database import planned
from apps.core.events import log
from apps.core.events.subscribers import DurableConsumer, durable_consumers
from apps.core.events.types import restore
from apps.core.models import Consumer, DeadLetter, Event, FeedEvent

BATCH, LEAST_BATCH = 200, 10
FAR = 1000  # events between a cursor and the head
SLICE_SECONDS = 0.1
HELD_SECONDS = 0.05  # effects lock rows that senders wait for
MOST_ATTEMPTS = 5
BACK_OFF_SECONDS = (0.2, 1.0, 5.0, 20.0)
logger = logging.getLogger(__name__)
handled = Counter("chatsystem_consumer_events_total", "Events a consumer took", ["consumer", "outcome"])
position_gauge = Gauge(
    "chatsystem_consumer_position",
    "Cursor of a consumer in the feed",
    ["consumer"],
    multiprocess_mode="max",  # it only goes up, whichever relay led
)
# How many events each consumer reads next: what it had time for, twice that when it took all.
_sizes: dict[str, int] = {}
# Of each consumer its cursor, and up to where the feed holds nothing more for it.
_passed: dict[str, tuple[int, int]] = {}
_FIELDS = (
    "position", "organization_id", "scope_id", "stream_id", "sequence", "type", "payload", "actor_id", "trace_id",
    "created_at",
)  # fmt: skip
_READ = f"""
SELECT {", ".join(_FIELDS).replace("payload", "payload::text")} FROM core_eventfeed
WHERE position > %s AND type = ANY(%s) ORDER BY position LIMIT %s
"""  # noqa: S608 - constants of this module
_LOCK = "SELECT position FROM core_consumer WHERE name = %s FOR NO KEY UPDATE"
_MOVE_ON = """
UPDATE core_consumer SET position = %s, attempts = 0, retry_at = NULL, last_error = '', updated_at = now()
WHERE name = %s
"""


def ensure_consumers() -> None:
    """Give each declared consumer its cursor row."""
    head = FeedEvent.objects.order_by("-position").values_list("position", flat=True).first() or 0
    for consumer in durable_consumers():
        Consumer.objects.get_or_create(
            name=consumer.name, defaults={"position": 0 if consumer.from_start else head}
        )


def run_slice() -> bool:
    """Let every consumer work for a moment in turn; return whether one has more waiting.

    Whoever has a backlog holds up neither the others nor what the relay does besides.
    """
    consumers = durable_consumers()
    standing = _standing(consumer.name for consumer in consumers)
    waiting = [_work(consumer, standing, until=time.monotonic() + SLICE_SECONDS)[1] for consumer in consumers]
    return any(waiting)


def run(consumer: DurableConsumer) -> int:
    """Take events of one consumer until none is left or one fails; return how many were handled.

    A few events share a transaction with the cursor; when one fails, the others are taken without it.
    """
    return _work(consumer, _standing([consumer.name]), until=math.inf)[0]


@dataclass(frozen=True)
class _Cursor:
    """How far a consumer is, and when it tries again what failed."""

    position: int
    retry_at: datetime | None


@dataclass(frozen=True)
class _Standing:
    """Where consumers stood at a moment, and the newest event of the feed then."""

    cursors: dict[str, _Cursor]
    head: int


def _standing(names: Iterable[str]) -> _Standing:
    head = FeedEvent.objects.order_by("-position").values_list("position", flat=True).first() or 0
    rows = Consumer.objects.filter(name__in=list(names)).values_list("name", "position", "retry_at")
    return _Standing({name: _Cursor(position, retry_at) for name, position, retry_at in rows}, head)


def _work(consumer: DurableConsumer, standing: _Standing, *, until: float) -> tuple[int, bool]:
    total = 0
    while True:
        taken, more = _run_batch(consumer, standing, until)
        total += taken
        if not more or time.monotonic() >= until:
            return total, more
        standing = _standing([consumer.name])


def _run_batch(consumer: DurableConsumer, standing: _Standing, until: float) -> tuple[int, bool]:
    cursor, name = standing.cursors.get(consumer.name), consumer.name
    if cursor is None or (cursor.retry_at and cursor.retry_at > timezone.now()):
        return 0, False
    at, passed = _passed.get(name, (cursor.position, cursor.position))
    start = passed if at == cursor.position and passed <= standing.head else cursor.position
    if start >= standing.head:
        return 0, False
    size = min(BATCH, _sizes.get(name, BATCH))
    rows = _read(consumer, after=start, limit=size)
    taken, goes_on = 0, True
    while goes_on and taken < len(rows) and (not taken or time.monotonic() < until):
        group = list(takewhile(partial(_is_beside, rows[taken]), rows[taken:]))
        count, goes_on = _take(consumer, group)
        taken += count
    _sizes[name] = max(LEAST_BATCH, 2 * size if taken == size else taken)
    if goes_on and taken == len(rows) < size:
        _pass_over(consumer, rows[-1]["position"] if rows else cursor.position, standing.head)
    return taken, goes_on and (taken < len(rows) or len(rows) == size)


def _read(consumer: DurableConsumer, *, after: int, limit: int) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(_READ, [after, list(consumer.types), limit])
        rows = [dict(zip(_FIELDS, row, strict=True)) for row in cursor.fetchall()]
    for row in rows:
        row["payload"] = orjson.loads(row["payload"])
    return rows


def _pass_over(consumer: DurableConsumer, position: int, head: int) -> None:
    """Remember that nothing for the consumer stands between its cursor and the head of a while ago.

    One that hears of little would else look through all that came since for each new event. After many the cursor
    itself moves there, so that the next start finds it near, and whoever counts what waits.
    """
    if head - position >= FAR:
        moved = Consumer.objects.filter(name=consumer.name, position=position).update(
            position=head, updated_at=timezone.now()
        )
        if not moved:
            return  # set back meanwhile, or another relay was here
        position_gauge.labels(consumer.name).set(head)
        position = head
    _passed[consumer.name] = (position, head)


def _is_beside(first: dict[str, Any], row: dict[str, Any]) -> bool:
    return bool(first["organization_id"] == row["organization_id"])


def _take(consumer: DurableConsumer, rows: list[dict[str, Any]]) -> tuple[int, bool]:
    """Handle events of one organization in one transaction, for a moment; return how many, and whether to go on."""
    until, done = time.monotonic() + HELD_SECONDS, 0
    try:
        with tenancy.use(rows[0]["organization_id"]), transaction.atomic():
            tenancy.bind()
            reached = _locked_position(consumer)
            with log.one_order():
                for row in rows:
                    if row["position"] > reached:  # else another relay was here first
                        consumer.handle(restore(row))
                        reached = row["position"]
                    done += 1
                    if time.monotonic() >= until:
                        break
            _move_on(consumer, reached)
    except DatabaseError as error:
        if not connection.is_usable():
            raise  # the server went away: that is nobody's poison event
        return _after_failure(consumer, rows, done, error)
    except Exception as error:  # noqa: BLE001 - a consumer may raise anything; it is kept and shown
        return _after_failure(consumer, rows, done, error)
    handled.labels(consumer.name, "done").inc(done)
    position_gauge.labels(consumer.name).set(reached)
    return done, True


def _after_failure(
    consumer: DurableConsumer, rows: list[dict[str, Any]], done: int, error: Exception
) -> tuple[int, bool]:
    """Take what went well again without the one that failed; what fails as the first of its group is counted."""
    unharmed = done if done < len(rows) else len(rows) // 2  # all of them: the commit failed
    if unharmed:
        return _take(consumer, rows[:unharmed])
    goes_on = _failed(consumer, rows[0], error)
    return int(goes_on), goes_on


def _locked_position(consumer: DurableConsumer) -> int:
    with connection.cursor() as cursor:
        planned.execute(cursor, _LOCK, [consumer.name])
        position: int = cursor.fetchone()[0]
    return position


def _move_on(consumer: DurableConsumer, position: int) -> None:
    with connection.cursor() as cursor:
        planned.execute(cursor, _MOVE_ON, [position, consumer.name])


class ConsumerGone(LookupError):
    """No loaded app declares the consumer of a dead letter any more."""

    code = "core.consumer_gone"


def _failed(consumer: DurableConsumer, row: dict[str, Any], error: Exception) -> bool:
    """Count the failure; after the last attempt keep a dead letter and go on. Returns True when going on."""
    reason = faults.trace_of(error)[-4000:]
    with tenancy.use(row["organization_id"]), transaction.atomic():
        locked = Consumer.objects.select_for_update(no_key=True).get(name=consumer.name)
        attempts = locked.attempts + 1
        if attempts < MOST_ATTEMPTS:
            delay = BACK_OFF_SECONDS[min(attempts, len(BACK_OFF_SECONDS)) - 1]
            locked.attempts, locked.last_error = attempts, reason
            locked.retry_at = timezone.now() + timedelta(seconds=delay)
            locked.save()
            outcome = False
        else:
            stored = (
                {**row, "id": None}
                | {key: str(row[key]) for key in ("organization_id", "stream_id", "created_at")}
                | {key: str(row[key]) if row[key] else None for key in ("scope_id", "actor_id")}
            )
            DeadLetter.objects.get_or_create(
                consumer=consumer.name,
                position=row["position"],
                defaults={
                    "organization_id": row["organization_id"], "event_type": row["type"], "event": stored,
                    "error": reason, "attempts": attempts,
                },
            )  # fmt: skip
            locked.position, locked.attempts, locked.retry_at, locked.last_error = (
                row["position"],
                0,
                None,
                reason,
            )
            locked.save()
            outcome = True
    handled.labels(consumer.name, "dead" if outcome else "retry").inc()
    logger.warning(
        "consumer.failed",
        extra={"consumer": consumer.name, "position": row["position"], "attempts": attempts, "dead": outcome},
    )
    return outcome


def replay(dead_letter_id: int) -> None:
    """Give a dead letter to its consumer once more; it stays open when that fails.

    Raises:
        ConsumerGone: it no longer exists. Whatever the consumer raises is raised too.
    """
    consumers = {consumer.name: consumer for consumer in durable_consumers()}
    letter = DeadLetter.objects.get(pk=dead_letter_id)
    consumer = consumers.get(letter.consumer)
    if consumer is None:
        raise ConsumerGone
    with tenancy.use(letter.organization_id), transaction.atomic():
        consumer.handle(restore(letter.event))
        DeadLetter.objects.filter(pk=letter.pk).update(
            state=DeadLetter.State.REPLAYED, settled_at=timezone.now()
        )


def history(*, stream_id: UUID, after: int, limit: int = 500) -> list[dict[str, Any]]:
    """Return a stream's events after a sequence, oldest first: the replay cursor of sockets and integrators."""
    rows = (
        Event.objects.filter(stream_id=stream_id, sequence__gt=after)
        .order_by("sequence")
        .values("stream_id", "sequence", "type", "payload", "created_at")[:limit]
    )
    return [dict(row) for row in rows]
