"""Shares of a worker process: long work in one queue must not take all its threads."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from apps.runs.services.poking import poke

# Leases at once in one process; other queues may use all its threads. A second process doubles the share.
SHARES = {"ingest": 2, "media": 1}
_shares = {queue: threading.BoundedSemaphore(share) for queue, share in SHARES.items()}
_outside: dict[str, deque[tuple[UUID, UUID]]] = defaultdict(
    lambda: deque(maxlen=200)
)  # the relay finds the others


@contextmanager
def room_in(queue: str, *, run_id: UUID, organization_id: UUID) -> Iterator[bool]:
    """Say whether the queue's share has room for one more run; who finds none is poked when one is free."""
    share = _shares.get(queue)
    if share is None:
        yield True
        return
    if not share.acquire(blocking=False):
        _outside[queue].append((run_id, organization_id))
        yield False
        return
    try:
        yield True
    finally:
        share.release()
        if _outside[queue]:
            next_run, next_organization = _outside[queue].popleft()
            poke(run_id=next_run, organization_id=next_organization, queue=queue)
