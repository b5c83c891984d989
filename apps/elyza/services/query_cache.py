"""The last vectors of queries, in this process: people repeat and refine, pages reload."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from apps.elyza.types import QueryEmbedding

CAPACITY = 1024  # mostly 10 KB each, 50 at most: the vector and those of its tokens
LIFE_SECONDS = 300.0  # so that another model in the model process is noticed


class QueryCache:
    """Least recently used goes first; safe for threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, tuple[float, QueryEmbedding]] = OrderedDict()

    def find(self, text: str) -> QueryEmbedding | None:
        """Return the vector kept for exactly this text, or None."""
        with self._lock:
            entry = self._entries.get(text)
            if entry is None or entry[0] < self._clock():
                return None
            self._entries.move_to_end(text)
            return entry[1]

    def keep(self, text: str, embedding: QueryEmbedding) -> None:
        """Keep a vector; one of another model version drops all others."""
        with self._lock:
            newest = next(reversed(self._entries.values()), None)
            if newest is not None and newest[1].model_version != embedding.model_version:
                self._entries.clear()
            self._entries[text] = (self._clock() + LIFE_SECONDS, embedding)
            self._entries.move_to_end(text)
            if len(self._entries) > CAPACITY:
                self._entries.popitem(last=False)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
