"""Look through the trail of the reader's organization. Every read asks for the right `audit.read`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from apps.accounts.selectors.people import ids_by_name, people
from apps.accounts.services.access import require
from apps.accounts.types import Principal
from apps.core.api.paging import Order, Page, Position, paginate
from apps.core.auditing import sealing
from apps.core.auditing.actions import label_of
from apps.core.models import AuditChain, AuditEntry
from apps.security.errors import EntryNotFound
from apps.security.models import AuditCheck
from apps.security.types import ChainState, EntryView, Filters, TrailState

NEWEST = Order((("id", int),), descending=True)
LATE_SECONDS = 30.0
_OF_PEOPLE = frozenset({"account", "member", "person"})  # kinds of object whose id is a person's


def visible_entries(principal: Principal, filters: Filters) -> QuerySet[AuditEntry]:
    """Return the entries that fit, in the reader's organization.

    Raises:
        PermissionMissing.
    """
    require(principal, "audit.read")
    rows = AuditEntry.objects.filter(organization_id=principal.organization_id)
    exact = {
        "object_type": filters.object_type,
        "object_id": filters.object_id,
        "outcome": filters.outcome,
        "request_id": filters.request_id,
    }
    rows = rows.filter(**{name: value for name, value in exact.items() if value})
    if filters.action:
        rows = rows.filter(Q(action=filters.action) | Q(action__startswith=f"{filters.action}."))
    if filters.people is not None or filters.typed:
        rows = rows.filter(_about(principal.organization_id, filters))
    if filters.since:
        rows = rows.filter(created_at__gte=filters.since)
    if filters.until:
        rows = rows.filter(created_at__lt=filters.until)
    return rows


def page_of_entries(
    principal: Principal, filters: Filters, *, position: Position, limit: int
) -> Page[EntryView]:
    """Return one page, newest first. Two queries: entries, names.

    Raises:
        PermissionMissing.
    """
    page = paginate(visible_entries(principal, filters), order=NEWEST, position=position, limit=limit)
    shown = dict(zip((row.pk for row in page.rows), views_of(page.rows), strict=True))
    return page.map(lambda row: shown[row.pk])


def get_entry(principal: Principal, key: UUID) -> EntryView:
    """Return one entry.

    Raises:
        EntryNotFound, PermissionMissing.
    """
    row = visible_entries(principal, Filters()).filter(key=key).first()
    if row is None:
        raise EntryNotFound
    return views_of([row])[0]


def views_of(rows: Sequence[AuditEntry]) -> list[EntryView]:
    """Return entries with the names of members of the current organization. One query."""
    named = people({person for row in rows for person in _people_in(row)})
    names = {str(person): view.name for person, view in named.items()}
    return [
        EntryView(
            key=row.key,
            number=row.number,
            created_at=row.created_at,
            action=row.action,
            label=label_of(row.action),
            outcome=row.outcome,
            actor_id=row.actor_id,
            actor=names.get(str(row.actor_id), ""),
            on_behalf_of=row.on_behalf_of,
            asker=names.get(str(row.on_behalf_of), ""),
            object_type=row.object_type,
            object_id=row.object_id,
            object=names.get(row.object_id, "") if row.object_type in _OF_PEOPLE else "",
            request_id=row.request_id,
            session=row.session,
            address=row.address,
            person=row.person,
            details=row.details,
            hash=row.hash,
            chained_at=row.chained_at,
        )
        for row in rows
    ]


def people_named(query: str) -> tuple[UUID, ...]:
    """Return whom a search means: an id, or members by name or e-mail."""
    try:
        return (UUID(query.strip()),)
    except ValueError:
        return tuple(ids_by_name(query))


def get_state(principal: Principal) -> TrailState:
    """Return how the organization's trail is doing. Three queries.

    Raises:
        PermissionMissing.
    """
    require(principal, "audit.read")
    organization_id = principal.organization_id
    head = (
        AuditChain.objects.filter(organization_id=organization_id).values_list("number", flat=True).first()
        or 0
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8"
            " FROM core_auditentry WHERE organization_id = %s AND number IS NULL",
            [organization_id],
        )
        waiting, oldest = cursor.fetchone()
    check = AuditCheck.objects.filter(organization_id=organization_id).order_by("-created_at").first()
    return TrailState(
        state=_state(check, head=head, waiting=waiting, oldest=oldest),
        head=head,
        waiting=waiting,
        oldest_seconds=oldest,
        checked_at=check.created_at if check else None,
        findings=check.findings if check else [],
        findings_total=check.findings_total if check else 0,
        last_anchor=check.last_anchor if check else 0,
    )


def find_last_check(organization_id: UUID) -> tuple[datetime, int] | None:
    """Return when the organization's trail was last verified and how much was found; None for never. One query."""
    checks = AuditCheck.objects.filter(organization_id=organization_id).order_by("-created_at")
    return checks.values_list("created_at", "findings_total").first()


def waiting_everywhere() -> tuple[int, float]:
    """Return how many entries of all organizations wait for the relay, and for how many seconds the oldest does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT entries, oldest_seconds FROM security_audit_waiting()")
        entries, seconds = cursor.fetchone()
    return int(entries), float(seconds)


def _state(check: AuditCheck | None, *, head: int, waiting: int, oldest: float) -> ChainState:
    if check is not None and check.findings_total:
        return ChainState.BROKEN
    if waiting and oldest > LATE_SECONDS:
        return ChainState.LATE
    if check is not None:
        return ChainState.WHOLE
    return ChainState.UNVERIFIED if head or waiting else ChainState.EMPTY


def _about(organization_id: UUID, filters: Filters) -> Q:
    found = Q(pk__in=[])
    if filters.people:
        ids = list(filters.people)
        found |= Q(actor_id__in=ids) | Q(on_behalf_of__in=ids) | Q(object_id__in=[str(one) for one in ids])
    if filters.typed:
        typed = filters.typed.strip().lower()
        references = [
            sealing.reference("person", typed, organization_id=organization_id, key=key)
            for key in sealing.accepted_keys()
        ]
        found |= Q(person_reference__in=references)
    return found


def _people_in(row: AuditEntry) -> Iterable[UUID]:
    yield from (one for one in (row.actor_id, row.on_behalf_of) if one is not None)
    if row.object_type in _OF_PEOPLE:
        try:
            yield UUID(row.object_id)
        except ValueError:
            return
