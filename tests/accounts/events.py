"""What was announced, for assertions."""

from __future__ import annotations

from typing import Any

from apps.core.models import Event
from tests.walls import everywhere


def recorded(*types: str) -> list[tuple[str, dict[str, Any]]]:
    """Return (type, payload) of the stored events of these types, oldest first; of all without a type."""
    rows = Event.objects.order_by("id")
    with everywhere():
        return [(row.type, row.payload) for row in (rows.filter(type__in=types) if types else rows)]
