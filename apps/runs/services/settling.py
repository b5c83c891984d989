"""What follows from the state of the steps: the next one, a pause, the end. A change is one transaction."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Max, Min
from django.db.models.functions import Now
from django.utils import timezone

from apps.core.errors import DomainError
from apps.runs.errors import WorkerLost
from apps.runs.models import Attempt, Run, Step
from apps.runs.selectors.frames import FINAL_FRAME
from apps.runs.selectors.runs import view_of
from apps.runs.services import announcing, frames
from apps.runs.services.leases import Lease, held
from apps.runs.services.steps import StepDefinition
from apps.runs.types import AttemptOutcome, RunState, RunView, StepState

MOST_LOSSES = 5
LONGEST_PAUSE_SECONDS = 300.0
LONGEST_ERROR = 4000


@dataclass(frozen=True)
class Claim:
    """A step this worker has begun."""

    run: RunView
    step: Step
    attempt: int


@dataclass(frozen=True)
class Failure:
    """How an attempt failed: what people are told, and what only operators read."""

    error: DomainError
    trace: str = ""


def claim_step(lease: Lease) -> Claim | None:
    """Begin the next due step; None when there is nothing to do now, and then the lease is given back.

    Raises:
        LeaseLost: another worker holds the run.
    """
    with held(lease) as run:
        if run.cancel_requested_at:
            end(run, RunState.CANCELLED)
            return None
        step = _next_step(run)
        if step is None:
            _pause_or_end(run)
            return None
        number = (Attempt.objects.filter(step=step).aggregate(last=Max("number"))["last"] or 0) + 1
        Attempt.objects.create(
            organization_id=run.organization_id, step=step, number=number, worker=lease.owner
        )
        step.state, step.started_at, step.finished_at = StepState.RUNNING, timezone.now(), None
        step.progress_current = step.progress_total = 0
        step.save(update_fields=["state", "started_at", "finished_at", "progress_current", "progress_total"])
        return Claim(view_of(run), step, number)


def succeed(lease: Lease, claim: Claim, *, result: Any, run_result: dict[str, Any]) -> RunView:
    """Note the success of a step, and its result (any JSON)."""
    with held(lease) as run:
        _close(
            claim,
            StepState.SUCCEEDED,
            AttemptOutcome.SUCCEEDED,
            result=result,
            error_code="",
            error_text="",
            losses=0,
        )
        run.steps_done += 1
        run.result = {**run.result, **run_result}
        run.save(update_fields=["steps_done", "result"])
        return view_of(run)


def fail(lease: Lease, claim: Claim, *, definition: StepDefinition | None, failure: Failure) -> RunView:
    """Note a failed attempt: the step is tried again later, or has failed; a required one ends the run."""
    with held(lease) as run:
        code, text = failure.error.code, failure.error.detail
        attempts = claim.step.attempts + 1
        again = definition is not None and is_retryable(failure.error) and attempts < definition.max_attempts
        if again and definition is not None:
            pause = failure.error.retry_after_seconds or pause_seconds(
                attempts, base=definition.backoff_seconds
            )
            due_at = timezone.now() + timedelta(seconds=pause)
            _close(
                claim, StepState.QUEUED, AttemptOutcome.FAILED, trace=failure.trace, attempts=attempts,
                error_code=code, error_text=text, due_at=due_at, finished_at=None,
            )  # fmt: skip
            return view_of(run)
        _close(
            claim, StepState.FAILED, AttemptOutcome.FAILED, trace=failure.trace, attempts=attempts,
            error_code=code, error_text=text,
        )  # fmt: skip
        count_failure(run, claim.step, code=code, text=text)
        return view_of(run)


def cancel(lease: Lease, claim: Claim) -> RunView:
    """Note that the step stopped because the run was cancelled, and end the run."""
    with held(lease) as run:
        _close(claim, StepState.CANCELLED, AttemptOutcome.CANCELLED)
        end(run, RunState.CANCELLED)
        return view_of(run)


def break_off(lease: Lease) -> None:
    """Give the run back with its running step unfinished: it is due again at once, uncounted."""
    with held(lease) as run:
        running = Step.objects.filter(run=run, state=StepState.RUNNING)
        Attempt.objects.filter(step__in=running, outcome=AttemptOutcome.RUNNING).update(
            outcome=AttemptOutcome.INTERRUPTED, finished_at=Now()
        )
        running.update(state=StepState.QUEUED)
        run.state, run.due_at, run.lease_owner, run.lease_expires_at = (
            RunState.QUEUED,
            timezone.now(),
            "",
            None,
        )
        run.save(update_fields=["state", "due_at", "lease_owner", "lease_expires_at"])


def lose(run: Run) -> None:
    """Note that the worker of a locked run is gone: its step is due again later, or is given up as poisoned.

    A step that takes its worker down each time must not do so for ever, and the steps that died beside it
    must not
    fail with it: the pause grows, so that they are done alone in between.
    """
    step = Step.objects.filter(run=run, state=StepState.RUNNING).select_for_update(no_key=True).first()
    run.lease_owner, run.lease_expires_at, run.due_at = "", None, timezone.now()
    if step is not None:
        Attempt.objects.filter(step=step, outcome=AttemptOutcome.RUNNING).update(
            outcome=AttemptOutcome.LOST, finished_at=Now(), error_code=WorkerLost.code
        )
        step.losses += 1
        if step.losses >= MOST_LOSSES:
            step.state, step.finished_at = StepState.FAILED, timezone.now()
            step.error_code, step.error_text = WorkerLost.code, str(WorkerLost.message)
        else:
            step.state = StepState.QUEUED
            if step.losses > 1:  # a single loss is a restart, not a poisoned step
                step.due_at = run.due_at = timezone.now() + timedelta(
                    seconds=pause_seconds(step.losses, base=1)
                )
        step.save()
        if step.state == StepState.FAILED:
            count_failure(run, step, code=step.error_code, text=step.error_text)
            if run.finished_at:
                return
    run.state = RunState.WAITING if run.due_at > timezone.now() else RunState.QUEUED
    run.save(update_fields=["lease_owner", "lease_expires_at", "due_at", "state"])


def count_failure(run: Run, step: Step, *, code: str, text: str) -> None:
    """Count a step that gave up; a required one ends the run."""
    run.steps_failed += 1
    if step.is_optional:
        run.save(update_fields=["steps_failed"])
        return
    run.error_code, run.error_text = code, text
    end(run, RunState.FAILED)


def end(run: Run, state: RunState) -> None:
    """Finish a locked run: nothing is due any more, and everybody who waits is told."""
    run.state, run.finished_at, run.due_at = state, timezone.now(), None
    run.lease_owner, run.lease_expires_at, run.stage = "", None, ""
    if state == RunState.CANCELLED:
        Step.objects.filter(run=run, state__in=(StepState.QUEUED, StepState.RUNNING)).update(
            state=StepState.CANCELLED, finished_at=Now()
        )
    run.save()
    final = {"state": run.state, "error_code": run.error_code, "error_text": run.error_text}
    frames.append(organization_id=run.organization_id, run_id=run.pk, type=FINAL_FRAME, data=final)
    announcing.finished(run)


def is_retryable(error: DomainError) -> bool:
    """Return whether trying again may help: after what calls itself temporary (429, 503), not a refusal."""
    return error.status in (429, 503)


def pause_seconds(attempts: int, *, base: float) -> float:
    """Return how long to wait after so many failures: doubling, half of it random, at most five minutes."""
    longest = min(LONGEST_PAUSE_SECONDS, base * 2.0 ** (attempts - 1))
    return longest * random.uniform(0.5, 1)  # noqa: S311 - spreads load, keeps no secret


def _next_step(run: Run) -> Step | None:
    """Return the first due step of the lowest position that is not settled."""
    unsettled = Step.objects.filter(run=run, state=StepState.QUEUED)
    front = unsettled.aggregate(position=Min("position"))["position"]
    if front is None:
        return None
    return (
        unsettled.filter(position=front, due_at__lte=Now())
        .order_by("id")
        .select_for_update(no_key=True)
        .first()
    )


def _pause_or_end(run: Run) -> None:
    waiting = Step.objects.filter(run=run, state=StepState.QUEUED).order_by("position", "due_at").first()
    if waiting is None:
        end(run, RunState.SUCCEEDED)
        return
    run.state, run.due_at = RunState.WAITING, waiting.due_at
    run.lease_owner, run.lease_expires_at = "", None
    run.save(update_fields=["state", "due_at", "lease_owner", "lease_expires_at"])


def _close(
    claim: Claim, state: StepState, outcome: AttemptOutcome, *, trace: str = "", **fields: Any
) -> None:
    """Write the end of an attempt into its row and its step's."""
    values: dict[str, Any] = {"state": state, "finished_at": Now(), **fields}
    Step.objects.filter(pk=claim.step.pk).update(**values)
    Attempt.objects.filter(step_id=claim.step.pk, number=claim.attempt).update(
        outcome=outcome,
        finished_at=Now(),
        error_code=fields.get("error_code", ""),
        error_text=(trace or fields.get("error_text", ""))[-LONGEST_ERROR:],
    )
