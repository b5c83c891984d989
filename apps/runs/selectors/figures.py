"""Figures of the queue of work, for metrics and the status page; over all organizations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Min, Q
from django.db.models.functions import Now
from django.utils import timezone

from apps.runs.models import Run
from apps.runs.types import OPEN_STATES, RunState


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
    recently = Q(state=RunState.FAILED, finished_at__gt=Now() - timedelta(hours=1))
    waiting = Q(state__in=OPEN_STATES, lease_owner="")
    rows = (
        Run.objects.filter(Q(state__in=OPEN_STATES) | recently)
        .values("queue")
        .order_by("queue")
        .annotate(
            queued=Count("id", filter=waiting),
            running=Count("id", filter=~Q(lease_owner="")),
            oldest=Min("due_at", filter=waiting & Q(due_at__lte=Now())),
            failed=Count("id", filter=recently),
        )
    )
    now = timezone.now()
    return [
        QueueFigures(
            queue=row["queue"],
            queued=row["queued"],
            running=row["running"],
            oldest_due_seconds=max(0.0, (now - row["oldest"]).total_seconds()) if row["oldest"] else 0.0,
            failed=row["failed"],
        )
        for row in rows
    ]
