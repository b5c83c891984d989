"""Erase a person: asked for by one administrator, approved by another, done over the registry, verified, certified."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.accounts.services.access import require
from apps.accounts.services.erasing import require_erasable
from apps.accounts.services.trail import note
from apps.accounts.types import Principal
from apps.core.data_subjects import ERASED_NAME, Batch, Fate, Person, get_subject_data, subject_data
from apps.core.services import audit
from apps.runs.services.runs import cancel_as_house, retry_as_house, start_run
from apps.runs.types import RunView, StepSpec, Subject
from apps.security import actions
from apps.security.errors import (
    AlreadyRequested,
    OnHold,
    RequestNotFound,
    RequestSettled,
    SecondPersonNeeded,
    TracesLeft,
)
from apps.security.models import LegalHold, PrivacyRequest
from apps.security.selectors import preview
from apps.security.selectors.holds import holds_on
from apps.security.selectors.privacy import visible_requests
from apps.security.selectors.subjects import from_json
from apps.security.selectors.traces import LEAST_LINE, LONGER_LINE, Traces, find_traces
from apps.security.services import archive, subjects, suppression
from apps.security.services.exporting import running
from apps.security.services.holds import MANAGE, clean_reason, require_free
from apps.security.types import ERASURE, OBJECT, SUBJECT, RequestKind, RequestState

MOST_LINES = 500


def request_erasure(*, principal: Principal, subject_id: UUID, reason: str) -> UUID:
    """Ask for the erasure of a person, with a preview of what it would do; return the request's id.

    Raises:
        PermissionMissing, ReasonMissing, MemberNotFound, NotAPerson, RoleAboveOwn, LastOwner, AlreadyRequested.
    """
    require(principal, MANAGE)
    cleaned = clean_reason(reason)
    require_erasable(principal=principal, user_id=subject_id)
    try:
        with transaction.atomic():
            person = subjects.person_of(organization_id=principal.organization_id, user_id=subject_id)
            row = PrivacyRequest.objects.create(
                organization_id=principal.organization_id,
                kind=RequestKind.ERASURE,
                state=RequestState.REQUESTED,
                subject_id=subject_id,
                pseudonym=suppression.pseudonym(subject_id),
                identifiers=subjects.to_json(person),
                requested_by_id=principal.id,
                reason=cleaned,
                preview=preview.counted(person),
            )
            note(principal, actions.ERASURE_REQUESTED, OBJECT, row.pk)
            return row.pk
    except IntegrityError as error:
        if "security_request_open" not in str(error):
            raise
        raise AlreadyRequested from error


def approve_erasure(*, principal: Principal, request_id: UUID) -> RunView:
    """Approve as the second administrator and start the work. Returns its run.

    Raises:
        PermissionMissing, RequestNotFound, RequestSettled, RoleAboveOwn, LastOwner.
        SecondPersonNeeded: the principal asked for it, or is the person.
        OnHold: a legal hold keeps data of the person; nothing is changed.
    """
    require(principal, MANAGE)
    with transaction.atomic():
        row = _lock(principal.organization_id, request_id)
        if row.kind != RequestKind.ERASURE or row.state != RequestState.REQUESTED or row.subject_id is None:
            raise RequestSettled
        if principal.id in (row.requested_by_id, row.subject_id) or principal.kind != "person":
            raise SecondPersonNeeded
        require_erasable(principal=principal, user_id=row.subject_id)
        person = subjects.person_of(organization_id=row.organization_id, user_id=row.subject_id)
        require_free(person)
        row.approved_by_id = principal.id
        note(principal, actions.ERASURE_APPROVED, OBJECT, row.pk)
        return _start(row, person, principal)


def replay_erasure(*, organization_id: UUID, subject_id: UUID) -> tuple[UUID, RunView]:
    """Erase again who came back with a restore; it was approved the first time. Returns the request and its run.

    Raises:
        SubjectNotFound, OnHold.
    """
    with transaction.atomic():
        person = subjects.person_of(organization_id=organization_id, user_id=subject_id)
        if holds_on(person):
            raise OnHold
        PrivacyRequest.objects.filter(
            organization_id=organization_id,
            subject_id=subject_id,
            state__in=(RequestState.REQUESTED, RequestState.RUNNING),
        ).update(state=RequestState.CANCELLED, finished_at=timezone.now())
        row = PrivacyRequest.objects.create(
            organization_id=organization_id,
            kind=RequestKind.ERASURE,
            state=RequestState.REQUESTED,
            subject_id=subject_id,
            pseudonym=suppression.pseudonym(subject_id),
            reason="Restored from a backup after the erasure.",
            is_replay=True,
            preview=preview.counted(person),
        )
        _record(row, actions.ERASURE_REPLAYED)
        return row.pk, _start(row, person, None)


def cancel_request(*, principal: Principal, request_id: UUID) -> None:
    """Withdraw a request, or stop its work; what was erased by then stays erased.

    An own export may be stopped by the person itself.

    Raises:
        PermissionMissing, RequestNotFound, RequestSettled.
    """
    with transaction.atomic():
        row = _lock(principal.organization_id, request_id)
        if not visible_requests(principal).filter(pk=row.pk).exists():
            raise RequestNotFound
        if row.kind != RequestKind.EXPORT or row.subject_id != principal.id:
            require(principal, MANAGE)
        if row.state == RequestState.REQUESTED:
            row.state, row.finished_at = RequestState.CANCELLED, timezone.now()
            row.save(update_fields=["state", "finished_at"])
        elif row.state == RequestState.RUNNING and row.run_id is not None:
            cancel_as_house(run_id=row.run_id)
        else:
            raise RequestSettled
        note(principal, actions.REQUEST_WITHDRAWN, OBJECT, row.pk)


def retry_request(*, principal: Principal, request_id: UUID) -> None:
    """Go on with what failed, after its cause is gone: a hold was released, a part works again.

    Raises:
        PermissionMissing, RequestNotFound, RequestSettled, NothingToRetry.
    """
    require(principal, MANAGE)
    with transaction.atomic():
        row = _lock(principal.organization_id, request_id)
        if row.state != RequestState.FAILED or row.run_id is None:
            raise RequestSettled
        row.state, row.error_code, row.finished_at = RequestState.RUNNING, "", None
        row.save(update_fields=["state", "error_code", "finished_at"])
        retry_as_house(run_id=row.run_id)
        note(principal, actions.REQUEST_RETRIED, OBJECT, row.pk)


def settle(*, organization_id: UUID, request_id: UUID, state: RequestState, error_code: str) -> None:
    """Note that the run of a request failed or was cancelled; a request that is done stays done."""
    changed = PrivacyRequest.objects.filter(
        organization_id=organization_id, pk=request_id, state=RequestState.RUNNING
    ).update(state=state, error_code=error_code, finished_at=timezone.now())
    if changed:
        archive.remove_parts(request_id)


def erase_one(
    *, organization_id: UUID, request_id: UUID, data: str, beat: Callable[[int], object]
) -> dict[str, int]:
    """Erase one kind of data, batch by batch; no batch is begun while something is held.

    Args:
        beat: called between batches with the rows settled so far; raises to leave.

    Raises:
        OnHold: what was settled so far stays so.
    """
    erase = get_subject_data(data).erase
    cursor, total = None, 0
    while erase is not None:
        with transaction.atomic():
            row = running(organization_id=organization_id, request_id=request_id)
            person = _person(row)
            require_free(person)
            batch: Batch = erase(person, cursor)
            _note(row, data, batch.rows)
        total += batch.rows
        cursor = batch.cursor
        beat(total)
        if cursor is None:
            break
    return {"rows": total}


def verify(*, organization_id: UUID, request_id: UUID) -> dict[str, Any]:
    """Search the whole database for the person and keep what was counted as proof.

    Raises:
        TracesLeft: names tables and columns, never data.
    """
    row = running(organization_id=organization_id, request_id=request_id)
    found = find_traces(
        _person(row),
        line_hashes=row.identifiers.get("lines", []),
        shortest_line=row.identifiers.get("shortest_line", LEAST_LINE),
        except_request=row.pk,
    )
    row.proof["verification"] = _counted(found)
    row.save(update_fields=["proof"])
    if found.left:
        raise TracesLeft(places=", ".join(f"{place} ({rows})" for place, rows in sorted(found.left.items())))
    return _counted(found)


def certify(*, organization_id: UUID, request_id: UUID) -> str:
    """Seal the certificate, put the person on the list outside the database, and forget who it was."""
    with transaction.atomic():
        row = running(organization_id=organization_id, request_id=request_id)
        person = _person(row)
        row.finished_at = timezone.now()
        suppression.append(
            suppression.Suppressed(
                organization_id=organization_id,
                user_hash=suppression.user_hash(person.id),
                email_hash=suppression.email_hash(person.email) if person.leaves_for_good else "",
                erased_at=row.finished_at,
                request_id=row.pk,
            )
        )
        row.certificate = _certificate(row)
        row.reason = _without(person, row.reason)
        row.state, row.subject_id, row.identifiers = RequestState.DONE, None, {}
        row.save()
        _record(row, actions.ERASED, pseudonym=row.pseudonym, seal=str(row.certificate["seal"]))
    return str(row.certificate["seal"])


def count_requests(person: Person) -> int:
    """Return how many requests and holds name the person."""
    return _requests(person).count() + _holds(person).count()


def erase_requests_of(person: Person, _cursor: Any) -> Batch:
    """Delete older requests about the person with their files; who asked, approved or placed holds is forgotten."""
    about = _requests(person).filter(subject_id=person.id)
    about = about.exclude(
        kind=RequestKind.ERASURE, state=RequestState.RUNNING
    )  # this one, until it is certified
    for pk, key in about.values_list("pk", "file_key"):
        archive.remove_parts(pk)
        if key:
            archive.remove_archive(key)
    done = about.delete()[0] + _holds(person).filter(subject_id=person.id).delete()[0]
    mine = {"organization_id": person.organization_id}
    for field in ("requested_by", "approved_by"):
        done += PrivacyRequest.objects.filter(**mine, **{field: person.id}).update(**{field: None})
    for field in ("placed_by", "released_by"):
        done += LegalHold.objects.filter(**mine, **{field: person.id}).update(**{field: None})
    return Batch(done)


def _start(row: PrivacyRequest, person: Person, principal: Principal | None) -> RunView:
    lines = _lines(person)
    row.identifiers = {
        **subjects.to_json(person),
        "lines": [subjects.line_hash(line) for line in lines],
        "shortest_line": min(map(len, lines), default=LEAST_LINE),
    }
    kinds = [data for data in subject_data() if data.erase is not None]
    steps = [
        StepSpec(
            "privacy.erase_data", {"request_id": row.pk, "data": data.name}, key=data.name, position=place
        )
        for place, data in enumerate(kinds)
    ]
    last = [
        StepSpec(name, {"request_id": row.pk}, position=len(kinds) + place)
        for place, name in enumerate(("privacy.verify_erasure", "privacy.certify_erasure"))
    ]
    run = start_run(
        kind=ERASURE, principal=principal, steps=[*steps, *last], subject=Subject(SUBJECT, row.pk), priority=5
    )
    row.state, row.approved_at, row.run_id = RequestState.RUNNING, timezone.now(), run.id
    row.save()
    return run


def _lines(person: Person) -> list[str]:
    """Return lines of what the person wrote to look for; shorter ones only where there are few."""
    lines = preview.lines_of(person, least=LONGER_LINE, most=MOST_LINES)
    if len(lines) < MOST_LINES:
        shorter = preview.lines_of(person, least=LEAST_LINE, most=MOST_LINES)
        lines = list(dict.fromkeys([*lines, *shorter]))[:MOST_LINES]
    return lines


def _lock(organization_id: UUID, request_id: UUID) -> PrivacyRequest:
    row = (
        PrivacyRequest.objects.select_for_update(no_key=True)
        .filter(organization_id=organization_id, pk=request_id)
        .first()
    )
    if row is None:
        raise RequestNotFound
    return row


def _record(row: PrivacyRequest, action: str, **details: str) -> None:
    """Write what the house itself did into the trail."""
    audit.record(
        organization_id=row.organization_id,
        action=action,
        actor_id=None,
        object_type=OBJECT,
        object_id=row.pk,
        details=details,
    )


def _person(row: PrivacyRequest) -> Person:
    if row.subject_id is None:
        raise RequestNotFound
    return from_json(organization_id=row.organization_id, user_id=row.subject_id, kept=row.identifiers)


def _note(row: PrivacyRequest, data: str, rows: int) -> None:
    erased = row.proof.setdefault("erased", {})
    erased[data] = erased.get(data, 0) + rows
    row.save(update_fields=["proof"])


def _counted(found: Traces) -> dict[str, Any]:
    return {
        "tables": found.tables,
        "columns": found.columns,
        "left": sum(found.left.values()),
        "left_in": found.left,
        "in_words_of_others": found.kept,
    }


def _certificate(row: PrivacyRequest) -> dict[str, Any]:
    document: dict[str, Any] = {
        "format": "chatsystem-erasure-1",
        "request": str(row.pk),
        "organization": str(row.organization_id),
        "pseudonym": row.pseudonym,
        "requested_at": row.created_at.isoformat(),
        "approved_at": row.approved_at.isoformat() if row.approved_at else None,
        "finished_at": row.finished_at.isoformat() if row.finished_at else None,
        "is_replay": row.is_replay,
        "erased": row.proof.get("erased", {}),
        "kept": {data.name: str(data.why) for data in subject_data() if data.fate is Fate.KEEP},
        "verification": row.proof.get("verification", {}),
    }
    return {**document, "seal": suppression.seal(document)}


def _without(person: Person, text: str) -> str:
    """Return the reason without the person, if anything of it is named there."""
    lowered = text.lower()
    names = [name for name in (person.name, person.email, str(person.id), str(person.member_id)) if name]
    return ERASED_NAME if any(name.lower() in lowered for name in names) else text


def _requests(person: Person) -> QuerySet[PrivacyRequest]:
    return PrivacyRequest.objects.filter(
        Q(subject_id=person.id) | Q(requested_by_id=person.id) | Q(approved_by_id=person.id),
        organization_id=person.organization_id,
    )


def _holds(person: Person) -> QuerySet[LegalHold]:
    return LegalHold.objects.filter(
        Q(subject_id=person.id, released_at__isnull=False)
        | Q(placed_by_id=person.id)
        | Q(released_by_id=person.id),
        organization_id=person.organization_id,
    )
