"""The relay: publishes what a crashed writer left, leads alone, looks again by itself."""

from __future__ import annotations

import threading
from uuid import uuid4

import orjson
import pytest
import redis as redis_module
from django.db import connection

from apps.core.events import feed, frames, publishing
from apps.core.ids import uuid7
from apps.core.relay import leftovers, loop, periodic
from apps.core.relay.leftovers import Leftovers
from tests.core.events import tick


@pytest.fixture
def clock(monkeypatch):
    """A clock of the leftovers that the test moves."""
    now = [1000.0]
    monkeypatch.setattr(leftovers.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def listening(redis):
    subscription = redis.pubsub(ignore_subscribe_messages=True)
    yield subscription
    subscription.close()


def frames_of(subscription):
    found = []
    while (message := subscription.get_message(timeout=0.1)) is not None:
        found.append(orjson.loads(message["data"]))
    return found


def crash(monkeypatch):
    """The writer dies between commit and publish."""
    monkeypatch.setattr(publishing, "publish_frames", lambda *_args, **_options: False)


def test_frames_a_crash_left_are_published_once_by_the_relay(database, redis, listening, clock, monkeypatch):
    stream = uuid7()
    listening.subscribe(frames.conversation_channel(stream))
    listening.get_message(timeout=1)
    with monkeypatch.context() as crashed:
        crash(crashed)
        for number in range(3):
            tick(stream, number)
    left = Leftovers()
    left.add(feed.move_outbox())
    assert left.publish_ripe() == 0
    clock[0] += leftovers.GRACE_SECONDS
    assert left.publish_ripe() == 3
    assert [frame["sequence"] for frame in frames_of(listening)] == [1, 2, 3]
    assert left.publish_ripe() == 0


def test_frames_the_writer_published_are_not_published_again(database, redis, clock):
    stream = uuid7()
    tick(stream)
    left = Leftovers()
    left.add(feed.move_outbox())
    clock[0] += leftovers.GRACE_SECONDS
    assert left.publish_ripe() == 0


def test_frames_wait_while_redis_is_away(database, redis, clock, monkeypatch):
    with monkeypatch.context() as crashed:
        crash(crashed)
        tick()
    left = Leftovers()
    left.add(feed.move_outbox())
    clock[0] += leftovers.GRACE_SECONDS

    class Away:
        def mget(self, _keys):
            raise redis_module.ConnectionError

    with monkeypatch.context() as away:
        away.setattr(leftovers, "client", Away)
        assert left.publish_ripe() == 0
    assert left.publish_ripe() == 1


def test_one_relay_leads(database):
    assert loop.lead()
    answer = []

    def second():
        try:
            answer.append(loop.lead())
        finally:
            connection.close()

    thread = threading.Thread(target=second)
    thread.start()
    thread.join(10)
    assert answer == [False]


def test_one_failing_duty_stops_no_other(database, monkeypatch):
    ran = []

    def fail():
        raise KeyError

    duties = {
        "test.fail": periodic.Scheduled("test.fail", 60, fail),
        "test.work": periodic.Scheduled("test.work", 60, lambda: ran.append(uuid4())),
    }
    monkeypatch.setattr(periodic, "_duties", duties)
    loop.turn(Leftovers())
    loop.turn(Leftovers())
    assert len(ran) == 1


@pytest.mark.parametrize(("is_woken", "waited", "chained"), [(False, [0.5, 0.5], 1), (True, [0.5], 0)])
def test_the_trail_is_chained_while_the_relay_rests(monkeypatch, is_woken, waited, chained):
    chains, waits = [], []

    class Silence:
        def wait(self, seconds):
            waits.append(seconds)
            return is_woken

    monkeypatch.setattr(loop, "chain", lambda: chains.append(1))
    loop.rest(Silence(), loop.POLL_SECONDS)
    assert (waits, len(chains)) == (waited, chained)


def test_the_loop_ends_when_asked(database, monkeypatch):
    turns = []
    monkeypatch.setattr(loop, "turn", lambda _leftovers: turns.append(1))
    loop.run(stopping=lambda: len(turns) >= 2)
    assert len(turns) == 2
