"""Rates: token buckets in Redis, taken from by one atomic script, for pages, REST, sockets and tasks alike.

While Redis is away each web process counts its share for itself: a limit never disappears, and those of one machine
together let through no more than before.
"""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import redis
from django.conf import settings
from prometheus_client import Counter

from apps.core.errors import TooManyRequests
from apps.core.http.addresses import network
from apps.core.redis import Call, Script

# KEYS: buckets. ARGV: cost, then tokens a second and capacity of each bucket. Takes from all or from none.
# Answers: milliseconds to wait (0 = taken), and the level of each bucket.
_SCRIPT = Script("""
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local cost, wait, levels = tonumber(ARGV[1]), 0, {}
for i, key in ipairs(KEYS) do
  local rate, capacity = tonumber(ARGV[2 * i]) / 1000, tonumber(ARGV[2 * i + 1])
  local kept = redis.call('HMGET', key, 'level', 'at')
  local level = capacity
  if kept[1] then
    level = math.min(capacity, tonumber(kept[1]) + math.max(0, now - tonumber(kept[2])) * rate)
  end
  levels[i] = level
  if level < cost then wait = math.max(wait, math.ceil((cost - level) / rate)) end
end
local answer = {wait}
for i, key in ipairs(KEYS) do
  local rate, capacity = tonumber(ARGV[2 * i]) / 1000, tonumber(ARGV[2 * i + 1])
  if wait == 0 then
    levels[i] = levels[i] - cost
    redis.call('HSET', key, 'level', tostring(levels[i]), 'at', now)
    redis.call('PEXPIRE', key, math.ceil(capacity / rate) + 1000)
  end
  answer[i + 1] = math.floor(levels[i])
end
return answer
""")
_PAUSE_SECONDS = (
    2.0  # Redis is not asked again so soon after it failed: a frozen one would hold every request
)
_MOST_LOCAL = 10_000
_clock = time.monotonic
logger = logging.getLogger(__name__)
refused_total = Counter("chatsystem_limited_total", "Requests refused by a rate limit", ["limit"])


@dataclass(frozen=True)
class Bucket:
    """One rate of one sender.

    Attributes:
        name: of the limit, for metrics.
        sender: who is counted: a principal, a key, a network.
        per_minute: tokens that come back in a minute; may be less than one.
        burst: tokens at most.
    """

    name: str
    sender: str
    per_minute: float
    burst: int

    @property
    def key(self) -> str:
        """Return the key in Redis."""
        return f"limit:{self.name}:{self.sender}"


@dataclass(frozen=True)
class Taken:
    """What became of an attempt, told by its tightest bucket.

    Attributes:
        retry_after_seconds: 0 when it was allowed.
        reset_seconds: until the bucket is full again.
    """

    name: str
    limit: int
    remaining: int
    reset_seconds: int
    retry_after_seconds: int

    @property
    def is_allowed(self) -> bool:
        """Return whether the tokens were taken."""
        return self.retry_after_seconds == 0

    def headers(self) -> dict[str, str]:
        """Return the headers that tell a client where it stands."""
        told = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_seconds),
        }
        return told if self.is_allowed else {**told, "Retry-After": str(self.retry_after_seconds)}

    def require(self) -> None:
        """Refuse when nothing was taken.

        Raises:
            TooManyRequests.
        """
        if not self.is_allowed:
            raise TooManyRequests(retry_after_seconds=self.retry_after_seconds)


def messages_of(principal_id: UUID) -> Bucket:
    """Return the bucket of messages one principal sends, by whatever door."""
    security = settings.CONFIGURATION.security
    return Bucket("messages", str(principal_id), security.messages_per_minute, security.message_burst)


def messages_in(organization_id: UUID) -> Bucket:
    """Return the bucket of messages of a whole organization."""
    security = settings.CONFIGURATION.security
    rate = security.messages_per_minute_of_organization or security.messages_per_minute * 100
    return Bucket("messages_of_organization", str(organization_id), rate, rate)


def requests_from(address: str) -> Bucket:
    """Return the bucket of requests from the network of an address, signed in or not."""
    security = settings.CONFIGURATION.security
    rate = security.requests_per_minute_of_network or security.requests_per_minute * 20
    return Bucket("requests_of_network", network(address), rate, rate)


def take(buckets: Sequence[Bucket], *, cost: int = 1) -> Taken:
    """Take tokens from every bucket, or from none. One round trip."""
    if _breaker.is_open:
        return _locally(buckets, cost)
    try:
        answer = _SCRIPT.run(*_call(buckets, cost))
    except redis.RedisError:
        _breaker.failed()
        return _locally(buckets, cost)
    return _told(buckets, answer)


