"""Runs as those who keep an organization going see them: who asked, how far they are, what failed and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Case, IntegerField, Value, When
from django.utils import timezone

from apps.accounts.selectors import people
from apps.accounts.services.access import can
from apps.accounts.types import Principal
from apps.core.database import planned
from apps.runs.models import Attempt, Run, Step
from apps.runs.selectors.naming import kind_label, subject_names
from apps.runs.selectors.runs import get_run, step_view_of, view_of, visible_runs, visible_runs_clause
from apps.runs.types import FINISHED_STATES, OPEN_STATES, RunState, RunView, StepState, StepView

GAPS = "gaps"  # over, but some optional steps failed
FILTERS: dict[str, frozenset[RunState]] = {
    "open": OPEN_STATES,
    "failed": frozenset({RunState.FAILED}),
    GAPS: frozenset({RunState.SUCCEEDED}),
    "finished": FINISHED_STATES,
    "all": OPEN_STATES | FINISHED_STATES,
}
# Two looks, each with an index of its own.
_COUNTS = """
SELECT o.count, f.failed, f.incomplete, o.late FROM (
  SELECT count(*), min(r.due_at) FILTER (WHERE r.lease_owner = '' AND r.due_at < %(now)s) AS late
  FROM runs_run r WHERE {visible} AND r.state = ANY(%(open)s)
) o, (
  SELECT count(*) FILTER (WHERE r.state = %(failed)s) AS failed,
    count(*) FILTER (WHERE r.state = %(succeeded)s) AS incomplete
  FROM runs_run r WHERE {visible} AND r.steps_failed > 0 AND r.finished_at >= %(since)s
) f
""".format
_PAGE = """
SELECT r.* FROM runs_run r WHERE {visible} AND {wanted} ORDER BY r.id DESC OFFSET %(offset)s LIMIT %(limit)s
""".format
_NO_ROUTINE = "NOT (r.principal_id IS NULL AND r.state = %(succeeded)s AND r.steps_failed = 0)"


@dataclass(frozen=True)
class RunCounts:
    """Numbers of an organization's runs.

    Attributes:
        open: not finished.
        failed: of the last days asked for.
        incomplete: succeeded within those days, with optional steps that failed.
        late_since: since when the oldest run is due without a worker that took it; None when none is.
    """

    open: int
    failed: int
    incomplete: int
    late_since: datetime | None


@dataclass(frozen=True)
class RunLine:
    """A run in a list.

    Attributes:
        label: of its kind. subject: what it works for, empty where the reader may not know.
        person: who asked for it, empty for work of the house.
        may_manage: whether the reader may stop and retry it.
    """

    run: RunView
    label: str
    subject: str
    person: str
    may_manage: bool

    @property
    def may_stop(self) -> bool:
        """It is not over, and nobody has stopped it yet."""
        return self.may_manage and not self.run.is_finished and not self.run.is_cancelling

    @property
    def may_retry(self) -> bool:
        """It is over, and some step of it failed."""
        return self.may_manage and self.run.is_finished and self.run.steps_failed > 0

    @property
    def took(self) -> timedelta | None:
        """How long it has worked so far, or until its end; None before its start."""
        if self.run.started_at is None:
            return None
        return (self.run.finished_at or timezone.now()) - self.run.started_at


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
    now = timezone.now()
    visible = visible_runs_clause(principal)
    given = {"now": now, "since": now - timedelta(days=days), "open": sorted(OPEN_STATES)}
    states = {"failed": RunState.FAILED.value, "succeeded": RunState.SUCCEEDED.value}
    with connection.cursor() as cursor:
        planned.execute(cursor, _COUNTS(visible=visible.sql), {**visible.params, **given, **states})
        return RunCounts(*cursor.fetchone())


def list_kinds(principal: Principal) -> list[tuple[str, str]]:
    """Return the kinds of runs there are and what they are called. One query."""
    kinds = visible_runs(principal).order_by("kind").values_list("kind", flat=True).distinct()
    return [(kind, kind_label(kind)) for kind in kinds]


def page_of_runs(
    principal: Principal, *, kind: str = "", state: str = "", offset: int = 0, limit: int = 50
) -> list[RunLine]:
    """Return a page of runs, newest first. Two queries, and one a type of subject.

    Args:
        state: a key of `FILTERS`; empty for all but what the house does all the time and ended well.
    """
    visible = visible_runs_clause(principal)
    wanted = ["TRUE"]
    if kind:
        wanted.append("r.kind = %(kind)s")
    if state in FILTERS:
        wanted.append("r.state = ANY(%(states)s)")
    if state == GAPS:
        wanted.append("r.steps_failed > 0")
    if not state and not kind:
        wanted.append(_NO_ROUTINE)
    given = {
        "kind": kind, "states": sorted(FILTERS.get(state, ())), "succeeded": RunState.SUCCEEDED.value,
        "offset": offset, "limit": limit,
    }  # fmt: skip
    rows = Run.objects.raw(
        _PAGE(visible=visible.sql, wanted=" AND ".join(wanted)), {**visible.params, **given}
    )
    return _lines(principal, [view_of(run) for run in rows])


def get_line(principal: Principal, run_id: UUID) -> RunLine:
    """Return one run. Two queries, and one for its subject.

    Raises:
        RunNotFound: missing, or not visible to the principal.
    """
    return _lines(principal, [get_run(principal=principal, run_id=run_id)])[0]


def page_of_steps(principal: Principal, run_id: UUID, *, offset: int = 0, limit: int = 50) -> list[StepView]:
    """Return a page of a visible run's steps: what failed, what runs, then the rest in order. One query."""
    urgency = Case(
        When(state=StepState.FAILED, then=Value(0)),
        When(state=StepState.RUNNING, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    steps = Step.objects.filter(
        organization_id=principal.organization_id, run_id=run_id, run__in=visible_runs(principal)
    )
    rows = steps.annotate(urgency=urgency).order_by("urgency", "position", "id")
    return [step_view_of(step) for step in rows[offset : offset + limit]]


def failures_of(step_ids: Sequence[UUID]) -> dict[UUID, list[AttemptView]]:
    """Return the tries of these steps that ended with an error, oldest first; the caller decided about rights."""
    found: dict[UUID, list[AttemptView]] = {}
    rows = Attempt.objects.filter(step_id__in=step_ids).exclude(error_code="").order_by("step_id", "number")
    for row in rows:
        found.setdefault(row.step_id, []).append(
            AttemptView(
                row.number, row.outcome, row.error_code, row.error_text, row.started_at, row.finished_at
            )
        )
    return found


def _lines(principal: Principal, runs: list[RunView]) -> list[RunLine]:
    known = people.people(run.principal_id for run in runs if run.principal_id)
    subjects = subject_names(principal, runs)
    may_manage_all = bool(can(principal, "run.manage"))
    return [
        RunLine(
            run=run,
            label=kind_label(run.kind),
            subject=subjects.get(run.subject.id, "") if run.subject else "",
            person=known[run.principal_id].name if run.principal_id in known else "",
            may_manage=may_manage_all or run.principal_id == principal.id,
        )
        for run in runs
    ]
