"""The runs a person asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import QuerySet

from apps.core.data_subjects import Person
from apps.runs.models import Run


def runs_of(person: Person) -> QuerySet[Run]:
    """Return the person's runs."""
    return Run.objects.filter(organization_id=person.organization_id, principal_id=person.id)


def export_runs(person: Person) -> Iterator[Mapping[str, Any]]:
    """Yield the person's runs; what they made is exported where it lies."""
    yield from (
        runs_of(person)
        .order_by("pk")
        .values(
            "id", "kind", "state", "subject_type", "subject_id", "created_at", "finished_at", "error_code"
        )
    )
