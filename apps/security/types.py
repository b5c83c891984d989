"""Plain types of security: entries and what a verification found; privacy requests and holds."""

from __future__ import annotations

import enum
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
EXPORT_SUBJECT, DATA_EXPORT = "security.data_export", "exports.make"


class Problem(enum.StrEnum):
    """What may be wrong with a trail. A word here is in rows and stays."""

    CHANGED = "changed"  # the content is not what the product sealed: edited, or written without the key
    MOVED = "moved"  # the content is genuine, its number, time or neighbour is not
    REMOVED = "removed"  # a number is missing
    INSERTED = "inserted"  # a number or an entry is there twice, or stands behind the head
    CUT = "cut"  # the end is missing
    REWRITTEN = "rewritten"  # the chain holds in itself, but is not the one that was anchored
    EMPTIED = "emptied"  # personal values are gone without an erasure
    ANCHORS = "anchors"  # the anchor files themselves are broken or incomplete


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        chain: organization; all zeros for the installation's own; None for the anchor files.
        number: in the chain, or the line of an anchor file; None where there is none.
        text: one English sentence for people.
    """

    problem: Problem
    chain: UUID | None
    number: int | None
    text: str

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "problem": self.problem.value,
            "chain": None if self.chain is None else str(self.chain),
            "number": self.number,
            "text": self.text,
        }


@dataclass
class ChainReport:
    """What a look at one chain gave.

    Attributes:
        entries: chained ones that were read.
        waiting: not yet chained.
        anchors: anchors that were compared.
        last_anchor: number the newest of them stands for; what follows it is protected by the chain alone.
        emptied: personal values that an erasure took.
        more: findings beyond those that are kept.
    """

    chain: UUID
    entries: int = 0
    waiting: int = 0
    head: int = 0
    anchors: int = 0
    last_anchor: int = 0
    emptied: int = 0
    more: int = 0
    findings: list[Finding] = field(default_factory=list)

    MOST = 100

    @property
    def is_intact(self) -> bool:
        """Nothing is wrong."""
        return not self.findings

    def add(self, problem: Problem, number: int | None, text: str) -> None:
        """Keep a finding; a chain with very many of them is counted."""
        if len(self.findings) < self.MOST:
            self.findings.append(Finding(problem, self.chain, number, text))
        else:
            self.more += 1


@dataclass(frozen=True)
class Anchor:
    """One line of an anchor file whose signature holds."""

    file: str
    line: int
    at: datetime
    chain: UUID
    number: int
    hash: str


@dataclass
class AnchorReport:
    """The anchor files: every signed line, and what is wrong.

    Attributes:
        hashes: sha256 of each line, by its number.
        set_id: which series of files it is; a new directory begins a new one.
    """

    anchors: list[Anchor] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    hashes: dict[int, str] = field(default_factory=dict)
    set_id: str = ""
    last_line: int = 0
    last_hash: str = ""

    def of(self, chain: UUID) -> list[Anchor]:
        """Return the anchors of a chain in their order."""
        return [anchor for anchor in self.anchors if anchor.chain == chain]


class ChainState(enum.StrEnum):
    """How an organization's trail is doing, for a badge."""

    EMPTY = "empty"
    WHOLE = "whole"  # verified and found whole
    UNVERIFIED = "unverified"  # chained, never verified
    LATE = "late"  # entries wait for longer than the relay should need
    BROKEN = "broken"  # the last verification found something


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What a reader of the trail looks for; empty finds everything.

    Attributes:
        people: any of them as actor, asker or object; None does not ask.
        typed: a name or e-mail as it stands in entries about people without an account.
        action: a whole act, or its first part such as `member`.
        object_id: exactly.
        since, until: half open.
    """

    people: tuple[UUID, ...] | None = None
    typed: str = ""
    action: str = ""
    object_type: str = ""
    object_id: str = ""
    outcome: str = ""
    request_id: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class EntryView:
    """An entry as a reader with the right sees it."""

    key: UUID
    number: int | None
    created_at: datetime
    action: str
    label: str
    outcome: str
    actor_id: UUID | None
    actor: str
    on_behalf_of: UUID | None
    asker: str
    object_type: str
    object_id: str
    object: str
    request_id: str
    session: str
    address: str | None
    person: str | None
    details: dict[str, Any]
    hash: str | None
    chained_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class TrailState:
    """An organization's trail in numbers.

    Attributes:
        head: number of the newest chained entry.
        oldest_seconds: how long the oldest waiting entry waits.
    """

    state: ChainState
    head: int
    waiting: int
    oldest_seconds: float
    checked_at: datetime | None
    findings: list[dict[str, Any]]
    findings_total: int
    last_anchor: int


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
