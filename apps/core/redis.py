"""The Redis of this process: wake-ups, presence, limits, cache. Losing it loses no fact."""

from __future__ import annotations

from functools import lru_cache

import redis
from django.conf import settings


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
