"""Export a person: everything that is theirs and nothing else, as a run, readable by machines, for a week."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts.services.access import require
from apps.accounts.services.erasing import require_erasable
from apps.accounts.services.trail import note
from apps.accounts.types import Principal
from apps.core.data_subjects import get_subject_data, subject_data
from apps.runs.services.runs import start_run
from apps.runs.types import StepSpec, Subject
from apps.security import actions
from apps.security.errors import AlreadyRequested, RequestNotFound, SubjectNotFound
from apps.security.models import PrivacyRequest
from apps.security.services import archive, suppression
from apps.security.services.holds import MANAGE, clean_reason
from apps.security.services.subjects import person_of
from apps.security.types import EXPORT, OBJECT, SUBJECT, RequestKind, RequestState

KEPT = timedelta(days=7)


def start_export(*, principal: Principal, subject_id: UUID | None = None, reason: str = "") -> UUID:
    """Start an export of the principal's own data, or of a person whose data it manages; return the request's id.

    Raises:
        AlreadyRequested: one of this person is being made.
        PermissionMissing, SubjectNotFound, NotAPerson, RoleAboveOwn, ReasonMissing: of another person only.
    """
    if principal.kind != "person":
        raise SubjectNotFound
    if subject_id is not None and subject_id != principal.id:
        require(principal, MANAGE)
        require_exportable(principal=principal, subject_id=subject_id)
        reason = clean_reason(reason)
    else:
        subject_id, reason = principal.id, ""
    with transaction.atomic():
        person = person_of(organization_id=principal.organization_id, user_id=subject_id, for_export=True)
        running = PrivacyRequest.objects.filter(
            organization_id=principal.organization_id, subject_id=person.id, kind=RequestKind.EXPORT
        )
        if running.filter(state=RequestState.RUNNING).exists():
            raise AlreadyRequested
        row = PrivacyRequest.objects.create(
            organization_id=principal.organization_id,
            kind=RequestKind.EXPORT,
            state=RequestState.RUNNING,
            subject_id=person.id,
            pseudonym=suppression.pseudonym(person.id),
            requested_by_id=principal.id,
            reason=reason,
        )
        steps = [
            StepSpec(
                "privacy.export_data", {"request_id": row.pk, "data": data.name}, key=data.name, position=0
            )
            for data in subject_data()
            if data.export is not None or data.files is not None
        ]
        run = start_run(
            kind=EXPORT,
            principal=principal,
            steps=[*steps, StepSpec("privacy.pack_export", {"request_id": row.pk}, position=1)],
            subject=Subject(SUBJECT, row.pk),
        )
        PrivacyRequest.objects.filter(pk=row.pk).update(run_id=run.id)
        note(principal, actions.EXPORT_STARTED, OBJECT, row.pk, is_own=person.id == principal.id)
    return row.pk


def require_exportable(*, principal: Principal, subject_id: UUID) -> None:
    """Refuse an export of who may do more than the principal; the last owner may be exported, not erased.

    Raises:
        MemberNotFound, NotAPerson, RoleAboveOwn.
    """
    require_erasable(principal=principal, user_id=subject_id, for_good=False)


def export_one(
    *, organization_id: UUID, request_id: UUID, data: str, check: Callable[[], object]
) -> dict[str, int]:
    """Write one kind of data; return how many rows and files."""
    row = running(organization_id=organization_id, request_id=request_id)
    if row.subject_id is None:
        raise RequestNotFound
    person = person_of(organization_id=organization_id, user_id=row.subject_id, for_export=True)
    kind, done = get_subject_data(data), {"rows": 0, "files": 0}
    if kind.export is not None:
        with transaction.atomic():  # rows come by a cursor on the server, so that memory stays small
            done["rows"] = archive.write_rows(
                request_id=request_id, name=data, rows=kind.export(person), check=check
            )
    if kind.files is not None:
        done["files"] = archive.write_files(request_id=request_id, files=kind.files(person), check=check)
    return done


def pack_export(*, organization_id: UUID, request_id: UUID) -> int:
    """Make the archive and let it be fetched for a week; return its size in bytes. Twice makes one."""
    row = running(organization_id=organization_id, request_id=request_id)
    now = timezone.now()
    about = {
        "format": "chatsystem-export-1",
        "organization": row.organization_id,
        "person": row.subject_id,
        "made_at": now,
        "note": "Own data only. Where a text answers or quotes somebody else, the other's text is named by its id.",
    }
    key, size = archive.pack(organization_id=organization_id, request_id=request_id, about=about)
    PrivacyRequest.objects.filter(pk=row.pk, state=RequestState.RUNNING).update(
        state=RequestState.DONE, file_key=key, file_size_bytes=size, expires_at=now + KEPT, finished_at=now
    )
    return size


def note_fetched(principal: Principal, request_id: UUID) -> None:
    """Write into the trail that the file of an export was handed out."""
    with transaction.atomic():
        note(principal, actions.EXPORT_FETCHED, OBJECT, request_id)


def running(*, organization_id: UUID, request_id: UUID) -> PrivacyRequest:
    """Return a request that is being worked on.

    Raises:
        RequestNotFound: also when somebody cancelled it.
    """
    row = PrivacyRequest.objects.filter(
        organization_id=organization_id, pk=request_id, state=RequestState.RUNNING
    ).first()
    if row is None:
        raise RequestNotFound
    return row


def expire_files(*, organization_id: UUID) -> int:
    """Delete the files of exports whose week is over; return how many."""
    old = PrivacyRequest.objects.filter(organization_id=organization_id, expires_at__lte=timezone.now())
    rows = list(old.exclude(file_key="").values_list("pk", "file_key"))
    for pk, key in rows:
        archive.remove_archive(key)
        PrivacyRequest.objects.filter(pk=pk).update(state=RequestState.EXPIRED, file_key="")
    return len(rows)
