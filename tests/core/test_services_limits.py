"""Token buckets: exact, atomic over several senders, and never gone with Redis."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import redis as redis_module

from apps.core.errors import TooManyRequests
from apps.core.redis import Script
from apps.core.services import limits
from apps.core.services.limits import Bucket, take, take_async


def bucket(sender="a", *, per_minute=60, burst=3):
    return Bucket("test", sender, per_minute, burst)


@pytest.fixture
def away(monkeypatch):
    """Redis refuses every call."""

    def refuse(*_args, **_options):
        raise redis_module.ConnectionError

    monkeypatch.setattr(Script, "run_each", refuse)
    monkeypatch.setattr(limits, "_local", limits._LocalBuckets())
    now = [1000.0]
    monkeypatch.setattr(limits, "_clock", lambda: now[0])
    yield now
    limits._breaker.forget()


def test_burst_then_refusal_with_the_time_to_wait(redis):
    told = [take([bucket()]) for _ in range(4)]
    assert [answer.is_allowed for answer in told] == [True, True, True, False]
    assert [answer.remaining for answer in told] == [2, 1, 0, 0]
    assert told[-1].headers() == {
        "RateLimit-Limit": "3", "RateLimit-Remaining": "0", "RateLimit-Reset": "3", "Retry-After": "1",
    }  # fmt: skip
    with pytest.raises(TooManyRequests) as refused:
        told[-1].require()
    assert refused.value.retry_after_seconds == 1


def test_senders_do_not_share(redis):
    take([bucket("a")], cost=3)
    assert take([bucket("b")]).is_allowed


def test_all_buckets_or_none(redis):
    take([bucket("poor")], cost=3)
    assert not take([bucket("rich"), bucket("poor")]).is_allowed
    assert take([bucket("rich")], cost=3).is_allowed


def test_tokens_come_back(redis):
    take([bucket(per_minute=60_000)], cost=3)
    redis.hincrby(bucket().key, "at", -1000)
    assert take([bucket(per_minute=60_000)]).remaining == 2


def test_a_cost_above_the_capacity_never_passes(redis):
    assert not take([bucket()], cost=4).is_allowed
    assert take([bucket()], cost=3).is_allowed


def test_keys_disappear_once_full_again(redis):
    take([bucket()])
    assert 0 < redis.pttl(bucket().key) <= 4000


def test_several_are_counted_in_one_round_trip_and_each_has_its_answer(redis):
    asked = [[bucket("a")], [bucket("a"), bucket("b")], [bucket("c", burst=1)], [bucket("c", burst=1)]]
    assert [taken.is_allowed for taken in limits.take_each(asked)] == [True, True, True, False]
    assert limits.take_each([[bucket("a")]])[0].remaining == 0
    assert limits.take_each([]) == []


def test_several_are_counted_without_redis(away):
    taken = limits.take_each([[bucket()] for _ in range(4)])
    assert [one.is_allowed for one in taken] == [True, True, True, False]


def test_many_at_once_get_exactly_the_burst(redis):
    with ThreadPoolExecutor(8) as threads:
        allowed = sum(threads.map(lambda _: take([bucket(per_minute=1, burst=20)]).is_allowed, range(60)))
    assert allowed == 20


async def test_the_event_loop_counts_in_the_same_buckets(redis):
    assert (await take_async([bucket()], cost=2)).remaining == 1
    assert take([bucket()]).remaining == 0


def test_without_redis_the_process_counts_alone(away):
    assert [take([bucket()]).is_allowed for _ in range(4)] == [True, True, True, False]
    away[0] += 1.0
    assert take([bucket()]).is_allowed
    assert not take([bucket()]).is_allowed


def test_a_redis_that_failed_is_left_alone_for_a_moment(away, monkeypatch):
    asked = []

    def count(*_args):
        asked.append(1)
        raise redis_module.TimeoutError

    monkeypatch.setattr(Script, "run_each", count)
    take([bucket()])
    take([bucket()])
    assert len(asked) == 1
    away[0] += 3.0
    take([bucket()])
    assert len(asked) == 2


def test_memory_of_forgotten_senders_is_bounded(away, monkeypatch):
    monkeypatch.setattr(limits, "_MOST_LOCAL", 5)
    for number in range(20):
        take([bucket(str(number))])
    assert len(limits._local._kept) == 5


def test_messages_have_the_rate_of_the_settings():
    found = limits.messages_of("someone")
    assert (found.per_minute, found.burst) == (600, 100)
