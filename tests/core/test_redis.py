"""Scripts that Redis keeps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import redis as redis_client

from apps.core.redis import Script

ADD = """
if ARGV[1] == 'wrong' then return redis.error_reply('no number') end
return redis.call('INCRBY', KEYS[1], ARGV[1])
"""


@pytest.fixture
def script() -> Script:
    return Script(f"-- {uuid4().hex}\n{ADD}")  # nobody has run this one


@pytest.fixture
def key(redis: Any) -> Iterator[str]:
    name = f"test:{uuid4().hex}"
    yield name
    redis.delete(name)


def round_trips(redis: Any) -> int:
    stats = redis.info("commandstats")
    return sum(told["calls"] for name, told in stats.items() if name.startswith("cmdstat_script"))


def test_it_is_sent_where_redis_does_not_have_it_and_then_only_named(
    redis: Any, script: Script, key: str
) -> None:
    before = round_trips(redis)
    assert script.run_each([([key], [1]), ([key], [2]), ([key], [3])]) == [1, 3, 6]
    assert round_trips(redis) == before + 1
    assert script.run([key], [4]) == 10
    assert script.run_each([([key], [1])] * 3) == [11, 12, 13]
    assert round_trips(redis) == before + 1


def test_it_is_sent_again_when_redis_forgot(redis: Any, script: Script, key: str) -> None:
    assert script.run([key], [1]) == 1
    redis.script_flush()
    assert script.run([key], [1]) == 2


def test_a_call_that_fails_is_told_and_the_others_are_done(redis: Any, script: Script, key: str) -> None:
    with pytest.raises(redis_client.ResponseError, match="no number"):
        script.run_each([([key], [1]), ([key], ["wrong"]), ([key], [1])])
    assert redis.get(key) == b"2"
