"""The Redis of this process: wake-ups, presence, limits, cache. Losing it loses no fact."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import redis
from django.conf import settings
from redis.exceptions import NoScriptError

Call = tuple[Sequence[str], Sequence[str | float]]  # keys and arguments of a script


@lru_cache(maxsize=1)
def client() -> redis.Redis:
    """Return the synchronous client; calls fail within a second when Redis is away."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=1.0,
        socket_connect_timeout=0.5,
        max_connections=64,
        health_check_interval=0,
    )


class Script:
    """A script that Redis runs in one step, named by its hash; it is sent where Redis does not have it.

    redis-py's own asks for each group of calls whether Redis has it, which is a round trip.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._name = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    def run(self, keys: Sequence[str], arguments: Sequence[str | float]) -> Any:
        """Return the answer. One round trip.

        Raises:
            redis.RedisError.
        """
        return self.run_each([(keys, arguments)])[0]

    def run_each(self, calls: Sequence[Call]) -> list[Any]:
        """Return the answers of several calls, in their order. One round trip.

        Raises:
            redis.RedisError: of the first call that failed; the others were done.
        """
        answers = self._ask(calls)
        unknown = [number for number, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if unknown:
            client().script_load(self._text)
            again = self._ask([calls[number] for number in unknown])
            for number, answer in zip(unknown, again, strict=True):
                answers[number] = answer
        for answer in answers:
            if isinstance(answer, redis.RedisError):
                raise answer
        return answers

    def _ask(self, calls: Sequence[Call]) -> list[Any]:
        pipe = client().pipeline(transaction=False)
        for keys, arguments in calls:
            pipe.evalsha(self._name, len(keys), *keys, *arguments)
        return list(pipe.execute(raise_on_error=False))
