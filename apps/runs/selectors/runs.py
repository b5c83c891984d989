"""Who sees which runs, and what of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from apps.accounts.selectors.scopes import NOTHING, Rule, Rules, content_rules, owned, visible_scope_clause
from apps.accounts.services.access import can
from apps.accounts.types import Principal, ScopeClause
from apps.runs.errors import RunNotFound
from apps.runs.models import Run, Step
from apps.runs.types import RunState, RunView, StepState, StepView, Subject


def visible_runs(principal: Principal) -> QuerySet[Run]:
    """Runs the principal asked for and runs of scopes it sees, or all with `run.view_any`."""
    runs = Run.objects.filter(organization_id=principal.organization_id)
    return runs if can(principal, "run.view_any") else runs.filter(run_rules(principal).q)


def run_rules(principal: Principal) -> Rules:
    """Return why a principal sees a run: the role, having asked for it, or its audience."""
    decision = can(principal, "run.view_any")
    everything = (Rule(decision.rule, ~NOTHING, is_free=True),) if decision else ()
    own = Rule("owner", owned(principal, "principal_id"), is_free=True)
    rules = content_rules(principal, time="created_at")
    return Rules((*everything, own, *rules.grants), rules.limits)


def visible_runs_clause(principal: Principal) -> ScopeClause:
    """Return `visible_runs` as SQL for a raw statement with named parameters, which calls the table `r`."""
    here = "r.organization_id = %(visible_here)s"
    params: dict[str, Any] = {"visible_here": principal.organization_id}
    if can(principal, "run.view_any"):
        return ScopeClause(here, params)
    seen = visible_scope_clause(principal, scope="r.scope_id", time="r.created_at")
    sql = seen.sql
    if principal.scopes is None and not principal.held:  # as `owned`
        sql = f"(r.principal_id = %(visible_owner)s OR {sql})"
        params["visible_owner"] = principal.id
    return ScopeClause(f"{here} AND {sql}", {**seen.params, **params})


def get_run(*, principal: Principal, run_id: UUID) -> RunView:
    """Return one run; one query.

    Raises:
        RunNotFound: missing, or not visible to the principal.
    """
    run = visible_runs(principal).filter(pk=run_id).first()
    if run is None:
        raise RunNotFound
    return view_of(run)


def list_runs(
    *,
    principal: Principal,
    kind: str = "",
    subject_id: UUID | None = None,
    states: frozenset[RunState] | None = None,
) -> QuerySet[Run]:
    """Runs the principal may see, newest first; shown through `view_of`."""
    runs = visible_runs(principal).order_by("-id")
    if kind:
        runs = runs.filter(kind=kind)
    if subject_id:
        runs = runs.filter(subject_id=subject_id)
    if states is not None:
        runs = runs.filter(state__in=states)
    return runs


def list_steps(*, principal: Principal, run_id: UUID) -> list[StepView]:
    """Return the steps of a visible run in their order; two queries.

    Raises:
        RunNotFound: missing, or not visible to the principal.
    """
    get_run(principal=principal, run_id=run_id)
    steps = Step.objects.filter(organization_id=principal.organization_id, run_id=run_id)
    return [step_view_of(step) for step in steps.order_by("position", "id")]


def results_of(*, organization_id: UUID, run_id: UUID, name: str) -> list[Any]:
    """Return what the succeeded steps of one name returned; for steps of the same run that sum up."""
    rows = Step.objects.filter(
        organization_id=organization_id, run_id=run_id, name=name, state=StepState.SUCCEEDED
    )
    return list(rows.order_by("position", "id").values_list("result", flat=True))


def find_latest(*, organization_id: UUID, subject_id: UUID, kind: str) -> RunView | None:
    """Return the newest run of a kind for a subject; for apps that own the subject and its rights."""
    run = (
        Run.objects.filter(organization_id=organization_id, subject_id=subject_id, kind=kind)
        .order_by("-id")
        .first()
    )
    return view_of(run) if run else None


def find_run(*, organization_id: UUID, run_id: UUID) -> RunView | None:
    """Return a run without asking who looks; for steps and consumers that own it."""
    run = Run.objects.filter(organization_id=organization_id, pk=run_id).first()
    return view_of(run) if run else None


def find_runs(*, organization_id: UUID, run_ids: Collection[UUID]) -> dict[UUID, RunView]:
    """Return runs by id without asking who looks; for apps that own their subjects and rights. One query."""
    rows = Run.objects.filter(organization_id=organization_id, pk__in=list(run_ids)) if run_ids else ()
    return {run.pk: view_of(run) for run in rows}


def view_of(run: Run) -> RunView:
    """Return the plain view of a row."""
    return RunView(
        id=run.pk,
        organization_id=run.organization_id,
        kind=run.kind,
        queue=run.queue,
        state=RunState(run.state),
        principal_id=run.principal_id,
        member_id=run.member_id,
        scope_id=run.scope_id,
        conversation_id=run.conversation_id,
        subject=Subject(run.subject_type, run.subject_id) if run.subject_id else None,
        input=run.input,
        result=run.result,
        error_code=run.error_code,
        error_text=run.error_text,
        stage=run.stage,
        progress_current=run.progress_current,
        progress_total=run.progress_total,
        steps_total=run.steps_total,
        steps_done=run.steps_done,
        steps_failed=run.steps_failed,
        is_cancelling=run.cancel_requested_at is not None,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        heartbeat_at=run.heartbeat_at,
    )


def step_view_of(step: Step) -> StepView:
    """Return the plain view of a row."""
    return StepView(
        id=step.pk,
        name=step.name,
        key=step.key,
        position=step.position,
        state=StepState(step.state),
        is_optional=step.is_optional,
        input=step.input,
        result=step.result,
        progress_current=step.progress_current,
        progress_total=step.progress_total,
        attempts=step.attempts,
        error_code=step.error_code,
        error_text=step.error_text,
        started_at=step.started_at,
        finished_at=step.finished_at,
    )
