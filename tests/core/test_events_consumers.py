"""Durable consumers: every event once in effect, in order, never skipped, never for ever in the way."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from apps.core import tenancy
from apps.core.errors import NotFound
from apps.core.events import consumers, log
from apps.core.ids import uuid7
from apps.core.models import Consumer, DeadLetter, Event, FeatureFlag, FeedEvent, OutboxEvent
from apps.core.services import dead_letters
from tests.core.events import ORGANIZATION, Noted, Ticked, consuming, heard_numbers, move, tick


def test_the_outbox_moves_into_the_feed_in_order(database):
    for number in range(5):
        tick(number=number)
    assert move() == 5
    assert not OutboxEvent.objects.exists()
    assert [
        row["number"] for row in FeedEvent.objects.order_by("position").values_list("payload", flat=True)
    ] == [0, 1, 2, 3, 4]
    assert move() == 0


def test_a_consumer_hears_its_types_in_order_with_their_organization(database):
    heard = []
    with consuming(lambda event: heard.append((event.number, tenancy.current()))) as consumer:
        tick(number=1)
        tick(kind=Noted)
        tick(number=2)
        move()
        assert consumers.run(consumer) == 2
        assert heard == [(1, ORGANIZATION), (2, ORGANIZATION)]
        assert consumers.run(consumer) == 0


def test_a_consumer_works_behind_the_walls_though_the_relay_does_not(database):
    seen = []

    def look(_event):
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user::text, count(*) FROM core_stream")
            seen.append(cursor.fetchone())

    with consuming(look) as consumer:
        tick()
        with tenancy.use(UUID(int=8)), transaction.atomic():
            log.record(Noted(organization_id=UUID(int=8), stream_id=uuid7()))
        move()
        consumers.run(consumer)
        look(None)
    assert seen == [("chat_app", 1), ("chat_platform", 2)]


def test_a_batch_takes_streams_in_the_order_of_every_writer(database):
    """Somebody holds the first stream and wants the last; the batch tells the last one before the first."""
    first, last = sorted((uuid7(), uuid7()))
    held, failed, heard = threading.Event(), [], []

    def write():
        try:
            with tenancy.use(ORGANIZATION), transaction.atomic():
                log.record(Noted(organization_id=ORGANIZATION, stream_id=first))
                held.set()
                with connection.cursor() as cursor:
                    waits = False
                    while not waits:
                        cursor.execute(
                            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND locktype = 'transactionid')"
                        )
                        (waits,) = cursor.fetchone()
                log.record(Noted(organization_id=ORGANIZATION, stream_id=last))
        except DatabaseError as error:
            failed.append(error)
        finally:
            connection.close()

    def tell(event):
        heard.append(event.number)
        log.record_last([Noted(organization_id=ORGANIZATION, stream_id=last if event.number == 1 else first)])

    for stream in (first, last):
        tick(stream, kind=Noted)
    with consuming(tell) as consumer:
        for number in (1, 2):
            tick(number=number)
        move()
        thread = threading.Thread(target=write)
        thread.start()
        assert held.wait(10)
        assert consumers.run(consumer) == 2
        thread.join(10)
    assert (failed, heard) == ([], [1, 2])  # else PostgreSQL would have ended one of both after a second
    with tenancy.use(ORGANIZATION):
        told = Event.objects.filter(stream_id__in=(first, last)).order_by("stream_id", "sequence")
        assert list(told.values_list("sequence", flat=True)) == [1, 2, 3, 1, 2, 3]


def test_a_row_that_commits_late_is_never_skipped(database):
    """The early transaction has the lower id; later ones are moved and consumed before it commits."""
    heard, hear = heard_numbers()
    inserted, may_commit = threading.Event(), threading.Event()

    def slow():
        try:
            with tenancy.use(ORGANIZATION), transaction.atomic():
                log.record(Ticked(organization_id=ORGANIZATION, stream_id=uuid7(), number=1))
                inserted.set()
                may_commit.wait(10)
        finally:
            connection.close()

    with consuming(hear) as consumer:
        thread = threading.Thread(target=slow)
        thread.start()
        assert inserted.wait(10)
        tick(number=2)
        move()
        consumers.run(consumer)
        assert heard == [2]
        may_commit.set()
        thread.join(10)
        move()
        consumers.run(consumer)
    assert heard == [2, 1]


def test_effect_and_cursor_commit_together(database):
    def write_then_fail(event):
        FeatureFlag.objects.create(key=f"flag-{event.number}")
        if event.number == 2:
            raise ValueError("no")

    with consuming(write_then_fail) as consumer:
        for number in (1, 2, 3):
            tick(number=number)
        move()
        consumers.run(consumer)
        assert [flag.key for flag in FeatureFlag.objects.all()] == ["flag-1"]
        cursor = Consumer.objects.get(name=consumer.name)
        assert cursor.attempts == 1
        assert cursor.last_error.endswith("write_then_fail\nValueError")
        assert cursor.position == FeedEvent.objects.order_by("position").first().position


def test_a_few_events_share_a_transaction_but_not_with_another_organization(database):
    places = []
    elsewhere = UUID(int=8)

    def look(event):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id()::text")
            places.append((event.number, tenancy.current(), cursor.fetchone()[0]))

    with consuming(look) as consumer:
        tick(number=1)
        tick(number=2)
        with tenancy.use(elsewhere), transaction.atomic():
            log.record(Ticked(organization_id=elsewhere, stream_id=uuid7(), number=3))
        tick(number=4)
        move()
        assert consumers.run(consumer) == 4
    numbers, organizations, transactions = zip(*places, strict=True)
    assert numbers == (1, 2, 3, 4)
    assert organizations == (ORGANIZATION, ORGANIZATION, elsewhere, ORGANIZATION)
    assert transactions[0] == transactions[1]
    assert len(set(transactions)) == 3


def test_locks_are_held_for_a_moment_only(database, monkeypatch):
    monkeypatch.setattr(consumers, "HELD_SECONDS", 0)
    seen = []

    def look(_event):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id()::text")
            seen.append(cursor.fetchone()[0])

    with consuming(look) as consumer:
        for number in range(3):
            tick(number=number)
        move()
        assert consumers.run(consumer) == 3
    assert len(set(seen)) == 3


@pytest.mark.filterwarnings("ignore:This process .* multi-threaded:DeprecationWarning")
def test_a_relay_killed_among_the_events_of_a_group_skips_none_and_does_none_twice(database, monkeypatch):
    """It has committed a group of three and dies inside the next; its successor does that one, and all of it."""
    monkeypatch.setattr(consumers, "BATCH", 3)
    monkeypatch.setattr(consumers, "HELD_SECONDS", 60)
    taken = []

    def write(event):
        FeatureFlag.objects.create(key=f"flag-{event.number}")
        taken.append(event.number)

    def write_and_die(event):
        write(event)
        if event.number == 4:
            os.kill(os.getpid(), signal.SIGKILL)

    for number in range(7):
        tick(number=number)
    move()
    with consuming(write_and_die) as consumer:
        connection.close()  # the child opens one of its own
        child = os.fork()
        if child == 0:
            consumers.run(consumer)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
        assert consumers.run(replace(consumer, handle=write)) == 4
    assert taken == [3, 4, 5, 6]
    flags = FeatureFlag.objects.order_by("key").values_list("key", flat=True)
    assert list(flags) == [f"flag-{number}" for number in range(7)]
    assert Consumer.objects.get(name=consumer.name).attempts == 0


@pytest.mark.parametrize("poison", [0, 1, 3])
def test_one_poison_among_many_harms_none_of_them(database, poison):
    def write(event):
        FeatureFlag.objects.create(key=f"flag-{event.number}")
        if event.number == poison:
            raise ValueError

    with time_machine.travel(timezone.now(), tick=False) as clock, consuming(write) as consumer:
        for number in range(4):
            tick(number=number)
        move()
        consumers.run(consumer)
        before = [f"flag-{number}" for number in range(poison)]
        assert sorted(FeatureFlag.objects.values_list("key", flat=True)) == before
        run_until_settled(consumer, clock)
        consumers.run(consumer)
    assert sorted(FeatureFlag.objects.values_list("key", flat=True)) == [
        f"flag-{number}" for number in range(4) if number != poison
    ]
    assert DeadLetter.objects.get().event["payload"]["number"] == poison


def test_what_only_the_commit_refuses_is_found_among_many(database):
    """A foreign key is checked at the end, when all events of the transaction seem to have gone well."""

    def write(event):
        if event.number == 2:
            EmailAddress.objects.create(email="nobody@example.org", user_id=uuid7())
        FeatureFlag.objects.create(key=f"flag-{event.number}")

    with time_machine.travel(timezone.now(), tick=False) as clock, consuming(write) as consumer:
        for number in range(5):
            tick(number=number)
        move()
        run_until_settled(consumer, clock)
        consumers.run(consumer)
    assert sorted(FeatureFlag.objects.values_list("key", flat=True)) == [
        "flag-0",
        "flag-1",
        "flag-3",
        "flag-4",
    ]
    assert DeadLetter.objects.get().event["payload"]["number"] == 2


def run_until_settled(consumer, clock):
    for _ in range(consumers.MOST_ATTEMPTS):
        consumers.run(consumer)
        clock.shift(timedelta(seconds=60))


def test_a_failing_event_is_tried_five_times_then_set_aside(database):
    tries, heard = [], []

    def handle(event):
        if event.number == 1:
            tries.append(1)
            raise ValueError("poison")
        heard.append(event.number)

    with time_machine.travel(timezone.now(), tick=False) as clock, consuming(handle) as consumer:
        tick(number=1)
        tick(number=2)
        move()
        run_until_settled(consumer, clock)
        consumers.run(consumer)
    assert len(tries) == 5
    assert heard == [2]
    letter = DeadLetter.objects.get()
    assert (letter.consumer, letter.event_type, letter.attempts, letter.state) == (
        "test.consumer",
        "test.ticked",
        5,
        "open",
    )
    assert letter.error.endswith("ValueError")
    assert "poison" not in letter.error


def test_waiting_for_the_next_try_blocks_nobody_and_ends_in_time(database):
    tries = []

    def fail(_event):
        tries.append(1)
        raise ValueError

    with time_machine.travel(timezone.now(), tick=False) as clock, consuming(fail) as consumer:
        tick()
        move()
        consumers.run(consumer)
        consumers.run(consumer)
        assert len(tries) == 1
        clock.shift(timedelta(seconds=0.3))
        consumers.run(consumer)
    assert len(tries) == 2


def dead_letter(consumer):
    tick(number=1)
    move()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        run_until_settled(consumer, clock)
    return DeadLetter.objects.get()


def test_a_dead_letter_can_be_replayed(database):
    heard, is_broken = [], [True]

    def handle(event):
        if is_broken:
            raise ValueError("still broken")
        heard.append((event.number, event.sequence, tenancy.current()))

    with consuming(handle) as consumer:
        letter = dead_letter(consumer)
        failed = dead_letters.replay(dead_letter_id=letter.pk)
        assert failed.error == "ValueError"
        assert DeadLetter.objects.get().state == "open"
        is_broken.clear()
        assert dead_letters.replay(dead_letter_id=letter.pk).error == ""
        assert heard == [(1, 1, ORGANIZATION)]
        letter.refresh_from_db()
        assert (letter.state, letter.settled_at is None) == ("replayed", False)
        with pytest.raises(NotFound):
            dead_letters.replay(dead_letter_id=letter.pk)
        assert len(heard) == 1


def test_a_dead_letter_can_be_dismissed_once(database):
    def fail(_event):
        raise ValueError

    with consuming(fail) as consumer:
        letter = dead_letter(consumer)
    dead_letters.dismiss(dead_letter_id=letter.pk)
    letter.refresh_from_db()
    assert letter.state == "dismissed"
    with pytest.raises(NotFound):
        dead_letters.dismiss(dead_letter_id=letter.pk)
    with pytest.raises(NotFound):
        dead_letters.replay(dead_letter_id=letter.pk)


def test_a_replay_whose_consumer_is_gone_says_so(database):
    def fail(_event):
        raise ValueError

    with consuming(fail) as consumer:
        letter = dead_letter(consumer)
    assert dead_letters.replay(dead_letter_id=letter.pk).error == "ConsumerGone core.consumer_gone"


def test_new_consumers_start_where_they_ask_to(database, monkeypatch):
    from apps.core.events import subscribers
    from apps.core.events.subscribers import DurableConsumer

    tick()
    move()
    head = FeedEvent.objects.order_by("-position").first().position
    for name, from_start in (("test.old", True), ("test.new", False)):
        consumer = DurableConsumer(name, frozenset({Ticked.type}), print, from_start)
        monkeypatch.setitem(subscribers._durable, name, consumer)
    consumers.ensure_consumers()
    consumers.ensure_consumers()
    assert dict(Consumer.objects.filter(name__startswith="test.").values_list("name", "position")) == {
        "test.old": 0, "test.new": head,
    }  # fmt: skip


def test_an_unknown_event_type_is_set_aside_not_lost(database, monkeypatch):
    from apps.core.events import types

    with consuming(print) as consumer:
        tick()
        move()
        monkeypatch.delitem(types._registry, Ticked.type)
        with time_machine.travel(timezone.now(), tick=False) as clock:
            run_until_settled(consumer, clock)
    assert DeadLetter.objects.get().event_type == "test.ticked"


def test_history_is_the_replay_cursor_of_a_stream(database):
    stream = uuid7()
    for number in range(4):
        tick(stream, number)
    tick(number=9)
    found = consumers.history(stream_id=stream, after=1, limit=2)
    assert [(row["sequence"], row["payload"]["number"]) for row in found] == [(2, 1), (3, 2)]
