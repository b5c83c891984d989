"""What the relay does for all organizations: find lost workers, poke what is due, forget frames."""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.db.models.functions import Now

from apps.core import tenancy
from apps.runs.models import Run, RunFrame
from apps.runs.services import settling, workers
from apps.runs.services.poking import poke, waiting
from apps.runs.types import OPEN_STATES

BATCH = 100
MOST_LEASES = 1000  # of all workers together, looked at in one turn
FRAMES_KEPT = timedelta(days=1)
logger = logging.getLogger(__name__)


def recover_lost() -> int:
    """Free the runs whose lease ran out, or whose worker on this machine is gone; return how many."""
    is_over = ExpressionWrapper(Q(lease_expires_at__lte=Now()), output_field=BooleanField())
    leased = Run.objects.exclude(lease_owner="").annotate(is_over=is_over).order_by("lease_expires_at")
    rows = leased.values_list("pk", "organization_id", "lease_owner", "is_over")[:MOST_LEASES]
    return sum(
        _recover(run_id=run_id, organization_id=organization_id, owner=owner)
        for run_id, organization_id, owner, is_over in rows
        if is_over or workers.is_dead(owner)
    )


def poke_due() -> int:
    """Poke runs that are due and unleased; return how many. A full queue is left alone: it holds pokes."""
    due = Run.objects.filter(lease_owner="", state__in=OPEN_STATES, due_at__lte=Now())
    rows = list(due.order_by("-priority", "due_at").values_list("pk", "organization_id", "queue")[:BATCH])
    full: dict[str, bool] = {}
    poked = 0
    for run_id, organization_id, queue in rows:
        if queue not in full:
            full[queue] = waiting(queue) >= BATCH
        if not full[queue]:
            if not poke(run_id=run_id, organization_id=organization_id, queue=queue):
                break  # the broker is away for all of them
            poked += 1
    return poked


def forget_frames() -> int:
    """Remove the stream frames of runs that are long over; what mattered in them was stored by their app."""
    old = Run.objects.filter(finished_at__lt=Now() - FRAMES_KEPT).values("pk")
    return RunFrame.objects.filter(run_id__in=old).delete()[0]


def _recover(*, run_id: UUID, organization_id: UUID, owner: str) -> int:
    with tenancy.use(organization_id), transaction.atomic():
        run = (
            Run.objects.filter(organization_id=organization_id, pk=run_id, lease_owner=owner)
            .select_for_update(no_key=True, skip_locked=True)
            .first()
        )
        if run is None:
            return 0  # renewed, given back or recovered meanwhile
        settling.lose(run)
    logger.warning("run.worker_lost", extra={"run": str(run_id), "state": run.state})
    return 1
