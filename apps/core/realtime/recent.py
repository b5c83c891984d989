"""The newest frames of each stream that this process heard, so that a storm of reconnections asks no database.

A stream is held from the first frame that came while this process was subscribed to it, without a hole: a number that
is missing, a subscription that ended or a Redis that was away begins it anew. So what is here after a number is
everything there was, and what follows comes over the subscription. What the log forgets is forgotten here too.
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict, deque
from collections.abc import Iterable
from itertools import islice

from apps.core.events.types import registered

MOST_FRAMES = 200  # of a stream
MOST_BYTES = 16 * 1024 * 1024  # of a process
MOST_SECONDS = 120.0  # who was away for longer asks the database
# How `events.frames` begins an event of a stream; notices of one principal are not held.
_HEAD = re.compile(rb'\{"frame":"event","conversation":"[0-9a-f-]{36}","sequence":(\d+),"type":"([a-z_.]+)"')


class _Stream:
    """What came last: (when, frame), the newest with the number `last`."""

    __slots__ = ("frames", "last")

    def __init__(self, last: int) -> None:
        self.frames: deque[tuple[float, bytes]] = deque()
        self.last = last


class Recent:
    """The streams of a hub, by channel; what got a frame last stands at the end."""

    def __init__(self) -> None:
        self._streams: OrderedDict[bytes, _Stream] = OrderedDict()
        self._bytes = 0

    def keep(self, channel: bytes, frames: Iterable[bytes]) -> None:
        """Take frames in the order in which they came; anything else than an event is left out."""
        for frame in frames:
            head = _HEAD.match(frame)
            if head is not None:
                self._keep(channel, int(head[1]), head[2].decode(), frame)

    def since(self, channel: bytes, sequence: int) -> list[bytes] | None:
        """Return all frames after a number, oldest first; None where this process does not know them all."""
        stream = self._streams.get(channel)
        if stream is None:
            return None
        self._end_old(stream)
        wanted = stream.last - sequence
        if wanted > len(stream.frames):
            return None
        found = [frame for _, frame in islice(reversed(stream.frames), max(0, wanted))]
        found.reverse()
        return found

    def drop(self, channel: bytes) -> None:
        """Forget a stream: what follows is not heard any more."""
        stream = self._streams.pop(channel, None)
        if stream is not None:
            self._empty(stream)

    def clear(self) -> None:
        """Forget everything: something may have been missed anywhere."""
        self._streams.clear()
        self._bytes = 0

    def _keep(self, channel: bytes, sequence: int, kind: str, frame: bytes) -> None:
        stream = self._streams.get(channel)
        if stream is None:
            stream = self._streams[channel] = _Stream(sequence - 1)
        if sequence <= stream.last:
            return  # told again
        event = registered().get(kind)
        if sequence > stream.last + 1 or event is None or event.forgets:
            self._empty(stream)
        stream.last = sequence
        if event is not None and not event.forgets:
            stream.frames.append((time.monotonic(), frame))
            self._bytes += len(frame)
            if len(stream.frames) > MOST_FRAMES:
                self._end_oldest(stream)
        self._streams.move_to_end(channel)
        while self._bytes > MOST_BYTES:
            self._empty(self._streams.popitem(last=False)[1])

    def _end_old(self, stream: _Stream) -> None:
        until = time.monotonic() - MOST_SECONDS
        while stream.frames and stream.frames[0][0] < until:
            self._end_oldest(stream)

    def _end_oldest(self, stream: _Stream) -> None:
        self._bytes -= len(stream.frames.popleft()[1])

    def _empty(self, stream: _Stream) -> None:
        self._bytes -= sum(len(frame) for _, frame in stream.frames)
        stream.frames.clear()
