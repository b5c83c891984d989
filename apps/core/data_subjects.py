"""The data-subject registry: what the house holds about a person, and how it is counted, exported, erased or kept.

Every app announces its part in its `privacy.py`, loaded at start-up. A test reads the database's catalogue and fails
for a table, or a column that names a person, that nobody announced. `security` runs exports and erasures over it.
"""

from __future__ import annotations

import enum
import html
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_noop

from apps.core.registry import AlreadyRegistered

Text = str | Promise
ERASED_NAME = gettext_noop("Erased person")


class Fate(enum.Enum):
    """What an erasure does with data."""

    DELETE = "delete"
    ANONYMIZE = "anonymize"  # the row stays, for the placeholder or for nobody; its words go
    KEEP = "keep"  # with a reason


@dataclass(frozen=True, kw_only=True)
class Person:
    """Whose data, in one organization.

    Attributes:
        placeholder_id, placeholder_member_id: who stands where the person stood; the same for all erased people of
            the organization, so that nothing links what they left.
        leaves_for_good: no other organization has a seat for the person, so the account itself goes too.
    """

    organization_id: UUID
    id: UUID
    member_id: UUID
    name: str
    email: str
    placeholder_id: UUID
    placeholder_member_id: UUID
    leaves_for_good: bool


@dataclass(frozen=True)
class Batch:
    """A part of an erasure: how many rows were settled, and where to go on; None means that nothing is left."""

    rows: int
    cursor: Any = None  # belongs to the handler that made it; starting anew from None is always right


@dataclass(frozen=True)
class ExportFile:
    """A file of an export."""

    name: str
    open: Callable[[], BinaryIO]


Count = Callable[[Person], int]
Export = Callable[[Person], Iterable[Mapping[str, Any]]]
Files = Callable[[Person], Iterable[ExportFile]]
Erase = Callable[[Person, Any], Batch]
Lines = Callable[[Person, int, int], list[str]]


@dataclass(frozen=True, kw_only=True)
class SubjectData:
    """One kind of data about a person.

    Attributes:
        name: `app.what`, the name of its file in an export.
        why: what is done with it; for what is kept, the reason.
        order: of erasing. What needs other data to be found goes before it.
        links: columns (`table.column`) that name a person.
        shared: columns that also hold words of other people, where a name may rightly remain.
        sealed: columns of rows that nobody can change, where an id remains, though nothing says any more whose it is;
            `why` says the reason.
        count: how many rows concern the person.
        export: yields rows as JSON; only what is the person's own.
        erase: settles one batch in the caller's transaction; twice is harmless.
        lines: (person, least length, most) returns lines of the person's texts; the verification looks for their
            hashes.
    """

    name: str
    label: Text
    fate: Fate
    why: Text
    order: int
    links: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    sealed: tuple[str, ...] = ()
    count: Count
    export: Export | None = None
    files: Files | None = None
    erase: Erase | None = None
    lines: Lines | None = None


@dataclass(frozen=True)
class HoldTarget:
    """Something besides a person that a legal hold may name.

    Attributes:
        concerned: which of these hold data of the person.
        names: what they are called; those that do not exist are absent.
        listed: all of an organization that can be chosen, by id.
    """

    kind: str
    concerned: Callable[[Person], Collection[UUID]]
    names: Callable[[UUID, Collection[UUID]], Mapping[UUID, str]]
    listed: Callable[[UUID], Mapping[UUID, str]]


_data: dict[str, SubjectData] = {}
_impersonal: dict[str, str] = {}
_targets: dict[str, HoldTarget] = {}


def register_subject_data(data: SubjectData) -> None:
    """Announce one kind of data.

    Raises:
        AlreadyRegistered.
    """
    if _data.setdefault(data.name, data) is not data:
        raise AlreadyRegistered(data.name)


def register_impersonal(reason: str, *tables: str) -> None:
    """Say that these tables hold nothing about a person, and why."""
    _impersonal.update(dict.fromkeys(tables, reason))


def register_hold_target(target: HoldTarget) -> None:
    """Announce something that a legal hold may name."""
    if _targets.setdefault(target.kind, target) is not target:
        raise AlreadyRegistered(target.kind)


def subject_data() -> list[SubjectData]:
    """Return all kinds of data in the order of erasing."""
    return sorted(_data.values(), key=lambda data: (data.order, data.name))


def get_subject_data(name: str) -> SubjectData:
    """Return one kind of data; KeyError for a name nobody announced."""
    return _data[name]


def impersonal_tables() -> Mapping[str, str]:
    """Return the tables without data about people, with the reasons."""
    return dict(_impersonal)


def hold_targets() -> Mapping[str, HoldTarget]:
    """Return what a hold may name, by kind."""
    return dict(_targets)


@contextmanager
def without(name: str) -> Iterator[None]:
    """Leave one kind of data out while the block lasts: for tests that show what its absence does."""
    left_out = _data.pop(name)
    try:
        yield
    finally:
        _data[name] = left_out


def forget_mentions(text: str, person: Person) -> str:
    """Return a text or its HTML in which the person is no longer mentioned by name or id."""
    name, escaped = re.escape(person.name), re.escape(html.escape(person.name))
    text = re.sub(
        rf'<span class="mention" data-principal="{person.id}">@[^<]*</span>',
        f'<span class="mention">@{ERASED_NAME}</span>',
        text,
    )
    text = re.sub(
        rf"@\*\*(?:{name}|{escaped})(?:\|{person.id})?\*\*", f"@{ERASED_NAME}", text, flags=re.IGNORECASE
    )
    text = re.sub(rf"(?<!\w)@(?:{name}|{escaped})(?![\w\-])", f"@{ERASED_NAME}", text, flags=re.IGNORECASE)
    return text.replace(str(person.id), str(person.placeholder_id))
