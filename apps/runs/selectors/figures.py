"""Figures of the queue of work, for metrics and the status page; over all organizations."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from apps.runs.types import OPEN_STATES, RunState

# Counts over all organizations, by a function that shows no run of any.
_FIGURES = """
SELECT queue, queued, running, greatest(0, coalesce(extract(epoch FROM now() - oldest_due_at), 0))::float8, failed
FROM runs_queue_figures(%s::text[], %s) ORDER BY queue
"""


@dataclass(frozen=True)
class QueueFigures:
    """One queue.

    Attributes:
        queued: due and not begun, or between two attempts.
        oldest_due_seconds: how long the oldest due run has been waiting for a worker; 0 when none waits.
        failed: in the last hour.
    """

    queue: str
    queued: int
    running: int
    oldest_due_seconds: float
    failed: int


def queue_figures() -> list[QueueFigures]:
    """Return the figures of each queue that has open runs or recent failures, by name. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, [sorted(OPEN_STATES), RunState.FAILED])
        return [QueueFigures(*row) for row in cursor.fetchall()]
