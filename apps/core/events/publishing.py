"""Publish committed events to the sockets. A failure costs nothing but time: the relay publishes what was left."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import redis
from prometheus_client import Counter

from apps.core.events import frames
from apps.core.redis import client

WAKE_RELAY = "wake:relay"
HEAD_SECONDS = 3600
logger = logging.getLogger(__name__)
published = Counter("chatsystem_frames_published_total", "Frames handed to Redis", ["by"])
publish_failures = Counter("chatsystem_frame_publish_failures_total", "Frames the relay has to publish later")


def head_key(channel: str) -> str:
    """Return the key that holds the highest sequence published on a channel."""
    return f"head:{channel}"


@dataclass(frozen=True, slots=True)
class Stored:
    """An event that was committed; `payload` is its JSON."""

    type: str
    stream_id: UUID
    sequence: int
    payload: bytes


def publish_stored(events: Iterable[Stored]) -> None:
    """Publish stored events in one round trip and wake the relay; never raises for an absent Redis."""
    items = [
        (*encoded, event.sequence)
        for event in events
        if (
            encoded := frames.encode(
                type=event.type, stream_id=event.stream_id, sequence=event.sequence, payload=event.payload
            )
        )
    ]
    publish_frames(items, by="writer", wake=True)


def publish_frames(items: Iterable[tuple[str, bytes, int]], *, by: str, wake: bool = False) -> bool:
    """Publish (channel, frame, sequence) in one round trip and remember the heads.

    Returns:
        False when Redis did not take them.
    """
    count = 0
    pipe = client().pipeline(transaction=False)
    for channel, frame, sequence in items:
        pipe.publish(channel, frame)
        pipe.set(head_key(channel), sequence, ex=HEAD_SECONDS)
        count += 1
    if wake:
        pipe.publish(WAKE_RELAY, b"1")
    try:
        pipe.execute()
    except redis.RedisError:
        publish_failures.inc(count)
        logger.warning("frames.not_published", extra={"frames": count})
        return False
    published.labels(by).inc(count)
    return True


def publish_ephemeral(channel: str, frame: bytes) -> None:
    """Publish a frame without a sequence (typing, presence, streams); lost when Redis is away."""
    try:
        client().publish(channel, frame)
    except redis.RedisError:
        publish_failures.inc()
        logger.warning("frame.not_published", extra={"channel": channel})
