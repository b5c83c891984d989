"""Start, cancel and retry runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Case, F, QuerySet, When
from django.db.models.functions import Now
from django.utils import timezone

from apps.accounts.services import trail
from apps.accounts.services.access import can
from apps.accounts.types import Principal
from apps.core import tenancy
from apps.runs import actions
from apps.runs.errors import NothingToRetry, NotYourRun, RunNotFound
from apps.runs.models import Run, Step
from apps.runs.selectors.runs import view_of, visible_runs
from apps.runs.services import announcing, settling
from apps.runs.services.context import append_steps
from apps.runs.services.frames import storable
from apps.runs.services.poking import poke_after_commit
from apps.runs.services.steps import definition
from apps.runs.types import JSON, RunState, RunView, StepSpec, StepState, Subject


def start_run(
    *,
    kind: str,
    principal: Principal | None,
    steps: Sequence[StepSpec],
    queue: str = "",
    subject: Subject | None = None,
    scope_id: UUID | None = None,
    conversation_id: UUID | None = None,
    input: JSON | None = None,  # noqa: A002
    retry_key: str | None = None,
    priority: int = 0,
    due_at: datetime | None = None,
) -> RunView:
    """Store a run with its steps and wake a worker after the commit. Joins the caller's transaction.

    Args:
        principal: who asks; None for work of the house, which only `run.view_any` sees.
        steps: at least one; `StepSpec.position` says what may go in any order.
        queue: empty takes the queue of the first step.
        scope_id: who may see the run besides the principal.
        conversation_id: whose readers get the progress over the socket.
        retry_key: the same key of the same kind returns the first run and changes nothing.
        due_at: not before then; None is now.

    Raises:
        BadStepInput: no loaded app declares one of the steps.
    """
    if not steps:
        raise ValueError("a run needs a step")
    organization_id = principal.organization_id if principal else tenancy.current()
    run = Run(
        organization_id=organization_id,
        kind=kind,
        queue=queue or definition(steps[0].name).queue,
        principal_id=principal.id if principal else None,
        member_id=principal.member_id if principal else None,
        credential=principal.session if principal else "",
        scope_id=scope_id,
        conversation_id=conversation_id,
        subject_type=subject.type if subject else "",
        subject_id=subject.id if subject else None,
        retry_key=retry_key,
        input=storable(input or {}),
        priority=priority,
        due_at=due_at or timezone.now(),
    )
    try:
        with transaction.atomic():
            run.save(force_insert=True)
            append_steps(run, steps)
            announcing.queued(run)
    except IntegrityError:
        first = Run.objects.filter(organization_id=organization_id, kind=kind, retry_key=retry_key).first()
        if retry_key is None or first is None:
            raise
        return view_of(first)
    if due_at is None or due_at <= timezone.now():
        poke_after_commit(run_id=run.pk, organization_id=organization_id, queue=run.queue)
    return view_of(run)


def cancel_run(*, principal: Principal, run_id: UUID) -> RunView:
    """Stop a run: at once when nobody works on it, else within a second. A finished run is returned as it is.

    Raises:
        RunNotFound: missing, or not visible to the principal.
        NotYourRun: visible, but started by somebody else.
    """
    with transaction.atomic():
        run = _lock_own(principal, run_id)
        if run.principal_id != principal.id and not run.finished_at and not run.cancel_requested_at:
            trail.note(principal, actions.CANCELLED, "run", run.pk, kind=run.kind)
        return _cancel(run)


def cancel_as_house(*, run_id: UUID) -> RunView:
    """Stop a run of the current organization; for operators, and for apps that decided about their subject.

    Raises:
        RunNotFound.
    """
    with transaction.atomic():
        return _cancel(_lock(Run.objects.filter(organization_id=tenancy.current()), run_id))


def stop_runs_of(
    *, principal_id: UUID, kind: str = "", credential: str = "", scope_id: UUID | None = None
) -> int:
    """Ask every open run of a principal in the current organization to stop, now; return how many were asked.

    One statement: a worker that has the run sees it within half a second, and one without a worker is due at once.

    Args:
        kind: only those of this kind; empty is all.
        credential: only those it asked for with this session, key or token family; empty is all.
        scope_id: only those whose audience this is.
    """
    rows = Run.objects.filter(
        organization_id=tenancy.current(),
        principal_id=principal_id,
        finished_at=None,
        cancel_requested_at=None,
    )
    if kind:
        rows = rows.filter(kind=kind)
    if credential:
        rows = rows.filter(credential=credential)
    if scope_id is not None:
        rows = rows.filter(scope_id=scope_id)
    due = Case(When(lease_owner="", then=Now()), default=F("due_at"))
    return rows.update(cancel_requested_at=Now(), due_at=due)


def retry_run(*, principal: Principal, run_id: UUID) -> RunView:
    """Try the failed steps of a run again, with a fresh count of attempts; what succeeded stays.

    Raises:
        RunNotFound: missing, or not visible to the principal.
        NotYourRun: visible, but started by somebody else.
        NothingToRetry: the run is not over, or no step of it failed.
    """
    with transaction.atomic():
        run = _lock_own(principal, run_id)
        view = _retry(run)
        if run.principal_id != principal.id:
            trail.note(principal, actions.RETRIED, "run", run.pk, kind=run.kind)
        return view


def move_runs(*, subjects: Sequence[Subject], scope_id: UUID, conversation_id: UUID | None) -> None:
    """Let the audience that sees these subjects now see their runs, instead of the one before. One statement."""
    rows = Run.objects.filter(
        organization_id=tenancy.current(),
        subject_type__in={subject.type for subject in subjects},
        subject_id__in=[subject.id for subject in subjects],
    )
    rows.filter(scope_id__isnull=False).update(scope_id=scope_id, conversation_id=conversation_id)


def retry_as_house(*, run_id: UUID) -> RunView:
    """Try the failed steps of a run of the current organization again; for operators and apps, as above.

    Raises:
        RunNotFound, NothingToRetry.
    """
    with transaction.atomic():
        return _retry(_lock(Run.objects.filter(organization_id=tenancy.current()), run_id))


def _cancel(run: Run) -> RunView:
    if run.finished_at:
        return view_of(run)
    run.cancel_requested_at = run.cancel_requested_at or timezone.now()
    if run.lease_owner:
        run.save(update_fields=["cancel_requested_at"])
    else:
        settling.end(run, RunState.CANCELLED)
    return view_of(run)


def _retry(run: Run) -> RunView:
    if not run.finished_at:
        raise NothingToRetry
    again = Step.objects.filter(run=run, state=StepState.FAILED).update(
        state=StepState.QUEUED, attempts=0, losses=0, error_code="", error_text="", due_at=timezone.now()
    )
    if not again:
        raise NothingToRetry
    run.state, run.due_at, run.finished_at, run.cancel_requested_at = (
        RunState.QUEUED,
        timezone.now(),
        None,
        None,
    )
    run.error_code = run.error_text = ""
    run.steps_failed -= again
    run.save()
    announcing.queued(run)
    poke_after_commit(run_id=run.pk, organization_id=run.organization_id, queue=run.queue)
    return view_of(run)


def _lock_own(principal: Principal, run_id: UUID) -> Run:
    run = _lock(visible_runs(principal), run_id)
    if run.principal_id != principal.id and not can(principal, "run.manage"):
        raise trail.refused(principal, NotYourRun(), run=run.pk)
    return run


def _lock(runs: QuerySet[Run], run_id: UUID) -> Run:
    run = runs.filter(pk=run_id).select_for_update(no_key=True, of=("self",)).first()
    if run is None:
        raise RunNotFound
    return run
