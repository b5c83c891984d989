"""Erase the runs a person asked for."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from apps.core.data_subjects import Batch, Person
from apps.runs.models import Run, RunFrame
from apps.runs.selectors.personal import runs_of

BATCH = 500


def erase_runs_of(person: Person, _cursor: Any) -> Batch:
    """Delete the next runs of the person with steps, attempts and frames; a worker on one of them loses its lease."""
    ids = list(runs_of(person).order_by("pk").values_list("pk", flat=True)[:BATCH])
    rows = Run.objects.filter(organization_id=person.organization_id, pk__in=ids)
    rows._raw_delete(rows.db)  # noqa: SLF001 - the database cascades
    return Batch(len(ids), "more" if ids else None)


def forget_frames(*, organization_id: UUID, run_ids: Collection[UUID]) -> None:
    """Delete what runs streamed, for apps whose answers were erased."""
    RunFrame.objects.filter(organization_id=organization_id, run_id__in=list(run_ids)).delete()
