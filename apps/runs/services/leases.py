"""The lease of a run: taken by one conditional UPDATE, renewed by a heartbeat, checked by every write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce, Now

from apps.core import tenancy
from apps.runs.errors import LeaseLost
from apps.runs.models import Run
from apps.runs.services import workers
from apps.runs.types import OPEN_STATES, RunState

LEASE = timedelta(seconds=60)


@dataclass(frozen=True)
class Lease:
    """The right of one worker to work on one run; `owner` fences its writes."""

    run_id: UUID
    organization_id: UUID
    owner: str


def take(*, run_id: UUID) -> Lease | None:
    """Take the run when it is due and nobody holds it; None otherwise."""
    owner = workers.new_owner()
    taken = (
        Run.objects.filter(
            organization_id=tenancy.current(), pk=run_id, lease_owner="", state__in=OPEN_STATES
        )
        .filter(Q(due_at__lte=Now()) | Q(cancel_requested_at__isnull=False))
        .update(
            lease_owner=owner,
            lease_expires_at=Now() + LEASE,
            heartbeat_at=Now(),
            state=RunState.RUNNING,
            started_at=Coalesce(F("started_at"), Now()),
        )
    )
    return Lease(run_id, tenancy.current(), owner) if taken else None


def renew(lease: Lease) -> None:
    """Give the lease its full length again.

    Raises:
        LeaseLost: it was taken for dead; whoever still works must stop.
    """
    if not _held_by(lease).update(lease_expires_at=Now() + LEASE, heartbeat_at=Now()):
        raise LeaseLost(lease.run_id)


def give_back(lease: Lease) -> None:
    """Let another worker go on at once; a lease that is lost already is left alone."""
    _held_by(lease).update(lease_owner="", lease_expires_at=None, due_at=Now())


@contextmanager
def held(lease: Lease) -> Iterator[Run]:
    """Open a transaction with the run's row locked, for writes only the holder may do.

    Raises:
        LeaseLost: somebody else holds it.
    """
    with transaction.atomic():
        run = _held_by(lease).select_for_update(no_key=True).first()
        if run is None:
            raise LeaseLost(lease.run_id)
        yield run


def _held_by(lease: Lease) -> QuerySet[Run]:
    return Run.objects.filter(organization_id=lease.organization_id, pk=lease.run_id, lease_owner=lease.owner)
