"""Imports of Slack exports: looked through, confirmed, stored by a run that goes on after a kill, or given up."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from apps.accounts.services import access, trail
from apps.accounts.types import Principal
from apps.chat import actions
from apps.chat.import_errors import (
    ImportAtWork,
    ImportNotFound,
    ImportNotReady,
    NoImportFile,
    SlackExportRefused,
)
from apps.chat.models import HistoryImport, ImportedPerson, ImportNote
from apps.chat.selectors.importing import KEPT, RIGHTS
from apps.chat.services.slack import export as exports
from apps.chat.services.slack import history
from apps.chat.services.slack.cast import Cast, addresses_of, members_among
from apps.chat.services.slack.export import SlackExport
from apps.chat.services.slack.history import Counts, Task
from apps.chat.services.slack.notes import Notes
from apps.chat.services.slack.survey import survey
from apps.chat.types import MAY_GO_ON, OPEN_IMPORTS, ImportState
from apps.files.selectors.files import find_file
from apps.files.services import access as file_access
from apps.files.services.locks import lock
from apps.files.services.removal import remove_unused
from apps.runs.services.runs import cancel_as_house, start_run
from apps.runs.types import StepSpec, Subject

CHECK, IMPORT = "chat.slack_check", "chat.slack_import"
SUBJECT = "chat.history_import"


def start_check(*, principal: Principal, file_id: UUID) -> UUID:
    """Look through an uploaded export; return the import's id. Nothing is stored before it is confirmed.

    Raises:
        PermissionMissing, NoImportFile, ImportAtWork.
    """
    require_importer(principal)
    file = find_file(organization_id=principal.organization_id, file_id=file_id)
    if file is None or file.uploader_id != principal.id or not file.is_ready:
        raise NoImportFile
    with transaction.atomic():
        lock("chat.imports", principal.organization_id)
        if _rows(principal).filter(state__in=OPEN_IMPORTS).exists():
            raise ImportAtWork
        row = HistoryImport.objects.create(
            organization_id=principal.organization_id,
            file_id=file_id,
            file_name=file.name,
            requested_by_id=principal.id,
        )
        file_access.keep(file_ids=[file_id], until=timezone.now() + KEPT)
        _start(row, CHECK, principal, [StepSpec("chat.survey_slack", {"import_id": row.pk})])
        trail.note(principal, actions.IMPORT_CHECKED, "history_import", row.pk)
    return row.pk


def confirm(*, principal: Principal, import_id: UUID, fetches_files: bool = False) -> None:
    """Store what was looked through; also goes on with what failed or was stopped.

    Raises:
        PermissionMissing, ImportNotFound, ImportNotReady, ImportAtWork.
    """
    require_importer(principal)
    with transaction.atomic():
        lock("chat.imports", principal.organization_id)
        row = _lock(principal, import_id)
        if row.state not in MAY_GO_ON or not row.report or row.file_id is None:
            raise ImportNotReady
        if _rows(principal).filter(state__in=OPEN_IMPORTS).exists():
            raise ImportAtWork
        row.state, row.error_code, row.finished_at = ImportState.RUNNING, "", None
        row.fetches_files, row.confirmed_at = fetches_files, timezone.now()
        row.requested_by_id = principal.id
        file_access.keep(file_ids=[row.file_id], until=timezone.now() + KEPT)
        _start(row, IMPORT, principal, [StepSpec("chat.plan_slack", {"import_id": row.pk})])
        trail.note(principal, actions.IMPORT_CONFIRMED, "history_import", row.pk, fetches_files=fetches_files)


def stop(*, principal: Principal, import_id: UUID) -> None:
    """Stop what is at work; what was stored stays, and confirming again goes on from there.

    Raises:
        PermissionMissing, ImportNotFound.
    """
    require_importer(principal)
    with transaction.atomic():
        row = _lock(principal, import_id)
        if row.state in OPEN_IMPORTS and row.run_id is not None:
            cancel_as_house(run_id=row.run_id)
            trail.note(principal, actions.IMPORT_STOPPED, "history_import", row.pk)


def discard(*, principal: Principal, import_id: UUID) -> None:
    """Forget an import and delete its archive; what it stored stays.

    Raises:
        PermissionMissing, ImportNotFound, ImportAtWork.
    """
    require_importer(principal)
    with transaction.atomic():
        row = _lock(principal, import_id)
        if row.state in OPEN_IMPORTS:
            raise ImportAtWork
        _drop_file(row)
        trail.note(principal, actions.IMPORT_DISCARDED, "history_import", row.pk)
        row.delete()


def require_importer(principal: Principal) -> None:
    """Refuse who may not bring in people and conversations.

    Raises:
        PermissionMissing.
    """
    for right in RIGHTS:
        access.require(principal, right)


# What the steps of the runs do. The organization is open; the runs' rows know who asked.


def check(*, organization_id: UUID, import_id: UUID, beat: Any) -> dict[str, int]:
    """Write the report of an import, or why its file is refused."""
    row = _working(organization_id, import_id, ImportState.CHECKING)
    notes = Notes(organization_id=organization_id, import_id=import_id, is_check=True)
    try:
        with exports.opened(organization_id=organization_id, file_id=row.file_id, notes=notes) as found:
            source, report = found.source, survey(found, notes, beat=beat)
    except SlackExportRefused as error:
        _settle(row, ImportState.REFUSED, error_code=error.reason, finished_at=timezone.now())
        return {}
    _settle(row, ImportState.READY, source=source, report=report)
    return {"messages": report["messages"]}


def opened_export(*, organization_id: UUID, import_id: UUID) -> AbstractContextManager[SlackExport]:
    """Open the export of an import that is at work."""
    row = _working(organization_id, import_id, ImportState.RUNNING)
    return exports.opened(organization_id=organization_id, file_id=row.file_id)


def cast_of(*, organization_id: UUID, import_id: UUID) -> Cast:
    """Return who is who in an import that is at work; found once for all its conversations."""
    row = _working(organization_id, import_id, ImportState.RUNNING)
    return Cast(organization_id=organization_id, source=row.source, actor_id=_actor(row))


def store_people(
    export: SlackExport, cast: Cast, *, organization_id: UUID, import_id: UUID, beat: Any
) -> int:
    """Find or make everybody of the export; return how many there are."""
    row = _working(organization_id, import_id, ImportState.RUNNING)
    if export.source != row.source:
        raise ImportNotReady
    wanted = [person for person in export.people.values() if cast.find(person.id) is None]
    addresses = addresses_of(wanted)
    members = members_among(addresses.values())
    for number, person in enumerate(wanted):
        address = addresses.get(person.id, "")
        cast.add(person, address, members.get(address))
        beat(number + 1, len(wanted))
    return len(export.people)


def store_place(
    export: SlackExport, cast: Cast, *, organization_id: UUID, import_id: UUID, place_id: str, beat: Any
) -> Counts:
    """Store one conversation."""
    row = _working(organization_id, import_id, ImportState.RUNNING)
    task = Task(
        export=export,
        organization_id=organization_id,
        actor_id=_actor(row),
        source=row.source,
        fetches_files=row.fetches_files,
        cast=cast,
        notes=Notes(organization_id=organization_id, import_id=import_id, is_check=False),
    )
    return history.import_place(export.places[place_id], task, beat=beat)


def finish(*, organization_id: UUID, import_id: UUID, done: list[dict[str, Any]]) -> dict[str, Any]:
    """Write what was stored, and delete the archive: it holds what everybody wrote."""
    row = _working(organization_id, import_id, ImportState.RUNNING)
    result: dict[str, Any] = {
        "people": ImportedPerson.objects.filter(organization_id=organization_id, source=row.source).count(),
        "conversations": len(done),
        "messages": sum(one["messages"] for one in done),
        "files": sum(one["files"] for one in done),
        "pins": sum(one["pins"] for one in done),
        "bookmarks": sum(one["bookmarks"] for one in done),
        "notes": {},
    }
    for one in done:
        for code, number in one["notes"].items():
            result["notes"][code] = result["notes"].get(code, 0) + number
    for code, number in _noted(row):  # a try that was killed left its rows, not its numbers
        result["notes"][code] = max(number, result["notes"].get(code, 0))
    with transaction.atomic():
        _drop_file(row)
        _settle(row, ImportState.DONE, result=result, file_id=None, finished_at=timezone.now())
    return result


def settle_end(*, organization_id: UUID, import_id: UUID, state: ImportState, error_code: str) -> None:
    """Note that the run of an import failed or was stopped."""
    HistoryImport.objects.filter(
        organization_id=organization_id, pk=import_id, state__in=OPEN_IMPORTS
    ).update(state=state, error_code=error_code, finished_at=timezone.now())


def _start(row: HistoryImport, kind: str, principal: Principal, steps: list[StepSpec]) -> None:
    run = start_run(
        kind=kind, principal=principal, steps=steps, queue="ingest", subject=Subject(SUBJECT, row.pk)
    )
    row.run_id = run.id
    row.save()


def _rows(principal: Principal) -> Any:
    return HistoryImport.objects.filter(organization_id=principal.organization_id)


def _lock(principal: Principal, import_id: UUID) -> HistoryImport:
    row: HistoryImport | None = _rows(principal).select_for_update(no_key=True).filter(pk=import_id).first()
    if row is None:
        raise ImportNotFound
    return row


def _working(organization_id: UUID, import_id: UUID, state: ImportState) -> HistoryImport:
    """Return an import that is being worked on; a run that is tried again may find it failed or stopped."""
    states = {state, ImportState.FAILED, ImportState.CANCELLED}
    row = HistoryImport.objects.filter(
        organization_id=organization_id, pk=import_id, state__in=states
    ).first()
    if row is None:
        raise ImportNotFound
    if row.state != state:
        _settle(row, state, error_code="", finished_at=None)
    return row


def _settle(row: HistoryImport, state: ImportState, **fields: Any) -> None:
    row.state = state
    for name, value in fields.items():
        setattr(row, name, value)
    row.save(update_fields=["state", *fields])


def _actor(row: HistoryImport) -> UUID:
    if row.requested_by_id is None:
        raise ImportNotReady  # who asked was erased meanwhile
    return row.requested_by_id


def _noted(row: HistoryImport) -> list[tuple[str, int]]:
    rows = ImportNote.objects.filter(
        organization_id=row.organization_id, history_import_id=row.pk, is_check=False
    )
    return list(rows.values("code").annotate(number=Count("pk")).values_list("code", "number"))


def _drop_file(row: HistoryImport) -> None:
    if row.file_id is not None:
        file_access.keep(file_ids=[row.file_id], until=row.created_at)
        remove_unused(file_ids=[row.file_id])
        row.file_id = None
