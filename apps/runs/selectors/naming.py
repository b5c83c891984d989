"""What runs and their subjects are called: told at start by the apps that own them, for lists of runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from apps.accounts.types import Principal
from apps.runs.types import RunView

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

Names = Callable[[Principal, Collection[UUID]], Mapping[UUID, str]]

_kinds: dict[str, str | _StrPromise] = {}
_subjects: dict[str, Names] = {}


def register_kind(kind: str, label: str | _StrPromise) -> None:
    """Say what a kind of run is called."""
    _kinds[kind] = label


def register_subjects(subject_type: str, names: Names) -> None:
    """Say how subjects of a type are called; `names` leaves out those the reader may not see."""
    _subjects[subject_type] = names


def kind_label(kind: str) -> str:
    """Return what a kind is called; its own name where no app said so."""
    return str(_kinds.get(kind, kind))


def subject_names(principal: Principal, runs: Iterable[RunView]) -> dict[UUID, str]:
    """Return the names of the runs' subjects the reader may see. One query a type that somebody names."""
    wanted: dict[str, set[UUID]] = {}
    for run in runs:
        if run.subject is not None and run.subject.type in _subjects:
            wanted.setdefault(run.subject.type, set()).add(run.subject.id)
    found: dict[UUID, str] = {}
    for subject_type, ids in wanted.items():
        found |= _subjects[subject_type](principal, ids)
    return found
