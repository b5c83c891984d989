"""What the report says: exact numbers by code, and the first rows of each."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from apps.chat.models import ImportNote

MOST_ROWS = 500  # of one code in one part of the work
_BATCH = 500


class Notes:
    """Collects notes of one part of an import; `flush` at the end.

    Attributes:
        counts: how often each code came.
    """

    def __init__(self, *, organization_id: UUID, import_id: UUID, is_check: bool) -> None:
        self.counts: Counter[str] = Counter()
        self._organization_id, self._import_id, self._is_check = organization_id, import_id, is_check
        self._waiting: list[ImportNote] = []

    def add(self, code: str, place: str = "", moment: str = "", detail: str = "") -> None:
        """Note one thing; all texts are cut to what a row holds."""
        self.counts[code] += 1
        if self.counts[code] > MOST_ROWS:
            return
        self._waiting.append(
            ImportNote(
                organization_id=self._organization_id,
                history_import_id=self._import_id,
                is_check=self._is_check,
                code=code[:40],
                place=_stored(place, 100),
                moment=_stored(moment, 30),
                detail=_stored(detail, 200),
            )
        )
        if len(self._waiting) >= _BATCH:
            self.flush()

    def count(self, code: str, number: int = 1) -> None:
        """Count something that needs no row of its own."""
        self.counts[code] += number

    def flush(self) -> None:
        """Store what waits; what an earlier try stored stays once."""
        ImportNote.objects.bulk_create(self._waiting, ignore_conflicts=True)
        self._waiting = []


def _stored(text: str, limit: int) -> str:
    return "".join(char if char.isprintable() else "\ufffd" for char in text[:limit])
