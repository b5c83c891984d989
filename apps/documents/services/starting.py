"""When a source is looked at: by the clock, because somebody asks, or because it is another one now."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts.services import trail
from apps.accounts.types import Principal
from apps.core import tenancy
from apps.documents import actions
from apps.documents.errors import NothingHeld, SourceBusy
from apps.documents.models import Source
from apps.documents.services.owning import (
    is_administrator,
    lock_source,
    owner_of,
    require_administrator,
    scope_for,
)
from apps.documents.types import SOURCE_SUBJECT, SYNC, SourceInterval, SourceState
from apps.runs.selectors.runs import find_run
from apps.runs.services import runs
from apps.runs.types import StepSpec, Subject

AGAIN: Final = timedelta(hours=1)
_EVERY: Final = {SourceInterval.HOURLY: timedelta(hours=1), SourceInterval.DAILY: timedelta(days=1)}


def sync_source(*, principal: Principal, source_id: UUID) -> UUID:
    """Look at a source now and return the run; one that is going on already is returned as it is.

    Who asks takes the source over where whoever added it could not add it any more.

    Raises:
        PermissionMissing, SourceNotFound, SourceBusy.
    """
    require_administrator(principal)
    with transaction.atomic():
        row = lock_source(source_id)
        owner = owner_of(row)
        taken_over = owner is None or not is_administrator(owner)
        if taken_over:
            scope_for(principal, row.conversation_id)
            row.created_by_id = principal.id
            row.save(update_fields=["created_by_id"])
        trail.note(principal, actions.SOURCE_SYNCED, "source", row.pk, taken_over=taken_over)
        return start_sync(row, principal=principal)


def confirm_removal(*, principal: Principal, source_id: UUID) -> UUID:
    """Let go what a synchronization stopped at: it looks again, and removes at most as many documents as were shown.

    Raises:
        PermissionMissing, SourceNotFound, NothingHeld.
    """
    require_administrator(principal)
    with transaction.atomic():
        row = lock_source(source_id)
        if row.state != SourceState.HELD:
            raise NothingHeld
        trail.note(principal, actions.SOURCE_REMOVAL_CONFIRMED, "source", row.pk, documents=row.held_count)
        return start_sync(row, principal=principal, allowed=row.held_count)


def start_due_syncs() -> int:
    """Start what is due, of all organizations; return how many. For the relay."""
    with tenancy.nobody():
        due = list(
            Source.objects.filter(due_at__lte=timezone.now(), is_paused=False)
            .order_by("due_at")
            .values_list("organization_id", "pk")[:100]
        )
    return sum(_start_due(organization_id, source_id) for organization_id, source_id in due)


def start_sync(row: Source, *, principal: Principal | None, allowed: int = 0) -> UUID:
    """Start to look at a locked source; return the run that is going on already, if there is one.

    Args:
        principal: who sees the run besides those who see all; None for the clock.
        allowed: so many documents may go without asking, however large their share is.

    Raises:
        SourceBusy.
    """
    if row.state == SourceState.REMOVING:
        raise SourceBusy
    if row.run_id is not None:
        running = find_run(organization_id=row.organization_id, run_id=row.run_id)
        if running is not None and not running.is_finished:
            return running.id
    row.run_id = start_run_of(
        row, principal, StepSpec("documents.list_source", {"source_id": row.pk, "allowed": allowed})
    )
    row.state, row.error_code, row.due_at = SourceState.SYNCING, "", next_due(row)
    row.save(update_fields=["run_id", "state", "error_code", "due_at"])
    return row.run_id


def next_due(row: Source, *, has_failed: bool = False) -> datetime | None:
    """Return when a source is looked at next; sooner after a failure, None where only people ask."""
    pause = _EVERY.get(SourceInterval(row.interval))
    return timezone.now() + (min(pause, AGAIN) if has_failed else pause) if pause else None


def end_sync(row: Source) -> None:
    """Cancel the run of a source that is changed or goes."""
    if row.run_id is not None and find_run(organization_id=row.organization_id, run_id=row.run_id):
        runs.cancel_as_house(run_id=row.run_id)


def _start_due(organization_id: UUID, source_id: UUID) -> bool:
    with tenancy.use(organization_id), transaction.atomic():
        row = (
            Source.objects.filter(pk=source_id, due_at__lte=timezone.now(), is_paused=False)
            .select_for_update(no_key=True, skip_locked=True)
            .first()
        )
        if row is None:
            return False  # somebody else was faster
        start_sync(row, principal=None)
    return True


def start_run_of(row: Source, principal: Principal | None, first: StepSpec) -> UUID:
    """Start a run that is about a source; return it."""
    return runs.start_run(
        kind=SYNC, principal=principal, steps=[first], subject=Subject(SOURCE_SUBJECT, row.pk)
    ).id
