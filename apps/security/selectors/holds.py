"""What must not be erased."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from apps.accounts.selectors.people import people
from apps.accounts.types import Principal
from apps.core.data_subjects import Person, hold_targets
from apps.core.retention import Held
from apps.security.models import LegalHold
from apps.security.types import HoldView


def open_holds(organization_id: UUID) -> QuerySet[LegalHold]:
    """Return the holds that nobody released."""
    return LegalHold.objects.filter(organization_id=organization_id, released_at=None)


def list_holds(principal: Principal, *, most: int = 200) -> list[HoldView]:
    """Return the organization's holds, open ones first, then the newest. Two queries and one for each kind held."""
    rows = LegalHold.objects.filter(organization_id=principal.organization_id)
    return _views(principal.organization_id, list(rows.order_by("released_at", "-pk")[:most]))


def holds_on(person: Person) -> list[HoldView]:
    """Return the open holds that keep data of the person: on it, or on places where it left something."""
    rows = list(open_holds(person.organization_id).order_by("pk"))
    if not rows:
        return []
    places: dict[str, set[UUID]] = {}
    for row in rows:
        if row.target_kind and row.target_kind not in places:
            target = hold_targets().get(row.target_kind)
            places[row.target_kind] = set(target.concerned(person)) if target else {row.target_id}  # type: ignore[arg-type]
    concerned = [
        row
        for row in rows
        if row.subject_id == person.id or (row.target_kind and row.target_id in places[row.target_kind])
    ]
    return _views(person.organization_id, concerned)


def held(organization_id: UUID) -> Held:
    """Return what rules of retention must leave."""
    rows = list(open_holds(organization_id))
    return Held(
        people=frozenset(row.subject_id for row in rows if row.subject_id),
        places=frozenset((row.target_kind, row.target_id) for row in rows if row.target_id),
    )


def _views(organization_id: UUID, rows: list[LegalHold]) -> list[HoldView]:
    wanted = {pk for row in rows for pk in (row.subject_id, row.placed_by_id) if pk}
    shown = people(wanted)
    names: dict[UUID, str] = {pk: person.name for pk, person in shown.items()}
    for kind, target in hold_targets().items():
        ids = [row.target_id for row in rows if row.target_kind == kind and row.target_id]
        names |= target.names(organization_id, ids) if ids else {}
    return [
        HoldView(
            id=row.pk,
            subject_id=row.subject_id,
            target_kind=row.target_kind,
            target_id=row.target_id,
            target=names.get(row.subject_id or row.target_id or row.pk, "?"),
            reason=row.reason,
            placed_by=names.get(row.placed_by_id, "") if row.placed_by_id else "",
            created_at=row.created_at,
            released_at=row.released_at,
        )
        for row in rows
    ]
