"""Presence: who has an open socket. Kept in Redis only; losing it shows everyone as away until the next beat."""

from __future__ import annotations

import time
from collections.abc import Iterable
from uuid import UUID

import orjson
import redis

from apps.core.events import publishing
from apps.core.redis import client

BEAT_SECONDS = 30
GONE_SECONDS = 75


def channel(organization_id: UUID, principal_id: UUID) -> str:
    """Return the channel that tells of one principal's presence."""
    return f"w:{organization_id}:{principal_id}"


def _key(organization_id: UUID, principal_id: UUID) -> str:
    return f"presence:{organization_id}:{principal_id}"


def beat(*, organization_id: UUID, principal_id: UUID, connection: str) -> None:
    """Note that a connection is open; tell the watchers when it is the first."""
    key, now = _key(organization_id, principal_id), time.time()
    try:
        pipe = client().pipeline(transaction=True)
        pipe.zremrangebyscore(key, "-inf", now - GONE_SECONDS)
        pipe.zcard(key)
        pipe.zadd(key, {connection: now})
        pipe.expire(key, GONE_SECONDS)
        _, before, _, _ = pipe.execute()
    except redis.RedisError:
        return  # presence is a courtesy: the next beat tries again
    if not before:
        _tell(organization_id, principal_id, online=True)


def leave(*, organization_id: UUID, principal_id: UUID, connection: str) -> None:
    """Note that a connection closed; tell the watchers when it was the last."""
    key = _key(organization_id, principal_id)
    try:
        pipe = client().pipeline(transaction=True)
        pipe.zrem(key, connection)
        pipe.zremrangebyscore(key, "-inf", time.time() - GONE_SECONDS)
        pipe.zcard(key)
        _, _, left = pipe.execute()
    except redis.RedisError:
        return  # the entry expires by itself
    if not left:
        _tell(organization_id, principal_id, online=False)


def online(*, organization_id: UUID, people: Iterable[UUID]) -> set[UUID]:
    """Return which of these principals have an open socket."""
    wanted, oldest = list(people), time.time() - GONE_SECONDS
    pipe = client().pipeline(transaction=False)
    for person in wanted:
        pipe.zcount(_key(organization_id, person), oldest, "+inf")
    try:
        counts = pipe.execute()
    except redis.RedisError:
        return set()
    return {person for person, count in zip(wanted, counts, strict=True) if count}


def frame(people: dict[UUID, bool]) -> bytes:
    """Return the ephemeral frame with presence of people."""
    return orjson.dumps(
        {"frame": "ephemeral", "conversation": None, "type": "presence",
         "data": {str(person): "online" if is_online else "offline" for person, is_online in people.items()}}
    )  # fmt: skip


def _tell(organization_id: UUID, principal_id: UUID, *, online: bool) -> None:
    publishing.publish_ephemeral(channel(organization_id, principal_id), frame({principal_id: online}))
