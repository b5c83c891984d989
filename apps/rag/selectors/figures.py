"""Figures of search for metrics; over all organizations."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

# By a function that shows no organization's check.
_RECALL = """
SELECT mean, lowest, greatest(0, extract(epoch FROM now() - checked_at))::float8 FROM rag_recall_figures()
WHERE mean IS NOT NULL
"""


@dataclass(frozen=True)
class RecallFigures:
    """Shares of the latest checks of all organizations; `age_seconds` is that of the newest."""

    mean: float
    lowest: float
    age_seconds: float


def find_recall_figures() -> RecallFigures | None:
    """Return how much the index finds, None where nothing was measured. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_RECALL)
        row = cursor.fetchone()
    return None if row is None else RecallFigures(*row)
