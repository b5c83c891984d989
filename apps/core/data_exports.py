"""What can be exported as a whole besides a person's own data: each kind says who may, and which parts it has.

Apps announce kinds at start-up; `security` makes the archives, keeps them for a week and hands them out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from apps.core.data_subjects import ExportFile
from apps.core.registry import AlreadyRegistered

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

Row = Mapping[str, Any] | bytes


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is exported for whom: everything in it is read with the rights that the asker has when it is read.

    Attributes:
        principal: an `accounts.Principal`; core knows no type of accounts.
    """

    organization_id: UUID
    target_id: UUID
    principal: Any


@dataclass(frozen=True, kw_only=True)
class ExportPart:
    """One part of an archive; each is made by a step of its own and read as it is written.

    Attributes:
        name: of its file: `data/<name>.jsonl`, or the file's own name of a page.
        rows: yields JSON objects, or lines of JSON as bytes.
        files: yields files with their contents.
        page: yields the pieces of one readable file.
    """

    name: str
    rows: Callable[[Wanted], Iterable[Row]] | None = None
    files: Callable[[Wanted], Iterable[ExportFile]] | None = None
    page: Callable[[Wanted], Iterator[str]] | None = None


@dataclass(frozen=True, kw_only=True)
class ExportKind:
    """Something that can be exported.

    Attributes:
        require: (principal, target) raises a `DomainError` where the principal may not.
        name: (principal, target) returns what it is called; empty where the principal does not see it.
        parts: returns the parts, in the order they are made.
        note: one English sentence in the manifest about what is in it.
    """

    key: str
    label: str | _StrPromise
    require: Callable[[Any, UUID], None]
    name: Callable[[Any, UUID], str]
    parts: Callable[[], Sequence[ExportPart]]
    note: str


_kinds: dict[str, ExportKind] = {}
_added: dict[str, list[ExportPart]] = {}


def register_export(kind: ExportKind) -> None:
    """Announce a kind.

    Raises:
        AlreadyRegistered.
    """
    if _kinds.setdefault(kind.key, kind) is not kind:
        raise AlreadyRegistered(kind.key)


def add_export_part(kind: str, part: ExportPart) -> None:
    """Add a part to a kind of another app, which is below or loaded later."""
    _added.setdefault(kind, []).append(part)


def added_parts(kind: str) -> list[ExportPart]:
    """Return the parts that other apps added."""
    return list(_added.get(kind, ()))


def find_export(key: str) -> ExportKind | None:
    """Return a kind, or None where no app announces it."""
    return _kinds.get(key)
