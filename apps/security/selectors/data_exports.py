"""Exports of conversations and organizations, as who asked for them sees them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from apps.accounts.types import Principal
from apps.core.data_exports import find_export
from apps.core.data_subjects import Person
from apps.core.errors import DomainError
from apps.runs.selectors.runs import find_runs
from apps.runs.types import RunView
from apps.security.errors import ExportNotFound
from apps.security.models import DataExport
from apps.security.types import RequestState


@dataclass(frozen=True, kw_only=True)
class ExportView:
    """An export.

    Attributes:
        percent: of the run, while it is made.
    """

    id: UUID
    kind: str
    label: str
    target_id: UUID
    name: str
    state: RequestState
    run_id: UUID | None
    percent: int | None
    error_code: str
    file_size_bytes: int | None
    expires_at: datetime | None
    created_at: datetime
    finished_at: datetime | None

    @property
    def is_live(self) -> bool:
        """It is being made."""
        return self.state == RequestState.RUNNING

    @property
    def may_download(self) -> bool:
        """There is an archive."""
        return self.state == RequestState.DONE


def own_exports(principal: Principal) -> QuerySet[DataExport]:
    """Exports the principal asked for; shown through `views`."""
    return DataExport.objects.filter(organization_id=principal.organization_id, requested_by_id=principal.id)


def newest_exports(principal: Principal, *, kind: str = "", most: int = 10) -> list[ExportView]:
    """Return the newest of them. Two queries."""
    rows = own_exports(principal)
    return views(list((rows.filter(kind=kind) if kind else rows).order_by("-pk")[:most]))


def get_export(principal: Principal, export_id: UUID) -> ExportView:
    """Return one of them.

    Raises:
        ExportNotFound.
    """
    row = own_exports(principal).filter(pk=export_id).first()
    if row is None:
        raise ExportNotFound
    return views([row])[0]


def find_archive(principal: Principal, export_id: UUID) -> str:
    """Return the key of an own archive while it lives, and while the principal may still make it.

    Raises:
        ExportNotFound.
    """
    row = own_exports(principal).filter(pk=export_id, state=RequestState.DONE).exclude(file_key="").first()
    kind = find_export(row.kind) if row else None
    if row is None or kind is None:
        raise ExportNotFound
    try:
        kind.require(principal, row.target_id)
    except DomainError as error:
        raise ExportNotFound from error
    return row.file_key


def views(rows: list[DataExport]) -> list[ExportView]:
    """Return rows as views. One query."""
    if not rows:
        return []
    runs = find_runs(
        organization_id=rows[0].organization_id, run_ids=[row.run_id for row in rows if row.run_id]
    )
    return [_view(row, runs.get(row.run_id) if row.run_id else None) for row in rows]


def export_names(principal: Principal, ids: Any) -> dict[UUID, str]:
    """Return what the exports of runs are called."""
    return dict(own_exports(principal).filter(pk__in=ids).values_list("pk", "name"))


def exports_of(person: Person) -> QuerySet[DataExport]:
    """Return the exports a person asked for."""
    return DataExport.objects.filter(organization_id=person.organization_id, requested_by_id=person.id)


def export_exports(person: Person) -> Iterator[Mapping[str, Any]]:
    """Yield them."""
    yield from exports_of(person).order_by("pk").values("id", "kind", "target_id", "state", "created_at")


def _view(row: DataExport, run: RunView | None) -> ExportView:
    kind, state = find_export(row.kind), RequestState(row.state)
    return ExportView(
        id=row.pk,
        kind=row.kind,
        label=str(kind.label) if kind else row.kind,
        target_id=row.target_id,
        name=row.name,
        state=state,
        run_id=row.run_id,
        percent=run.percent if run and state == RequestState.RUNNING else None,
        error_code=row.error_code,
        file_size_bytes=row.file_size_bytes,
        expires_at=row.expires_at,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )
