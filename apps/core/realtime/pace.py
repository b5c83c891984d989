"""How often something may come over one connection; counted where it arrives, without asking anybody."""

from __future__ import annotations

import time


class Pace:
    """A rate, and so many at once."""

    __slots__ = ("_at_once", "_counted_at", "_left", "_per_second")

    def __init__(self, *, per_second: float, at_once: float) -> None:
        self._per_second, self._at_once = per_second, at_once
        self._left, self._counted_at = at_once, time.monotonic()

    def is_exceeded(self) -> bool:
        """Count one more; True when it comes too fast."""
        now = time.monotonic()
        came_back = (now - self._counted_at) * self._per_second
        self._left, self._counted_at = min(self._at_once, self._left + came_back) - 1, now
        return self._left < 0
