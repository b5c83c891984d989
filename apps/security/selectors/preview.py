"""What an erasure would do."""

from __future__ import annotations

from typing import Any

from apps.core.data_subjects import Fate, Person, get_subject_data, subject_data
from apps.security.types import PreviewLine


def counted(person: Person) -> list[dict[str, Any]]:
    """Return how many rows of each kind concern the person, as a request keeps it. One query or two for each kind."""
    return [{"name": data.name, "rows": data.count(person)} for data in subject_data()]


def lines(kept: list[dict[str, Any]]) -> tuple[PreviewLine, ...]:
    """Return a kept preview in words; kinds that have no rows are left out."""
    known = {data.name for data in subject_data()}
    found = []
    for line in kept:
        if not line["rows"] or line["name"] not in known:
            continue
        data = get_subject_data(line["name"])
        found.append(PreviewLine(data.name, str(data.label), line["rows"], data.fate.value, str(data.why)))
    return tuple(found)


def kept() -> tuple[PreviewLine, ...]:
    """Return what every erasure keeps, with the reasons."""
    return tuple(
        PreviewLine(data.name, str(data.label), 0, data.fate.value, str(data.why))
        for data in subject_data()
        if data.fate is Fate.KEEP
    )


def lines_of(person: Person, *, least: int, most: int) -> list[str]:
    """Return lines of what the person wrote, for the verification: asked of every kind of data that has some."""
    found: list[str] = []
    for data in subject_data():
        if data.lines is not None and len(found) < most:
            found += data.lines(person, least, most - len(found))
    return found
