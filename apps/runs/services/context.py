"""What a step function holds in its hand: heartbeat, progress, cancel, stream frames, more steps."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Literal, TypeVar
from uuid import UUID

from django.db.models import Max

from apps.runs.errors import LeaseLost, RunCancelled, StepInterrupted, StepTimedOut
from apps.runs.models import Run, Step
from apps.runs.selectors.runs import step_view_of, view_of
from apps.runs.services import announcing, leases, workers
from apps.runs.services.frames import FrameWriter, storable
from apps.runs.services.leases import Lease
from apps.runs.services.steps import definition
from apps.runs.types import JSON, RunView, StepSpec

Thing = TypeVar("Thing")
PROGRESS_SECONDS = 0.5  # at most two a second
LOOK_SECONDS = 0.5  # how old the knowledge of a cancel may be where no keeper watches


class Watch:
    """What the keeper of a lease learned, read by the step without a query."""

    def __init__(self) -> None:
        self.is_cancelled = False
        self.is_lost = False
        self.is_kept = False
        self.deadline: float | None = None
        self.changed = threading.Event()


class Workbench:
    """What steps of a run leave for the next ones while one worker goes on with it: an open reader, a connection."""

    def __init__(self) -> None:
        self._things: dict[str, Any] = {}
        self._closing = ExitStack()

    def keep(self, name: str, make: Callable[[], AbstractContextManager[Thing]]) -> Thing:
        """Return the thing of this name, entered at the first call."""
        if name not in self._things:
            self._things[name] = self._closing.enter_context(make())
        thing: Thing = self._things[name]
        return thing

    def clear(self) -> None:
        """Leave everything, in the thread that entered it."""
        self._things.clear()
        self._closing.close()


class StepContext:
    """The running step. Its methods may raise what `cancelled` raises: let that through.

    Attributes:
        run: the run as it was when the step began.
        step: the step as it was when it began; its `input` came as keyword arguments.
        attempt: 1 for the first try; higher means that everything may have been done already.
    """

    def __init__(
        self,
        *,
        lease: Lease,
        run: RunView,
        step: Step,
        attempt: int,
        frames: FrameWriter,
        watch: Watch,
        bench: Workbench,
    ) -> None:
        self.run = run
        self.step = step_view_of(step)
        self.attempt = attempt
        self.result: dict[str, Any] = {}
        self._lease, self._frames, self._watch, self._bench = lease, frames, watch, bench
        self._looked_at = self._told_at = time.monotonic()

    @property
    def organization_id(self) -> UUID:
        """The organization that is open while the step works."""
        return self.run.organization_id

    def cancelled(self) -> Literal[False]:
        """Return False, or leave the step: call it in every loop.

        Raises:
            RunCancelled: somebody cancelled the run.
            StepInterrupted: this worker is told to stop.
            StepTimedOut: the attempt is over its time.
            LeaseLost: the run belongs to another worker now.
        """
        if not self._watch.is_kept:
            self._look()
        if self._watch.is_lost:
            raise LeaseLost(self.run.id)
        if self._watch.is_cancelled:
            raise RunCancelled
        if workers.stopping.is_set():
            raise StepInterrupted
        if self._watch.deadline is not None and time.monotonic() > self._watch.deadline:
            raise StepTimedOut
        return False

    def heartbeat(self) -> None:
        """Say that the step is alive, and look for a cancel. A keeper renews the lease by itself."""
        self.cancelled()
        if not self._watch.is_kept:
            leases.renew(self._lease)

    def progress(self, current: int, total: int = 0, stage: str = "") -> None:
        """Show how far the step is; stored and announced at most twice a second, the last one always.

        Args:
            total: 0 when unknown.
            stage: English text key of what happens now, marked with `gettext_noop`; empty keeps the last one.
        """
        self.cancelled()
        is_last = total > 0 and current >= total
        new_stage = bool(stage) and stage != self.run.stage
        if not (is_last or new_stage) and time.monotonic() - self._told_at < PROGRESS_SECONDS:
            return
        self._told_at = time.monotonic()
        with leases.held(self._lease) as run:
            run.progress_current, run.progress_total, run.stage = current, total, stage or run.stage
            run.save(update_fields=["progress_current", "progress_total", "stage"])
            Step.objects.filter(pk=self.step.id).update(progress_current=current, progress_total=total)
            self.run = view_of(run)
        announcing.publish_progress(self.run)

    def emit(self, type: str, data: JSON) -> None:  # noqa: A002
        """Append a frame to the run's stream; readers get it within a tenth of a second.

        Call it outside transactions. After an attempt that broke off, the first frame of the next one is
        preceded by `restarted`: a reader forgets what it had.
        """
        self.cancelled()
        if self.attempt > 1 and not self._restarted and self._frames.has_any:
            self._frames.emit("restarted", {"attempt": self.attempt})
        self._restarted = True
        if self._frames.emit(type, data):
            if self._watch.is_kept:
                self._watch.changed.set()  # the keeper stores it in time
            else:
                self._frames.flush()

    def set_result(self, **values: Any) -> None:
        """Keep values (JSON) in the run's result; they are stored with the success of this step."""
        self.result.update(storable(values))

    def keep(self, name: str, make: Callable[[], AbstractContextManager[Thing]]) -> Thing:
        """Return a thing that the next steps of this run find again, as long as this worker goes on with it.

        Args:
            make: called where nothing of this name is kept; left when the worker gives the run back.
        """
        return self._bench.keep(name, make)

    def add_steps(self, steps: Sequence[StepSpec]) -> int:
        """Append steps to the run; those it has already stay as they are. Return how many are new."""
        with leases.held(self._lease) as run:
            return append_steps(run, steps)

    _restarted = False

    def _look(self) -> None:
        """Ask the row, not more often than needed, where nobody watches it."""
        if time.monotonic() - self._looked_at < LOOK_SECONDS and not self._watch.is_cancelled:
            return
        self._looked_at = time.monotonic()
        look(self._lease, self._watch)


def look(lease: Lease, watch: Watch) -> None:
    """Read from the run's row whether it was cancelled or taken away."""
    row = (
        Run.objects.filter(organization_id=lease.organization_id, pk=lease.run_id)
        .values_list("cancel_requested_at", "lease_owner")
        .first()
    )
    if row is not None:
        watch.is_cancelled = row[0] is not None
        watch.is_lost = row[1] != lease.owner


def append_steps(run: Run, steps: Sequence[StepSpec]) -> int:
    """Add steps behind those of a locked run, or at the position they ask for; return how many are new."""
    last = Step.objects.filter(run=run).aggregate(last=Max("position"))["last"]
    behind = 0 if last is None else last + 1
    rows = []
    for spec in steps:
        position = behind if spec.position is None else spec.position
        behind = max(behind, position + 1)
        rows.append(
            Step(
                organization_id=run.organization_id, run=run, name=spec.name, key=spec.key, position=position,
                is_optional=spec.optional or definition(spec.name).is_optional, input=storable(spec.input),
            )
        )  # fmt: skip
    Step.objects.bulk_create(rows, ignore_conflicts=True)
    before, run.steps_total = run.steps_total, Step.objects.filter(run=run).count()
    run.save(update_fields=["steps_total"])
    return run.steps_total - before
