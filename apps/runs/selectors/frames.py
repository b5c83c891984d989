"""The stream of a run, for readers who come back."""

from __future__ import annotations

from uuid import UUID

from apps.runs.models import RunFrame
from apps.runs.types import Frame

PAGE = 500


def after(*, organization_id: UUID, run_id: UUID, number: int, limit: int = PAGE) -> list[Frame]:
    """Return stored frames after a number, oldest first; the caller has checked who may see the run."""
    rows = RunFrame.objects.filter(organization_id=organization_id, run_id=run_id, number__gt=number)
    return [Frame(*row) for row in rows.order_by("number").values_list("number", "type", "data")[:limit]]
