"""Privacy requests as those who manage privacy, and the people concerned, see them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.accounts.selectors.people import people
from apps.accounts.services import access
from apps.accounts.types import PLACEHOLDER_DOMAIN, MemberView, Principal
from apps.core.data_subjects import Person, hold_targets, subject_data
from apps.runs.selectors.runs import find_runs
from apps.runs.types import RunView
from apps.security.errors import RequestNotFound
from apps.security.models import PrivacyRequest
from apps.security.selectors.holds import holds_on
from apps.security.selectors.preview import kept, lines
from apps.security.selectors.subjects import from_json
from apps.security.types import HoldView, PreviewLine, RequestKind, RequestState, RequestView

MANAGE = "privacy.manage"


def visible_requests(principal: Principal) -> QuerySet[PrivacyRequest]:
    """All requests for who manages privacy; for everyone else the exports of the own data."""
    rows = PrivacyRequest.objects.filter(organization_id=principal.organization_id)
    if access.can(principal, MANAGE):
        return rows
    return rows.filter(kind=RequestKind.EXPORT, subject_id=principal.id)


def own_exports(principal: Principal, *, most: int = 10) -> list[RequestView]:
    """Return the newest exports of the principal's own data. Three queries."""
    rows = PrivacyRequest.objects.filter(
        organization_id=principal.organization_id, kind=RequestKind.EXPORT, subject_id=principal.id
    )
    return views(principal, list(rows.order_by("-pk")[:most]))


def get_request(principal: Principal, request_id: UUID) -> RequestView:
    """Return one visible request.

    Raises:
        RequestNotFound.
    """
    row = visible_requests(principal).filter(pk=request_id).first()
    if row is None:
        raise RequestNotFound
    return views(principal, [row])[0]


def page_of_requests(principal: Principal, *, state: str = "", offset: int, limit: int) -> list[RequestView]:
    """Return a page of requests, newest first. Three queries."""
    rows = visible_requests(principal)
    if state:
        rows = rows.filter(state=state)
    return views(principal, list(rows.order_by("-pk")[offset : offset + limit]))


def find_file(principal: Principal, request_id: UUID) -> str:
    """Return the key of an export's file, for the person concerned and who asked for it, while it lives.

    Raises:
        RequestNotFound: missing, another's, not made yet, or deleted.
    """
    row = (
        PrivacyRequest.objects.filter(
            Q(subject_id=principal.id) | Q(requested_by_id=principal.id),
            organization_id=principal.organization_id,
            kind=RequestKind.EXPORT,
            state=RequestState.DONE,
            pk=request_id,
        )
        .exclude(file_key="")
        .first()
    )
    if row is None or (row.subject_id != principal.id and not access.can(principal, MANAGE)):
        raise RequestNotFound
    return row.file_key


def holds_against(principal: Principal, request_id: UUID) -> list[HoldView]:
    """Return the open holds that keep data of a request's person; none once the person is erased.

    Raises:
        RequestNotFound.
    """
    row = visible_requests(principal).filter(pk=request_id).first()
    if row is None:
        raise RequestNotFound
    if row.subject_id is None or not row.identifiers:
        return []
    return holds_on(
        from_json(organization_id=row.organization_id, user_id=row.subject_id, kept=row.identifiers)
    )


def kept_by_all() -> tuple[PreviewLine, ...]:
    """Return what every erasure keeps, with the reasons."""
    return kept()


def erased_lines(line: RequestView) -> list[tuple[str, int]]:
    """Return what an erasure has settled so far, in words, in the order of its steps."""
    erased = line.proof.get("erased", {})
    return [(str(data.label), erased[data.name]) for data in subject_data() if erased.get(data.name)]


def holdable_places(principal: Principal) -> list[tuple[str, str]]:
    """Return what else than people can be held, as `kind:id` and name."""
    return [
        (f"{kind}:{pk}", name)
        for kind, target in hold_targets().items()
        for pk, name in target.listed(principal.organization_id).items()
    ]


def is_placeholder(member: MemberView) -> bool:
    """Return whether a member stands for erased people."""
    return bool(member.email) and str(member.email).endswith(PLACEHOLDER_DOMAIN)


def views(principal: Principal, rows: Collection[PrivacyRequest]) -> list[RequestView]:
    """Return rows as this reader sees them: two queries for any number."""
    ids = {pk for row in rows for pk in (row.subject_id, row.requested_by_id, row.approved_by_id) if pk}
    names = {pk: person.name for pk, person in people(ids).items()}
    runs = find_runs(
        organization_id=principal.organization_id, run_ids=[row.run_id for row in rows if row.run_id]
    )
    return [_view(principal, row, names, runs.get(row.run_id) if row.run_id else None) for row in rows]


def export_requests(person: Person) -> Iterator[Mapping[str, Any]]:
    """Yield the requests about the person."""
    yield from (
        PrivacyRequest.objects.filter(organization_id=person.organization_id, subject_id=person.id)
        .order_by("pk")
        .values("id", "kind", "state", "created_at", "finished_at")
    )


def subject_labels(principal: Principal, ids: Collection[UUID]) -> dict[UUID, str]:
    """Return what the requests of runs are called; only for who may see them."""
    rows = visible_requests(principal).filter(pk__in=ids)
    return {row.pk: f"{row.get_kind_display()} {row.pseudonym[:8]}" for row in rows}


def _view(
    principal: Principal, row: PrivacyRequest, names: Mapping[UUID, str], run: RunView | None
) -> RequestView:
    manages = bool(access.can(principal, MANAGE))
    state = RequestState(row.state)
    is_own_export = row.kind == RequestKind.EXPORT and row.subject_id == principal.id
    return RequestView(
        id=row.pk,
        kind=RequestKind(row.kind),
        state=state,
        subject_id=row.subject_id,
        subject_name=names.get(row.subject_id, "") if row.subject_id else "",
        pseudonym=row.pseudonym,
        requested_by=row.requested_by_id,
        requested_by_name=names.get(row.requested_by_id, "") if row.requested_by_id else "",
        approved_by=row.approved_by_id,
        approved_by_name=names.get(row.approved_by_id, "") if row.approved_by_id else "",
        reason=row.reason,
        run_id=row.run_id,
        percent=run.percent if run and state == RequestState.RUNNING else None,
        error_code=row.error_code,
        error_text=run.error_text if run and state == RequestState.FAILED else "",
        preview=lines(row.preview),
        proof=row.proof,
        certificate=row.certificate,
        file_size_bytes=row.file_size_bytes,
        expires_at=row.expires_at,
        created_at=row.created_at,
        approved_at=row.approved_at,
        finished_at=row.finished_at,
        may_approve=manages
        and state == RequestState.REQUESTED
        and principal.id not in (row.requested_by_id, row.subject_id),
        may_cancel=state in (RequestState.REQUESTED, RequestState.RUNNING) and (manages or is_own_export),
        may_retry=manages and state == RequestState.FAILED,
        may_download=bool(row.file_key)
        and (row.subject_id == principal.id or (manages and row.requested_by_id == principal.id)),
    )
