"""The relay's loop: one leader by advisory lock, woken by Redis, looking by itself every second.

Who writes into the audit trail wakes nobody, because a round trip to Redis would cost more than the entry: the relay
looks for entries twice a second.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import redis
from django.db import InterfaceError, OperationalError, connection, connections
from prometheus_client import Counter

from apps.core import faults
from apps.core.events import consumers, feed
from apps.core.events.publishing import WAKE_RELAY
from apps.core.redis import client
from apps.core.relay import periodic
from apps.core.relay.leftovers import Leftovers
from apps.core.services import audit_chain

LEADER_LOCK = 0x6C656164  # "lead"
POLL_SECONDS = 1.0
CHAIN_SECONDS = 0.5
logger = logging.getLogger(__name__)
duty_failures = Counter("chatsystem_duty_failures_total", "Periodic duties that raised", ["duty"])


class Waker:
    """Waits for a wake-up over Redis, or for the time to pass when Redis is away."""

    def __init__(self) -> None:
        self._subscription: redis.client.PubSub | None = None

    def wait(self, seconds: float) -> bool:
        """Return after a wake-up or after `seconds`; whether it was a wake-up."""
        try:
            if self._subscription is None:
                self._subscription = client().pubsub(  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
                    ignore_subscribe_messages=True
                )
                self._subscription.subscribe(WAKE_RELAY)
            if self._subscription.get_message(timeout=seconds):
                while self._subscription.get_message(timeout=0):
                    pass  # many wake-ups are one
                return True
        except redis.RedisError:
            self._subscription = None
            time.sleep(min(seconds, POLL_SECONDS))
        return False


def lead() -> bool:
    """Take the leadership for this session; False while another relay holds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LEADER_LOCK])
        return bool(cursor.fetchone()[0])


def turn(leftovers: Leftovers) -> bool:
    """Do what waits, once: move, publish what was left, chain the trail, consume for a moment, periodic duties.

    Returns whether consumers have more waiting, so that the next turn comes at once.
    """
    while rows := feed.move_outbox():
        leftovers.add(rows)
    leftovers.publish_ripe()
    chain()
    is_behind = consumers.run_slice()
    for duty in periodic.due():
        _perform(duty)
    return is_behind


def chain() -> None:
    """Chain what was written into the audit trail since."""
    while audit_chain.chain_waiting() == audit_chain.BATCH:
        pass


def rest(waker: Waker, seconds: float) -> None:
    """Wait for a wake-up or the time to pass, and chain the trail in between."""
    first = min(seconds, CHAIN_SECONDS)
    if not waker.wait(first) and seconds > first:
        chain()
        waker.wait(seconds - first)


def _perform(duty: periodic.Scheduled) -> None:
    """Run one duty; its failure is shown and must not stop the others."""
    try:
        duty.run()
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        duty_failures.labels(duty.name).inc()
        logger.exception("relay.duty_failed", extra={"duty": duty.name})


def run(*, stopping: Callable[[], bool]) -> None:
    """Lead until told to stop; a lost database is waited for, as everything is in rows."""
    waker, leftovers, leading = Waker(), Leftovers(), False
    while not stopping():
        try:
            if not leading:
                leading = lead()
                if leading:
                    consumers.ensure_consumers()
                    logger.info("relay.leading")
            if leading:
                if not turn(leftovers):
                    rest(waker, min(POLL_SECONDS, leftovers.next_ripe_seconds or POLL_SECONDS))
                continue
        except (OperationalError, InterfaceError) as error:
            leading = False
            logger.warning("relay.database_away", extra={"error": faults.told(error)})
            connections.close_all()
        waker.wait(POLL_SECONDS)
