"""Export a conversation or an organization: as a run, part by part, for a week. What a person's export uses, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts.errors import MemberNotFound
from apps.accounts.selectors.principals import principal_of_member
from apps.accounts.services.trail import note
from apps.accounts.types import Principal
from apps.core.data_exports import ExportKind, Wanted, find_export
from apps.core.data_subjects import Batch, Person
from apps.core.errors import DomainError
from apps.runs.services.runs import cancel_as_house, start_run
from apps.runs.types import StepSpec, Subject
from apps.security import actions
from apps.security.errors import ExportNotFound, NothingToExport
from apps.security.models import DataExport
from apps.security.selectors.data_exports import exports_of
from apps.security.services import archive
from apps.security.services.exporting import KEPT
from apps.security.types import DATA_EXPORT, EXPORT_SUBJECT, RequestState


def start(*, principal: Principal, kind: str, target_id: UUID) -> UUID:
    """Start an export; return its id. Asking again while one is made returns that one.

    Raises:
        NothingToExport: nobody announces the kind; and what the kind itself refuses.
    """
    wanted = _kind(kind)
    wanted.require(principal, target_id)
    asked = {"requested_by_id": principal.id, "kind": kind, "target_id": target_id}
    with transaction.atomic():
        row, is_new = DataExport.objects.get_or_create(
            organization_id=principal.organization_id,
            state=RequestState.RUNNING,
            **asked,
            defaults={"name": wanted.name(principal, target_id)[:200]},
        )
        if not is_new:
            return row.pk
        parts = [
            StepSpec(
                "exports.write_part", {"export_id": row.pk, "part": part.name}, key=part.name, position=0
            )
            for part in wanted.parts()
        ]
        run = start_run(
            kind=DATA_EXPORT,
            principal=principal,
            steps=[*parts, StepSpec("exports.pack", {"export_id": row.pk}, position=1)],
            subject=Subject(EXPORT_SUBJECT, row.pk),
        )
        DataExport.objects.filter(pk=row.pk).update(run_id=run.id)
        note(principal, actions.DATA_EXPORT_STARTED, kind, target_id, export=row.pk)
    return row.pk


def write_part(*, organization_id: UUID, export_id: UUID, part: str, check: Callable[[], object]) -> int:
    """Write one part with the rights its asker has now; return how many rows or files."""
    row = _running(organization_id=organization_id, export_id=export_id)
    kind = _kind(row.kind)
    wanted = Wanted(organization_id=organization_id, target_id=row.target_id, principal=_asker(row, kind))
    made = next(one for one in kind.parts() if one.name == part)
    done = 0
    if made.rows is not None:
        with transaction.atomic():  # rows may come by a cursor on the server, so that memory stays small
            done += archive.write_rows(request_id=export_id, name=part, rows=made.rows(wanted), check=check)
    if made.page is not None:
        archive.write_page(request_id=export_id, name=part, pieces=made.page(wanted), check=check)
    if made.files is not None:
        done += archive.write_files(request_id=export_id, files=made.files(wanted), check=check)
    return done


def pack(*, organization_id: UUID, export_id: UUID) -> int:
    """Make the archive and let it be fetched for a week; return its size in bytes. Twice makes one."""
    row = _running(organization_id=organization_id, export_id=export_id)
    kind, now = _kind(row.kind), timezone.now()
    _asker(row, kind)
    about = {
        "format": "chatsystem-export-1",
        "kind": row.kind,
        "organization": organization_id,
        "target": row.target_id,
        "name": row.name,
        "made_at": now,
        "note": kind.note,
    }
    key, size = archive.pack(organization_id=organization_id, request_id=export_id, about=about)
    DataExport.objects.filter(pk=row.pk, state=RequestState.RUNNING).update(
        state=RequestState.DONE, file_key=key, file_size_bytes=size, expires_at=now + KEPT, finished_at=now
    )
    return size


def cancel(*, principal: Principal, export_id: UUID) -> None:
    """Stop an own export.

    Raises:
        ExportNotFound: missing, or another's.
    """
    row = DataExport.objects.filter(
        organization_id=principal.organization_id, requested_by_id=principal.id, pk=export_id
    ).first()
    if row is None:
        raise ExportNotFound
    if row.state == RequestState.RUNNING and row.run_id is not None:
        cancel_as_house(run_id=row.run_id)


def settle(*, organization_id: UUID, export_id: UUID, state: RequestState, error_code: str) -> None:
    """Note that the run of an export failed or was stopped; its parts go."""
    changed = DataExport.objects.filter(
        organization_id=organization_id, pk=export_id, state=RequestState.RUNNING
    ).update(state=state, error_code=error_code, finished_at=timezone.now())
    if changed:
        transaction.on_commit(lambda: archive.remove_parts(export_id))


def note_fetched(principal: Principal, export_id: UUID) -> None:
    """Write into the trail that an archive was handed out."""
    row = DataExport.objects.get(organization_id=principal.organization_id, pk=export_id)
    with transaction.atomic():
        note(principal, actions.DATA_EXPORT_FETCHED, row.kind, row.target_id, export=row.pk)


def expire(*, organization_id: UUID) -> int:
    """Delete the archives whose week is over; return how many."""
    old = DataExport.objects.filter(organization_id=organization_id, expires_at__lte=timezone.now())
    rows = list(old.exclude(file_key="").values_list("pk", "file_key"))
    for pk, key in rows:
        archive.remove_archive(key)
        DataExport.objects.filter(pk=pk).update(state=RequestState.EXPIRED, file_key="", expires_at=None)
    return len(rows)


def forget_exports_of(person: Person, _cursor: Any) -> Batch:
    """Delete the exports a person asked for, with their files."""
    rows = list(exports_of(person))
    for row in rows:
        if row.file_key:
            archive.remove_archive(row.file_key)
        archive.remove_parts(row.pk)
        row.delete()
    return Batch(len(rows))


def _kind(key: str) -> ExportKind:
    kind = find_export(key)
    if kind is None:
        raise NothingToExport
    return kind


def _running(*, organization_id: UUID, export_id: UUID) -> DataExport:
    row = DataExport.objects.filter(
        organization_id=organization_id, pk=export_id, state=RequestState.RUNNING
    ).first()
    if row is None:
        raise ExportNotFound
    return row


def _asker(row: DataExport, kind: ExportKind) -> Principal:
    """Return who asked, as it may act now; whoever lost the right gets nothing.

    Raises:
        NothingToExport.
    """
    try:
        principal = principal_of_member(organization_id=row.organization_id, user_id=row.requested_by_id)
        kind.require(principal, row.target_id)
    except (MemberNotFound, DomainError) as error:
        raise NothingToExport from error
    return principal
