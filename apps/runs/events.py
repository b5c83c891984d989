"""Events of runs. Stream: the member who asked, or the organization for work nobody asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from apps.core.events.types import Audience, DomainEvent


@dataclass(frozen=True, kw_only=True)
class RunEvent(DomainEvent):
    """What all events of runs say."""

    audience: ClassVar[Audience] = Audience.PRINCIPAL
    run_id: UUID
    kind: str
    subject_type: str = ""
    subject_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class RunQueued(RunEvent):
    """A run waits for a worker: it is new, or failed steps are tried again."""

    type: ClassVar[str] = "run.queued"


@dataclass(frozen=True, kw_only=True)
class RunFinished(RunEvent):
    """A run is over.

    Attributes:
        state: `succeeded`, `failed` or `cancelled`.
        steps_failed: above 0 in a succeeded run, optional steps are missing.
    """

    type: ClassVar[str] = "run.finished"
    state: str
    error_code: str = ""
    steps_done: int = 0
    steps_failed: int = 0
