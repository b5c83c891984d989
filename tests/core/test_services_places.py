"""Places: so many at once, over all processes, given back by who leaves and by who disappears."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis as redis_module

from apps.core.redis import Script
from apps.core.services import places
from apps.core.services.places import Place, leave, take


def place(holder: str, *, most: int = 2, sender: str = "a") -> Place:
    return Place("test", sender, holder, most)


def test_so_many_and_no_more(redis: Any) -> None:
    assert [take(place(holder)) for holder in "xyz"] == [True, True, False]
    assert take(place("x"))  # who has one keeps it
    assert take(place("z", sender="b"))


def test_a_place_is_given_back_by_leaving(redis: Any) -> None:
    take(place("x"))
    take(place("y"))
    leave(place("x"))
    assert take(place("z"))


def test_a_place_of_a_process_that_died_comes_back(redis: Any) -> None:
    take(place("x"))
    take(place("y"))
    redis.zincrby(place("x").key, -places.GONE_SECONDS - 1, "x")
    assert take(place("z"))
    assert 0 < redis.ttl(place("x").key) <= places.GONE_SECONDS


def test_several_take_in_one_round_trip_and_each_has_its_answer(redis: Any) -> None:
    assert places.take_each([place("x"), place("y"), place("z"), place("z", sender="b")]) == [
        True, True, False, True,
    ]  # fmt: skip
    redis.script_flush()  # a restarted Redis has forgotten the script
    assert places.take_each([place("x"), place("z")]) == [True, False]
    assert places.take_each([]) == []


def test_many_at_once_get_exactly_so_many(redis: Any) -> None:
    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(lambda number: take(place(str(number), most=5)), range(40)))
    assert sum(taken) == 5


def test_without_redis_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: Any, **_options: Any) -> None:
        raise redis_module.ConnectionError

    monkeypatch.setattr(Script, "run_each", refuse)
    away = type("Away", (), {"zrem": refuse})()
    monkeypatch.setattr(places, "client", lambda: away)
    assert take(place("x"))
    assert places.take_each([place("x"), place("y"), place("z")]) == [True, True, True]
    leave(place("x"))
