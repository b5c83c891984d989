"""Presence: who has an open socket and does something. In Redis only: losing it shows everyone as away for a moment.

What a person shows of it (its words, away, nothing at all) is in rows: `selectors.statuses`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
import redis

from apps.chat.selectors import statuses
from apps.chat.types import Shown
from apps.core.events import publishing
from apps.core.redis import client

BEAT_SECONDS = 30
GONE_SECONDS = 75
IDLE_SECONDS = 600  # without a sign of a person: away
SCREEN_SECONDS = 60  # without one: what comes is sent elsewhere, too


def channel(organization_id: UUID, principal_id: UUID) -> str:
    """Return the channel that tells of one principal's presence."""
    return f"w:{organization_id}:{principal_id}"


def _key(organization_id: UUID, principal_id: UUID) -> str:
    return f"presence:{organization_id}:{principal_id}"


def _acted_key(organization_id: UUID, principal_id: UUID) -> str:
    return f"acted:{organization_id}:{principal_id}"


def _told_key(organization_id: UUID, principal_id: UUID) -> str:
    return f"told:{organization_id}:{principal_id}"


@dataclass(frozen=True)
class Connection:
    """A connection that a person has open."""

    organization_id: UUID
    principal_id: UUID
    id: str
    shown: Shown


def arrive(connections: Sequence[Connection]) -> None:
    """Note that people opened connections; tell their watchers, once of each person."""
    pipe = client().pipeline(transaction=True)
    for one in connections:
        pipe.set(_acted_key(one.organization_id, one.principal_id), int(time.time()), ex=IDLE_SECONDS)
    _note_open(pipe, connections)


def beat(connections: Sequence[Connection]) -> None:
    """Note that connections are still open; tell the watchers when that, or idling, changes what they see."""
    _note_open(client().pipeline(transaction=True), connections)


def _note_open(pipe: Any, connections: Sequence[Connection]) -> None:
    now = time.time()
    shown: dict[UUID, dict[UUID, Shown]] = {}
    for one in connections:
        key = _key(one.organization_id, one.principal_id)
        pipe.zremrangebyscore(key, "-inf", now - GONE_SECONDS)
        pipe.zadd(key, {one.id: now})
        pipe.expire(key, GONE_SECONDS)
        shown.setdefault(one.organization_id, {})[one.principal_id] = one.shown
    try:
        pipe.execute()
    except redis.RedisError:
        return  # the next beat tries again
    for organization_id, people in shown.items():
        _show(organization_id, people)


def leave(*, organization_id: UUID, principal_id: UUID, connection: str) -> None:
    """Note that a connection closed; tell the watchers when it was the last."""
    key = _key(organization_id, principal_id)
    try:
        pipe = client().pipeline(transaction=True)
        pipe.zrem(key, connection)
        pipe.zremrangebyscore(key, "-inf", time.time() - GONE_SECONDS)
        pipe.zcard(key)
        _, _, left = pipe.execute()
        if not left:
            client().delete(_told_key(organization_id, principal_id))
    except redis.RedisError:
        return  # the entry expires by itself
    if not left:
        _tell(organization_id, {principal_id: "offline"})


def act(*, organization_id: UUID, principal_id: UUID, shown: Shown | None = None) -> None:
    """Note that a person did something; tell the watchers when it was away."""
    key = _acted_key(organization_id, principal_id)
    try:
        was = client().get(key)
        client().set(key, int(time.time()), ex=IDLE_SECONDS)
    except redis.RedisError:
        return  # the next act tries again
    if was is None:
        show(organization_id=organization_id, principal_id=principal_id, shown=shown)


def is_at_screen(organization_id: UUID, principal_id: UUID) -> bool:
    """Return whether somebody did something within the last minute and is still connected."""
    try:
        acted = client().get(_acted_key(organization_id, principal_id))
    except redis.RedisError:
        return False
    is_recent = acted is not None and time.time() - int(acted) < SCREEN_SECONDS
    return is_recent and bool(connected(organization_id=organization_id, people=[principal_id]))


def connected(*, organization_id: UUID, people: Iterable[UUID]) -> dict[UUID, bool]:
    """Return which of these principals have an open socket, each with whether it idles."""
    wanted, oldest = list(people), time.time() - GONE_SECONDS
    pipe = client().pipeline(transaction=False)
    for person in wanted:
        pipe.zcount(_key(organization_id, person), oldest, "+inf")
        pipe.exists(_acted_key(organization_id, person))
    try:
        answers = pipe.execute()
    except redis.RedisError:
        return {}
    pairs = zip(wanted, answers[::2], answers[1::2], strict=True)
    return {person: not acted for person, count, acted in pairs if count}


def states(*, organization_id: UUID, people: Iterable[UUID]) -> tuple[dict[UUID, str], dict[UUID, Any]]:
    """Return what others see of these people: their states, and the words of those who have some. Two queries."""
    wanted = list(people)
    shown = statuses.shown_by(wanted)
    words = {person: said for person, one in shown.items() if (said := one.words()) is not None}
    return _states(organization_id, shown), words


def _states(organization_id: UUID, shown: Mapping[UUID, Shown]) -> dict[UUID, str]:
    here = connected(organization_id=organization_id, people=shown)
    return {
        person: one.state(is_connected=person in here, is_idle=here.get(person, False))
        for person, one in shown.items()
    }


def show(*, organization_id: UUID, principal_id: UUID, shown: Shown | None = None) -> None:
    """Tell the watchers of one person its state, where that is another than they were told."""
    _show(organization_id, {principal_id: shown or statuses.shown_by([principal_id])[principal_id]})


def _show(organization_id: UUID, people: Mapping[UUID, Shown]) -> None:
    found = _states(organization_id, people)
    pipe = client().pipeline(transaction=False)
    for person, state in found.items():
        pipe.set(_told_key(organization_id, person), state, ex=GONE_SECONDS, get=True)
    try:
        before = pipe.execute()
    except redis.RedisError:
        return  # the next beat tries again
    told = zip(found.items(), before, strict=True)
    _tell(organization_id, {person: state for (person, state), known in told if known != state.encode()})


def show_words(*, organization_id: UUID, principal_id: UUID) -> None:
    """Tell the watchers of one person what it says now, and its state. Two queries."""
    shown = statuses.shown_by([principal_id])[principal_id]
    show(organization_id=organization_id, principal_id=principal_id, shown=shown)
    publishing.publish_ephemeral(
        channel(organization_id, principal_id), words_frame({principal_id: shown.words()})
    )


def frame(people: Mapping[UUID, str]) -> bytes:
    """Return the ephemeral frame with presence of people."""
    return _ephemeral("presence", people)


def words_frame(people: Mapping[UUID, Any]) -> bytes:
    """Return the ephemeral frame with the words of people; None for one who has none any more."""
    return _ephemeral("status", people)


def _ephemeral(kind: str, people: Mapping[UUID, Any]) -> bytes:
    data = {str(person): value for person, value in people.items()}
    return orjson.dumps({"frame": "ephemeral", "conversation": None, "type": kind, "data": data})


def _tell(organization_id: UUID, people: Mapping[UUID, str]) -> None:
    for person, state in people.items():
        publishing.publish_ephemeral(channel(organization_id, person), frame({person: state}))
