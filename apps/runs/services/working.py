"""Work on a run: take the lease, do due steps in order, note each attempt, give the lease back."""

from __future__ import annotations

import logging
import time
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection
from django.utils import translation
from prometheus_client import Counter, Histogram
from pydantic import TypeAdapter

from apps.core import faults, tenancy
from apps.core.errors import DomainError
from apps.runs.errors import LeaseLost, RunCancelled, StepCrashed, StepInterrupted
from apps.runs.services import announcing, leases, settling, workers
from apps.runs.services.context import PROGRESS_SECONDS, StepContext, Watch, Workbench
from apps.runs.services.frames import FrameWriter
from apps.runs.services.keeping import kept
from apps.runs.services.languages import language_of
from apps.runs.services.leases import Lease
from apps.runs.services.poking import poke
from apps.runs.services.queues import room_in
from apps.runs.services.settling import Claim, Failure
from apps.runs.services.steps import StepDefinition, definition
from apps.runs.types import RunView

SLICE_SECONDS = 20.0  # then others get their turn
WAIT_SECONDS = 0.5  # between looks at a database that went away
logger = logging.getLogger(__name__)
attempts = Counter("chatsystem_step_attempts_total", "Attempts at steps", ["step", "outcome"])
durations = Histogram(
    "chatsystem_step_seconds", "Duration of attempts", ["step"], buckets=(0.05, 0.2, 1, 5, 20, 60, 300, 1200)
)


def work_on(*, run_id: UUID, queue: str = "") -> bool:
    """Do what is due in a run of the current organization; harmless when called twice, late or for nothing.

    Args:
        queue: where the poke came from; a queue whose share of this process is taken makes the run wait.

    Returns:
        Whether this call held the lease.
    """
    with room_in(queue, run_id=run_id, organization_id=tenancy.current()) as has_room:
        lease = leases.take(run_id=run_id) if has_room and not workers.stopping.is_set() else None
        if lease is None:
            return False
        try:
            _work(lease, queue)
        except LeaseLost:
            logger.warning("run.lease_lost", extra={"run": str(run_id)})
        except StepInterrupted:
            settling.break_off(lease)
            poke(run_id=run_id, organization_id=lease.organization_id, queue=queue or "default")
        except (OperationalError, InterfaceError):
            _break_off_when_back(lease)
        return True


def _work(lease: Lease, queue: str) -> None:
    bench = Workbench()
    try:
        _do_steps(lease, queue, bench)
    finally:
        bench.clear()


def _do_steps(lease: Lease, queue: str, bench: Workbench) -> None:
    begun_at = told_at = time.monotonic()
    frames = FrameWriter(lease)
    language = ""
    while claim := settling.claim_step(lease):
        language = language or _language(claim)
        with translation.override(language):
            run = _attempt(lease, claim, frames, bench)
        now = time.monotonic()
        if run.is_finished:
            return
        if now - told_at >= PROGRESS_SECONDS:
            told_at = now
            announcing.publish_progress(run)
        if now - begun_at >= SLICE_SECONDS or workers.stopping.is_set():
            leases.give_back(lease)
            poke(run_id=lease.run_id, organization_id=lease.organization_id, queue=queue or claim.run.queue)
            return


def _language(claim: Claim) -> str:
    return language_of(organization_id=claim.run.organization_id, principal_id=claim.run.principal_id)


def _break_off_when_back(lease: Lease) -> None:
    """Free the run as soon as the database answers again; after a minute its lease is over anyway."""
    until = time.monotonic() + leases.LEASE.total_seconds()
    while time.monotonic() < until:
        connection.close()
        try:
            settling.break_off(lease)
        except (OperationalError, InterfaceError):
            time.sleep(WAIT_SECONDS)
        except LeaseLost:
            return
        else:
            logger.warning("run.broken_off", extra={"run": str(lease.run_id)})
            return


def _attempt(lease: Lease, claim: Claim, frames: FrameWriter, bench: Workbench) -> RunView:
    """Perform one attempt without an open transaction and note how it ended; return the run after it."""
    name, begun_at, declared = claim.step.name, time.monotonic(), None
    try:
        declared = definition(name)
        result, run_result = _perform(lease, claim, declared, frames, bench)
        run = settling.succeed(lease, claim, result=result, run_result=run_result)
        outcome = "succeeded"
    except RunCancelled:
        run, outcome = settling.cancel(lease, claim), "cancelled"
    except (LeaseLost, StepInterrupted):
        attempts.labels(name, "broken_off").inc()
        raise
    except DomainError as error:
        run, outcome = settling.fail(lease, claim, definition=declared, failure=Failure(error)), "failed"
    except Exception as error:
        if isinstance(error, OperationalError | InterfaceError) and not connection.is_usable():
            raise  # the database went away: nothing can be noted now
        logger.exception("run.step_crashed", extra={"run": str(lease.run_id), "step": name})
        trace = faults.trace_of(error)
        run = settling.fail(lease, claim, definition=declared, failure=Failure(StepCrashed(), trace))
        outcome = "crashed"
    attempts.labels(name, outcome).inc()
    durations.labels(name).observe(time.monotonic() - begun_at)
    return run


def _perform(
    lease: Lease, claim: Claim, declared: StepDefinition, frames: FrameWriter, bench: Workbench
) -> tuple[Any, dict[str, Any]]:
    """Call the step function; return what it returned, as JSON, and what it adds to the run's result."""
    watch = Watch()
    watch.deadline = time.monotonic() + declared.timeout_seconds
    context = StepContext(
        lease=lease,
        run=claim.run,
        step=claim.step,
        attempt=claim.attempt,
        frames=frames,
        watch=watch,
        bench=bench,
    )
    arguments = declared.arguments(claim.step.input)
    try:
        with kept(lease, frames, watch):
            returned = declared.function(context, **arguments)
    finally:
        frames.flush()
    return TypeAdapter(Any).dump_python(returned, mode="json"), context.result
