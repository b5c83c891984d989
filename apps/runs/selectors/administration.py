"""Runs as those who keep an organization going see them: who asked, how far they are, what failed and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Case, Count, F, IntegerField, Min, Q, Value, When
from django.utils import timezone

from apps.accounts.types import Principal
from apps.runs.models import Attempt, Step
from apps.runs.selectors.runs import list_runs, step_view_of, view_of, visible_runs
from apps.runs.types import FINISHED_STATES, OPEN_STATES, RunState, RunView, StepState, StepView

FILTERS: dict[str, frozenset[RunState]] = {
    "open": OPEN_STATES,
    "failed": frozenset({RunState.FAILED}),
    "finished": FINISHED_STATES,
}


@dataclass(frozen=True)
class RunCounts:
    """Numbers of an organization's runs.

    Attributes:
        open: not finished.
        failed: of the last days asked for.
        incomplete: succeeded within those days, with optional steps that failed.
        late_since: since when the oldest run is due without a worker that takes it; None when none is.
    """

    open: int
    failed: int
    incomplete: int
    late_since: datetime | None


@dataclass(frozen=True)
class AttemptView:
    """One try of a step; the text may hold a trace and is for operators."""

    number: int
    outcome: str
    error_code: str
    error_text: str
    started_at: datetime
    finished_at: datetime | None


def count_runs(principal: Principal, *, days: int = 7) -> RunCounts:
    """Return the numbers of the runs the principal may see. One query."""
    since = timezone.now() - timedelta(days=days)
    recent = Q(finished_at__gte=since)
    found = visible_runs(principal).aggregate(
        open=Count("pk", filter=Q(state__in=OPEN_STATES)),
        failed=Count("pk", filter=Q(state=RunState.FAILED) & recent),
        incomplete=Count("pk", filter=Q(state=RunState.SUCCEEDED, steps_failed__gt=0) & recent),
        late=Min("due_at", filter=Q(state__in=OPEN_STATES, lease_owner="", due_at__lt=timezone.now())),
    )
    return RunCounts(found["open"], found["failed"], found["incomplete"], found["late"])


def list_kinds(principal: Principal) -> list[str]:
    """Return the kinds of runs there are. One query."""
    return list(visible_runs(principal).order_by("kind").values_list("kind", flat=True).distinct())


def page_of_runs(
    principal: Principal, *, kind: str = "", state: str = "", offset: int = 0, limit: int = 50
) -> list[RunView]:
    """Return a page of runs, newest first. One query.

    Args:
        state: a key of `FILTERS`; empty for all.
    """
    rows = list_runs(principal=principal, kind=kind, states=FILTERS.get(state))
    return [view_of(run) for run in rows[offset : offset + limit]]


def page_of_steps(principal: Principal, run_id: UUID, *, offset: int = 0, limit: int = 50) -> list[StepView]:
    """Return a page of a visible run's steps: what failed, what runs, then the rest in order. One query."""
    urgent = Case(
        When(state=StepState.FAILED, then=Value(0)),
        When(state=StepState.RUNNING, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    steps = (
        Step.objects.filter(run_id=run_id, run__in=visible_runs(principal))
        .annotate(urgent=urgent)
        .order_by(F("urgent"), "position", "id")
    )
    return [step_view_of(step) for step in steps[offset : offset + limit]]


def attempts_of(step_ids: Sequence[UUID]) -> dict[UUID, list[AttemptView]]:
    """Return the tries of these steps that did not succeed, oldest first; the caller has decided about rights."""
    found: dict[UUID, list[AttemptView]] = {}
    rows = Attempt.objects.filter(step_id__in=step_ids).exclude(error_code="").order_by("step_id", "number")
    for row in rows:
        found.setdefault(row.step_id, []).append(
            AttemptView(
                row.number, row.outcome, row.error_code, row.error_text, row.started_at, row.finished_at
            )
        )
    return found


