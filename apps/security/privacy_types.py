"""Plain types of privacy requests and holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

SUBJECT = "security.privacy_request"
OBJECT = "privacy_request"  # in the audit trail
EXPORT, ERASURE = "privacy.export", "privacy.erase"  # kinds of runs


class RequestKind(models.TextChoices):
    """What is asked for."""

    EXPORT = "export", _("export")
    ERASURE = "erasure", _("erasure")


class RequestState(models.TextChoices):
    """Where a request is. `requested`: waits for the second administrator; `expired`: the file is deleted."""

    REQUESTED = "requested", pgettext_lazy("privacy request", "waits for approval")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")
    EXPIRED = "expired", pgettext_lazy("privacy request", "file deleted")


@dataclass(frozen=True)
class PreviewLine:
    """One kind of data in a preview: how many rows, and what becomes of them."""

    name: str
    title: str
    rows: int
    fate: str
    why: str


@dataclass(frozen=True)
class HoldView:
    """A legal hold; `target` is what is held in words."""

    id: UUID
    subject_id: UUID | None
    target_kind: str
    target_id: UUID | None
    target: str
    reason: str
    placed_by: str
    created_at: datetime
    released_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Return whether it still holds."""
        return self.released_at is None


@dataclass(frozen=True)
class Preview:
    """What an erasure would do now, and the holds that forbid it."""

    lines: tuple[PreviewLine, ...]
    holds: tuple[HoldView, ...]
    leaves_for_good: bool

    @property
    def rows(self) -> int:
        """Return how many rows that is together."""
        return sum(line.rows for line in self.lines)


@dataclass(frozen=True, kw_only=True)
class RequestView:
    """A privacy request as those who manage privacy, or its subject, see it.

    Attributes:
        subject_name: empty once the person is erased; the pseudonym stays.
        may_approve, may_cancel: of the reader, now.
        percent: of the run; None when none runs.
    """

    id: UUID
    kind: RequestKind
    state: RequestState
    subject_id: UUID | None
    subject_name: str
    pseudonym: str
    requested_by: UUID | None
    requested_by_name: str
    approved_by: UUID | None
    approved_by_name: str
    reason: str
    run_id: UUID | None
    percent: int | None
    error_code: str
    error_text: str
    preview: tuple[PreviewLine, ...]
    proof: Mapping[str, Any] = field(default_factory=dict)
    certificate: Mapping[str, Any] | None = None
    file_size_bytes: int | None = None
    expires_at: datetime | None = None
    created_at: datetime
    approved_at: datetime | None = None
    finished_at: datetime | None = None
    may_approve: bool = False
    may_cancel: bool = False
    may_retry: bool = False
    may_download: bool = False

    @property
    def is_live(self) -> bool:
        """Return whether it changes by itself."""
        return self.state == RequestState.RUNNING
