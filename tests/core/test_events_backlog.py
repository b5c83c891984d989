"""Consumers behind a backlog, and those that hear of little: nothing is read in vain, nobody is held up."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from django.db import connection

from apps.core.events import consumers
from apps.core.models import Consumer, FeedEvent
from tests.core.events import Noted, consuming, heard_numbers, move, tick


def test_more_than_a_batch_is_taken_in_one_go(database, monkeypatch):
    monkeypatch.setattr(consumers, "BATCH", 3)
    heard, hear = heard_numbers()
    with consuming(hear) as consumer:
        for number in range(8):
            tick(number=number)
        move()
        assert consumers.run(consumer) == 8
    assert heard == list(range(8))


def test_a_backlog_of_one_holds_up_neither_another_nor_the_move(database, monkeypatch):
    monkeypatch.setattr(consumers, "SLICE_SECONDS", 0)
    monkeypatch.setattr(consumers, "HELD_SECONDS", 0)
    first, second = heard_numbers(), heard_numbers()
    with consuming(first[1]) as long, consuming(second[1], name="test.other") as other:
        monkeypatch.setattr(consumers, "durable_consumers", lambda: (long, other))
        for number in range(3):
            tick(number=number)
        move()
        assert consumers.run_slice() is True
        assert (first[0], second[0]) == ([0], [0])
        tick(number=3)
        assert move() == 1  # while both are behind
        assert [consumers.run_slice() for _ in range(4)] == [True, True, False, False]
    assert first[0] == second[0] == [0, 1, 2, 3]


def test_behind_a_backlog_no_more_is_read_than_there_is_time_for(database, monkeypatch):
    monkeypatch.setattr(consumers, "SLICE_SECONDS", 0)
    monkeypatch.setattr(consumers, "HELD_SECONDS", 0)
    monkeypatch.setattr(consumers, "BATCH", 20)
    monkeypatch.setattr(consumers, "LEAST_BATCH", 3)
    monkeypatch.setattr(consumers, "_sizes", {})
    heard, hear = heard_numbers()
    read = []

    def count(execute, sql, params, many, context):
        if sql == consumers._READ:
            read.append(params[-1])
        return execute(sql, params, many, context)

    with consuming(hear) as consumer:
        monkeypatch.setattr(consumers, "durable_consumers", lambda: (consumer,))
        for number in range(6):
            tick(number=number)
        move()
        with connection.execute_wrapper(count):
            while consumers.run_slice():
                pass
            consumers.run(consumer)
    assert heard == list(range(6))
    assert read[0] == 20
    assert set(read[1:]) == {3}


@contextmanager
def looked_from():
    """Collect the positions after which the feed is looked through."""
    found = []

    def note(execute, sql, params, many, context):
        if sql == consumers._READ:
            found.append(params[0])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield found


def test_who_hears_of_little_does_not_look_through_all_the_rest_again(database):
    heard, hear = heard_numbers()
    with consuming(hear) as consumer, looked_from() as looked:
        for _ in range(3):
            tick(kind=Noted)
        move()
        head = FeedEvent.objects.latest("position").position
        assert consumers.run(consumer) == 0
        assert consumers.run(consumer) == 0
        assert len(looked) == 1
        tick(number=1)
        move()
        assert consumers.run(consumer) == 1
        assert looked[1:] == [head]
        assert consumers.run(consumer) == 0
        assert len(looked) == 2
    assert heard == [1]


def test_a_cursor_far_behind_moves_over_what_is_not_for_it(database, monkeypatch):
    monkeypatch.setattr(consumers, "FAR", 3)
    heard, hear = heard_numbers()
    with consuming(hear) as consumer:
        for _ in range(4):
            tick(kind=Noted)
        move()
        head = FeedEvent.objects.latest("position").position
        consumers.run(consumer)
        assert Consumer.objects.get(name=consumer.name).position == head
        tick(number=1)
        move()
        consumers.run(consumer)
    assert heard == [1]


def test_a_cursor_that_is_set_back_hears_again(database, monkeypatch):
    monkeypatch.setattr(consumers, "FAR", 2)
    heard, hear = heard_numbers()
    with consuming(hear) as consumer:
        tick(number=1)
        for _ in range(3):
            tick(kind=Noted)
        move()
        before = Consumer.objects.get(name=consumer.name).position
        consumers.run(consumer)
        consumers.run(consumer)
        Consumer.objects.filter(name=consumer.name).update(position=before)
        consumers.run(consumer)
    assert heard == [1, 1]


@pytest.mark.parametrize("far", [1000, 1])
def test_two_relays_that_lead_in_turn_skip_nothing_and_repeat_nothing(database, monkeypatch, far):
    """What one remembers to have passed over holds only as long as the cursor stands where it left it."""
    monkeypatch.setattr(consumers, "FAR", far)
    memories = ({}, {})
    heard, hear = heard_numbers()
    with consuming(hear) as consumer:
        for number in range(6):
            tick(kind=Noted)
            tick(number=number)
            tick(kind=Noted)
            move()
            monkeypatch.setattr(consumers, "_passed", memories[number % 2])
            consumers.run(consumer)
            consumers.run(consumer)
    assert heard == list(range(6))