def take_each(asked: Sequence[Sequence[Bucket]]) -> list[Taken]:
    """Take one token for each of several senders from its buckets, in their order. One round trip."""
    if _breaker.is_open:
        return [_locally(buckets, 1) for buckets in asked]
    try:
        answers = _SCRIPT.run_each([_call(buckets, 1) for buckets in asked])
    except redis.RedisError:
        _breaker.failed()
        return [_locally(buckets, 1) for buckets in asked]
    return [_told(buckets, answer) for buckets, answer in zip(asked, answers, strict=True)]


async def take_async(buckets: Sequence[Bucket], *, cost: int = 1) -> Taken:
    """Do the same from the event loop: a thread with hiredis is as quick as an asyncio client."""
    return await asyncio.get_running_loop().run_in_executor(_threads, partial(take, buckets, cost=cost))


class Purse:
    """Tokens of some buckets taken a few at a time, for who asks for one so often that each time is too dear.

    They are taken before they are spent, so all purses together never spend more than the buckets hold.
    """

    def __init__(self, buckets: Sequence[Bucket]) -> None:
        self._buckets = buckets
        self._handful = max(1, min(10, min(bucket.burst for bucket in buckets) // 10))
        self._left = 0

    async def spend(self) -> None:
        """Spend one token.

        Raises:
            TooManyRequests: with the seconds to wait.
        """
        if not self._left:
            if (await take_async(self._buckets, cost=self._handful)).is_allowed:
                self._left = self._handful
            else:
                (await take_async(self._buckets)).require()
                self._left = 1
        self._left -= 1

    async def empty(self) -> None:
        """Give back what was not spent."""
        left, self._left = self._left, 0
        if left:
            await take_async(self._buckets, cost=-left)


class _Breaker:
    """Remembers for a moment that Redis did not answer."""

    def __init__(self) -> None:
        self._until = 0.0

    @property
    def is_open(self) -> bool:
        return _clock() < self._until

    def failed(self) -> None:
        self._until = _clock() + _PAUSE_SECONDS
        logger.warning("limits.redis_away")

    def forget(self) -> None:
        self._until = 0.0


class _LocalBuckets:
    """The same arithmetic in this process, for the least recently seen senders forgetting first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, buckets: Sequence[Bucket], cost: int) -> list[int]:
        now, share = _clock(), _share()
        with self._lock:
            levels = [self._level(bucket, now, share) for bucket in buckets]
            waits = [
                (cost - level) * 60_000 / (bucket.per_minute * share)
                for bucket, level in zip(buckets, levels, strict=True)
            ]
            wait = max(0, *(math.ceil(needed) for needed in waits))
            if wait == 0:
                levels = [level - cost for level in levels]
                for bucket, level in zip(buckets, levels, strict=True):
                    self._kept[bucket.key] = (level, now)
                    self._kept.move_to_end(bucket.key)
                while len(self._kept) > _MOST_LOCAL:
                    self._kept.popitem(last=False)
        return [wait, *(math.floor(level) for level in levels)]

    def _level(self, bucket: Bucket, now: float, share: float) -> float:
        most = max(1.0, bucket.burst * share)
        level, since = self._kept.get(bucket.key, (most, now))
        return min(most, level + (now - since) * bucket.per_minute * share / 60)


def _share() -> float:
    """Return this process's part of a limit that all web processes would count together."""
    return 1.0 / int(settings.CONFIGURATION.server.web_processes)


_threads = ThreadPoolExecutor(4, "limits")
_breaker = _Breaker()
_local = _LocalBuckets()


def _call(buckets: Sequence[Bucket], cost: int) -> Call:
    rates = [number for bucket in buckets for number in (bucket.per_minute / 60, bucket.burst)]
    return [bucket.key for bucket in buckets], [cost, *rates]


def _locally(buckets: Sequence[Bucket], cost: int) -> Taken:
    return _told(buckets, _local.take(buckets, cost))


def _told(buckets: Sequence[Bucket], answer: Sequence[int]) -> Taken:
    wait_ms, *levels = answer
    level, bucket = min(zip(levels, buckets, strict=True), key=lambda item: item[0] / item[1].burst)
    if wait_ms:
        refused_total.labels(bucket.name).inc()
    return Taken(
        name=bucket.name,
        limit=bucket.burst,
        remaining=max(0, level),
        reset_seconds=math.ceil((bucket.burst - level) * 60 / bucket.per_minute),
        retry_after_seconds=math.ceil(wait_ms / 1000),
    )
