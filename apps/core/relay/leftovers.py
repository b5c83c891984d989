"""Find frames nobody published (a crash between commit and publish) and publish them."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

import redis

from apps.core.events import frames, publishing
from apps.core.redis import client

GRACE_SECONDS = 0.7  # a healthy writer has published long before


class Leftovers:
    """Rows the relay moved, kept for a moment, then compared with the published heads."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[float, str, bytes, int]] = deque(maxlen=100_000)

    def add(self, rows: list[dict[str, Any]]) -> None:
        """Remember moved rows that sockets should have heard of."""
        ripe_at = time.monotonic() + GRACE_SECONDS
        for row in rows:
            encoded = frames.encode(
                type=row["type"],
                stream_id=row["stream_id"],
                sequence=row["sequence"],
                payload=row["payload"].encode(),
            )
            if encoded is not None:
                self._waiting.append((ripe_at, *encoded, row["sequence"]))

    def publish_ripe(self) -> int:
        """Publish what is above its channel's published head; return how many frames that were.

        Frames stay waiting while Redis is away.
        """
        now = time.monotonic()
        ripe: list[tuple[float, str, bytes, int]] = []
        while self._waiting and self._waiting[0][0] <= now and len(ripe) < 2000:
            ripe.append(self._waiting.popleft())
        if not ripe:
            return 0
        try:
            heads = client().mget([publishing.head_key(channel) for _, channel, _, _ in ripe])
        except redis.RedisError:
            self._waiting.extendleft(reversed(ripe))
            return 0
        left = [
            (channel, frame, sequence)
            for (_, channel, frame, sequence), head in zip(ripe, heads, strict=True)
            if head is None or int(head) < sequence
        ]
        if left and not publishing.publish_frames(left, by="relay"):
            self._waiting.extendleft(reversed(ripe))
            return 0
        return len(left)

    @property
    def next_ripe_seconds(self) -> float | None:
        """Return how long until the oldest waiting row is ripe, or None."""
        return max(0.0, self._waiting[0][0] - time.monotonic()) if self._waiting else None
