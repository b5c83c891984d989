"""Stop asking what does not answer: a circuit breaker whose state all processes share in Redis.

Closed until so many failures fall into one window; then open for a while; then one caller may try, and its outcome
decides. Without Redis each process keeps its own. Source: M. Nygard, Release It!, 2nd edition, chapter 5.
"""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import redis
from prometheus_client import Counter

from apps.core.errors import Unavailable
from apps.core.redis import Script

# KEYS: open, failures, trial. ARGV: what happened, most failures, window ms, pause ms.
# Answers the milliseconds to wait (0: go on), and for a failure whether it opened the breaker.
_SCRIPT: Final = Script("""
local happened, most, window, pause = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if happened == 'ask' then
  local left = redis.call('PTTL', KEYS[1])
  if left < 0 then return 0 end
  if left > pause then return left - pause end
  if redis.call('SET', KEYS[3], '1', 'NX', 'PX', pause) then return 0 end
  return math.max(1, redis.call('PTTL', KEYS[3]))
elseif happened == 'good' then
  redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
  return 0
end
local failures = redis.call('INCR', KEYS[2])
if failures == 1 then redis.call('PEXPIRE', KEYS[2], window) end
if failures >= most or redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('SET', KEYS[1], '1', 'PX', 2 * pause)
  redis.call('DEL', KEYS[2], KEYS[3])
  return 1
end
return 0
""")
_MOST_LOCAL: Final = 2_000
_AWAY_SECONDS: Final = (
    2.0  # Redis is not asked again so soon after it failed: a frozen one would hold every caller
)
_clock = time.monotonic
opened_total = Counter("chatsystem_breakers_opened_total", "Circuit breakers that opened", ["kind"])


class Broken(Unavailable):
    """Not asked, because it failed lately; `retry_after_seconds` says when the next try makes sense."""

    code = "core.breaker_open"


@dataclass(frozen=True)
class Breaker:
    """What guards one thing that can fail.

    Attributes:
        kind: a fixed word of the code, for metrics.
        name: which one, for example an organization and a host; kept as a hash.
        failures: so many within `window_seconds` open it for `pause_seconds`.
    """

    kind: str
    name: str = ""
    failures: int = 5
    window_seconds: float = 30.0
    pause_seconds: float = 15.0

    @property
    def key(self) -> str:
        """Return the key in Redis; its braces keep the three of one breaker together."""
        return f"breaker:{{{self.kind}:{hashlib.sha256(self.name.encode()).hexdigest()[:24]}}}"

    def require_closed(self) -> None:
        """Go on, or refuse at once.

        Raises:
            Broken.
        """
        wait_ms = _told(self, "ask")
        if wait_ms:
            raise Broken(retry_after_seconds=math.ceil(wait_ms / 1000))

    def succeeded(self) -> None:
        """Close it."""
        _told(self, "good")

    def failed(self) -> None:
        """Count a failure."""
        if _told(self, "bad"):
            opened_total.labels(self.kind).inc()

    @contextmanager
    def guard(self, *failures: type[BaseException]) -> Iterator[None]:
        """Do something that may fail; these exceptions count as failures, others as an answer.

        Raises:
            Broken.
        """
        self.require_closed()
        try:
            yield
        except failures:
            self.failed()
            raise
        except Exception:
            self.succeeded()
            raise
        self.succeeded()


def forget() -> None:
    """Close every breaker this process keeps by itself."""
    _local.forget()
    _redis.away_until = 0.0


class _Local:
    """The same in this process, for the least recently seen forgetting first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[list[float], float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def told(self, breaker: Breaker, happened: str) -> int:
        with self._lock:
            failures, open_until, trial_until = self._kept.pop(breaker.key, ([], 0.0, 0.0))
            now, wait_ms = _clock(), 0
            if happened == "good":
                return 0
            if happened == "ask":
                if open_until > now:
                    wait_ms = math.ceil((open_until - now) * 1000)
                elif open_until and trial_until > now:
                    wait_ms = math.ceil((trial_until - now) * 1000)
                elif open_until:
                    trial_until = now + breaker.pause_seconds
            else:
                failures = [*(at for at in failures if at > now - breaker.window_seconds), now]
                if len(failures) >= breaker.failures or open_until:
                    failures, open_until, trial_until, wait_ms = [], now + breaker.pause_seconds, 0.0, 1
            self._kept[breaker.key] = (failures, open_until, trial_until)
            while len(self._kept) > _MOST_LOCAL:
                self._kept.popitem(last=False)
            return wait_ms

    def forget(self) -> None:
        with self._lock:
            self._kept.clear()


class _Redis:
    """Remembers for a moment that Redis did not answer."""

    def __init__(self) -> None:
        self.away_until = 0.0


_local = _Local()
_redis = _Redis()


def _told(breaker: Breaker, happened: str) -> int:
    if _clock() < _redis.away_until:
        return _local.told(breaker, happened)
    keys = [f"{breaker.key}:{part}" for part in ("open", "failures", "trial")]
    times = [int(breaker.window_seconds * 1000), int(breaker.pause_seconds * 1000)]
    try:
        return int(_SCRIPT.run(keys, [happened, breaker.failures, *times]))
    except redis.RedisError:
        _redis.away_until = _clock() + _AWAY_SECONDS
        return _local.told(breaker, happened)
