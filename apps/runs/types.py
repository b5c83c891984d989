"""Plain types of runs: states, what is asked for, what others may see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

JSON = Mapping[str, Any]  # what jsonb holds; its shape belongs to the app that declared the step


class RunState(models.TextChoices):
    """Where a run is. `waiting`: nothing can be done before a retry is due."""

    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    WAITING = "waiting", _("waiting")
    SUCCEEDED = "succeeded", _("succeeded")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


class StepState(models.TextChoices):
    """Where a step is; `queued` also between two attempts."""

    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    SUCCEEDED = "succeeded", _("succeeded")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


class AttemptOutcome(models.TextChoices):
    """How one try ended. `lost`: its worker died; `interrupted`: its worker was told to stop."""

    RUNNING = "running", _("running")
    SUCCEEDED = "succeeded", _("succeeded")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")
    LOST = "lost", _("lost")
    INTERRUPTED = "interrupted", _("interrupted")


OPEN_STATES = frozenset({RunState.QUEUED, RunState.RUNNING, RunState.WAITING})
FINISHED_STATES = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED})


@dataclass(frozen=True)
class StepSpec:
    """A step somebody wants done.

    Attributes:
        name: as declared with `@step`.
        input: keyword arguments of the step function, as JSON; ids and times are given as text.
        key: tells steps of one name in one run apart, for example the page number.
        position: steps of a lower position are settled first; steps of one position do not wait for each
            other. None puts it behind everything that stands before it.
        optional: its failure is counted and shown, and does not end the run.
    """

    name: str
    input: JSON = field(default_factory=dict)
    key: str = ""
    position: int | None = None
    optional: bool = False


@dataclass(frozen=True)
class Subject:
    """The thing a run works for: its type (`documents.document`) and id."""

    type: str
    id: UUID


@dataclass(frozen=True, kw_only=True)
class RunView:
    """A run as those who may see it see it.

    Attributes:
        stage: English text key of what happens now; shown through gettext.
        steps_failed: steps that gave up; above 0 in a succeeded run, some optional steps are missing.
        progress_current, progress_total: of the running step, in the step's own unit; 0 of 0 when unknown.
    """

    id: UUID
    organization_id: UUID
    kind: str
    queue: str
    state: RunState
    principal_id: UUID | None
    member_id: UUID | None
    scope_id: UUID | None
    conversation_id: UUID | None
    subject: Subject | None
    input: JSON
    result: JSON
    error_code: str
    error_text: str
    stage: str
    progress_current: int
    progress_total: int
    steps_total: int
    steps_done: int
    steps_failed: int
    is_cancelling: bool
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    heartbeat_at: datetime | None

    @property
    def is_finished(self) -> bool:
        """Return whether nothing more will happen by itself."""
        return self.state in FINISHED_STATES

    @property
    def percent(self) -> int | None:
        """Return 0 to 100: the settled steps, or the progress of the only one; None when unknown."""
        if self.steps_total > 1:
            return round(100 * (self.steps_done + self.steps_failed) / self.steps_total)
        if self.is_finished:
            return 100
        return round(100 * self.progress_current / self.progress_total) if self.progress_total else None


@dataclass(frozen=True, kw_only=True)
class StepView:
    """A step in the details of a run."""

    id: UUID
    name: str
    key: str
    position: int
    state: StepState
    is_optional: bool
    input: JSON
    result: Any  # whatever JSON the step function returned
    progress_current: int
    progress_total: int
    attempts: int
    error_code: str
    error_text: str
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True)
class Frame:
    """One frame of a run's stream; numbers are gap-free from 1."""

    number: int
    type: str
    data: JSON
