"""Recording: with the change or not at all, numbered without gaps, announced after the commit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import orjson
import pytest
import redis as redis_module
from django.db import DatabaseError, connection, transaction

from apps.core import tenancy
from apps.core.events import frames, log, publishing, subscribers
from apps.core.events.types import UnknownEventType, restore
from apps.core.ids import uuid7
from apps.core.models import Event, OutboxEvent, Stream
from tests.core.events import ORGANIZATION, Noted, Ticked, tick
from tests.walls import everywhere


def test_outside_a_transaction_nothing_is_recorded(transactional_db):
    with tenancy.use(ORGANIZATION), pytest.raises(log.NotInTransaction):
        log.record(Ticked(organization_id=ORGANIZATION, stream_id=uuid7()))
    with everywhere():
        assert not Event.objects.exists()


def test_many_are_recorded_as_one_by_one_in_one_statement(db, django_assert_num_queries):
    one, other = uuid7(), uuid7()
    wanted = [
        Ticked(organization_id=ORGANIZATION, stream_id=pk, number=n)
        for n, pk in enumerate((other, one, other))
    ]
    with tenancy.use(ORGANIZATION), transaction.atomic(), django_assert_num_queries(1):
        recorded = log.record_many(wanted)
    assert [(event.stream_id, event.number, event.sequence) for event in recorded] == [
        (other, 0, 1), (one, 1, 1), (other, 2, 2),
    ]  # fmt: skip
    with everywhere():
        assert OutboxEvent.objects.count() == Event.objects.count() == 3
    assert log.record_many([]) == []


def test_event_outbox_and_counter_agree(db):
    stream = uuid7()
    recorded = [tick(stream, number) for number in range(3)]
    assert [event.sequence for event in recorded] == [1, 2, 3]
    with everywhere():
        rows = list(Event.objects.order_by("sequence").values_list("sequence", "payload", "type"))
    assert rows == [
        (1, {"number": 0}, "test.ticked"),
        (2, {"number": 1}, "test.ticked"),
        (3, {"number": 2}, "test.ticked"),
    ]
    with everywhere():
        assert list(OutboxEvent.objects.order_by("id").values_list("sequence", flat=True)) == [1, 2, 3]
        assert Stream.objects.get(pk=stream).last_sequence == 3


def test_a_rolled_back_change_leaves_no_event_and_no_gap(transactional_db):
    stream = uuid7()
    tick(stream)
    with tenancy.use(ORGANIZATION), transaction.atomic():
        log.record(Ticked(organization_id=ORGANIZATION, stream_id=stream))
        transaction.set_rollback(True)
    assert tick(stream).sequence == 2
    with everywhere():
        assert Event.objects.count() == 2


def test_writers_at_once_leave_no_gap_and_double_nothing(transactional_db):
    stream, start = uuid7(), Barrier(6)

    def write(writer):
        start.wait(10)
        try:
            return [tick(stream, writer).sequence for _ in range(20)]
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        numbers = [number for written in threads.map(write, range(6)) for number in written]
    assert sorted(numbers) == list(range(1, 121))
    with everywhere():
        assert sorted(Event.objects.values_list("sequence", flat=True)) == list(range(1, 121))


def test_an_organization_cannot_write_into_another(db):
    stream = uuid7()
    tick(stream)
    other = UUID(int=8)
    with pytest.raises(DatabaseError), tenancy.use(other), transaction.atomic():
        log.record(Ticked(organization_id=ORGANIZATION, stream_id=stream))
    with pytest.raises(DatabaseError), tenancy.use(other), transaction.atomic():
        log.record(Ticked(organization_id=other, stream_id=stream))
    with everywhere():
        assert Event.objects.count() == 1


def test_the_runtime_role_cannot_write_the_log_past_the_function(db):
    with tenancy.use(ORGANIZATION):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            OutboxEvent.objects.create(
                organization_id=ORGANIZATION,
                stream_id=uuid7(),
                sequence=1,
                type="x",
                payload={},
                created_at="2026-01-01T00:00Z",
            )
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            Event.objects.all().delete()


def test_subscribers_in_the_transaction_fail_the_change(transactional_db, monkeypatch):
    def refuse(_event):
        raise KeyError

    monkeypatch.setitem(subscribers._in_transaction, Ticked.type, [refuse])
    with pytest.raises(KeyError):
        tick()
    with everywhere():
        assert not Event.objects.exists()


def test_the_frame_leaves_after_the_commit_with_the_head(transactional_db, redis):
    stream = uuid7()
    channel = frames.conversation_channel(stream)
    listening = redis.pubsub(ignore_subscribe_messages=True)
    listening.subscribe(channel)
    listening.get_message(timeout=1)
    with tenancy.use(ORGANIZATION), transaction.atomic():
        log.record(Ticked(organization_id=ORGANIZATION, stream_id=stream, number=5))
        assert listening.get_message(timeout=0.05) is None
    frame = orjson.loads(listening.get_message(timeout=1)["data"])
    listening.close()
    assert frame == {
        "frame": "event", "conversation": str(stream), "sequence": 1, "type": "test.ticked", "data": {"number": 5},
    }  # fmt: skip
    assert redis.get(publishing.head_key(channel)) == b"1"


def test_events_for_nobody_make_no_frame():
    assert frames.encode(type=Noted.type, stream_id=uuid7(), sequence=1, payload=b"{}") is None
    assert frames.encode(type="gone.type", stream_id=uuid7(), sequence=1, payload=b"{}") is None


def test_a_change_survives_a_redis_that_is_away(transactional_db, monkeypatch):
    class Away:
        def __getattr__(self, _name):
            return lambda *_args, **_options: self

        def execute(self):
            raise redis_module.ConnectionError

    monkeypatch.setattr(publishing, "client", Away)
    assert tick().sequence == 1
    with everywhere():
        assert Event.objects.count() == 1


def test_a_stored_row_becomes_its_event_again(db):
    recorded = tick(number=4)
    with everywhere():
        row = Event.objects.values().get()
    assert restore(row) == recorded
    with pytest.raises(UnknownEventType):
        restore({**row, "type": "gone.type"})


def test_two_classes_cannot_share_a_type():
    with pytest.raises(TypeError, match=r"test\.ticked"):
        type("Other", (Ticked,), {"type": "test.ticked", "__annotations__": {}})
