"""How many of something one sender holds open at once, over all processes: sockets of a principal.

Kept in Redis with an end, so that a process that dies gives its places back. While Redis is away there is room here,
and each process holds its own senders to the same number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import redis

from apps.core.redis import Call, Script, client

GONE_SECONDS = 75  # a place is kept by being told of every 30
# KEYS: the sender's holders by the second they were last told of. ARGV: holder, places, seconds until one is gone.
_SCRIPT = Script("""
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[3]))
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
  return 0
end
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
""")


@dataclass(frozen=True)
class Place:
    """One place of a sender.

    Attributes:
        name: of what is held.
        holder: who holds it, such as the id of a connection.
        most: places the sender has.
    """

    name: str
    sender: str
    holder: str
    most: int

    @property
    def key(self) -> str:
        """Return the key in Redis."""
        return f"places:{self.name}:{self.sender}"


def take(place: Place) -> bool:
    """Take or keep a place; False when all are taken by others. One round trip."""
    try:
        return bool(_SCRIPT.run(*_call(place)))
    except redis.RedisError:
        return True


def take_each(places: Sequence[Place]) -> list[bool]:
    """Take or keep places, in their order. One round trip."""
    try:
        return [bool(taken) for taken in _SCRIPT.run_each([_call(place) for place in places])]
    except redis.RedisError:
        return [True] * len(places)


def leave(place: Place) -> None:
    """Give the place back."""
    try:
        client().zrem(place.key, place.holder)
    except redis.RedisError:
        return  # it ends by itself


def _call(place: Place) -> Call:
    return [place.key], [place.holder, place.most, GONE_SECONDS]
