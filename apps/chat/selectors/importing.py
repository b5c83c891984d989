"""Imports as those who may import see them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from apps.accounts.services import access
from apps.accounts.types import Principal
from apps.chat.import_errors import ImportNotFound
from apps.chat.models import HistoryImport, ImportNote
from apps.chat.types import MAY_GO_ON, OPEN_IMPORTS, ImportState
from apps.runs.selectors.runs import find_runs
from apps.runs.types import RunView

RIGHTS = ("member.manage", "conversation.manage_any")  # it brings in people and conversations
KEPT = timedelta(days=30)  # the archive of an import that nobody confirms


@dataclass(frozen=True, kw_only=True)
class ImportView:
    """An import.

    Attributes:
        report: what its archive holds; empty before it was looked through.
        result: what was stored; empty before it is done.
        percent, stage: of the run, while one is at work.
    """

    id: UUID
    kind: str
    state: ImportState
    file_name: str
    fetches_files: bool
    run_id: UUID | None
    percent: int | None
    stage: str
    report: dict[str, Any]
    result: dict[str, Any]
    error_code: str
    error_text: str
    created_at: datetime
    confirmed_at: datetime | None
    finished_at: datetime | None

    @property
    def is_live(self) -> bool:
        """Something is at work."""
        return self.state in OPEN_IMPORTS

    @property
    def oldest(self) -> datetime | None:
        """When the first message of the archive was written."""
        return _time(self.report.get("oldest"))

    @property
    def newest(self) -> datetime | None:
        """When the last one was."""
        return _time(self.report.get("newest"))

    @property
    def notes(self) -> dict[str, int]:
        """What is left out or kept differently, by code: as it was stored, else as it was found."""
        found: dict[str, int] = {**self.report.get("notes", {}), **self.result.get("notes", {})}
        return dict(sorted(found.items(), key=lambda one: -one[1]))

    @property
    def may_confirm(self) -> bool:
        """It can be stored, or gone on with."""
        return self.state in MAY_GO_ON and bool(self.report)


def list_imports(principal: Principal, *, most: int = 50) -> list[ImportView]:
    """Return the newest imports. Two queries.

    Raises:
        PermissionMissing.
    """
    _require(principal)
    rows = HistoryImport.objects.filter(organization_id=principal.organization_id)
    return _views(list(rows.order_by("-pk")[:most]))


def get_import(principal: Principal, import_id: UUID) -> ImportView:
    """Return one import. Two queries.

    Raises:
        PermissionMissing, ImportNotFound.
    """
    _require(principal)
    row = HistoryImport.objects.filter(organization_id=principal.organization_id, pk=import_id).first()
    if row is None:
        raise ImportNotFound
    return _views([row])[0]


def notes_of(principal: Principal, import_id: UUID) -> Iterator[dict[str, Any]]:
    """Yield the rows of an import's report, by code.

    Raises:
        PermissionMissing, ImportNotFound.
    """
    get_import(principal, import_id)
    rows = ImportNote.objects.filter(organization_id=principal.organization_id, history_import_id=import_id)
    return (
        {
            "part": "check" if row.is_check else "import",
            "code": row.code,
            "place": row.place,
            "moment": row.moment,
            "detail": row.detail,
        }
        for row in rows.order_by("-is_check", "code", "place", "moment", "pk")
    )


def report_lines(principal: Principal, import_id: UUID) -> bytes:
    """Return the rows of an import's report as JSON lines; at most some hundred of each code and conversation.

    Raises:
        PermissionMissing, ImportNotFound.
    """
    return b"".join(
        orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in notes_of(principal, import_id)
    )


def import_names(principal: Principal, ids: Any) -> dict[UUID, str]:
    """Return what the imports of runs are called, for who may see them."""
    if not all(access.can(principal, right) for right in RIGHTS):
        return {}
    rows = HistoryImport.objects.filter(organization_id=principal.organization_id, pk__in=ids)
    return dict(rows.values_list("pk", "file_name"))


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _require(principal: Principal) -> None:
    for right in RIGHTS:
        access.require(principal, right)


def _views(rows: list[HistoryImport]) -> list[ImportView]:
    if not rows:
        return []
    runs = find_runs(
        organization_id=rows[0].organization_id, run_ids=[row.run_id for row in rows if row.run_id]
    )
    return [_view(row, runs.get(row.run_id) if row.run_id else None) for row in rows]


def _view(row: HistoryImport, run: RunView | None) -> ImportView:
    state = ImportState(row.state)
    is_live = run is not None and state in OPEN_IMPORTS
    return ImportView(
        id=row.pk,
        kind=row.kind,
        state=state,
        file_name=row.file_name,
        fetches_files=row.fetches_files,
        run_id=row.run_id,
        percent=run.percent if run and is_live else None,
        stage=run.stage if run and is_live else "",
        report=row.report,
        result=row.result,
        error_code=row.error_code,
        error_text=run.error_text if run and state == ImportState.FAILED else "",
        created_at=row.created_at,
        confirmed_at=row.confirmed_at,
        finished_at=row.finished_at,
    )
