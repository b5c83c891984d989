"""The people of the current organization, as others see them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat, Lower

from apps.accounts.models import Member, Seat, User
from apps.accounts.types import BY_SEAT_ONLY, PersonView, Principal
from apps.core import tenancy
from apps.core.database import planned

MOST = 200
# Every page asks this several times; the columns are the fields of `PersonView`.
_PEOPLE = """
SELECT m.user_id, m.id, m.name, m.title, u.kind, r.key, m.deactivated_at IS NULL, m.avatar_file_id
FROM accounts_member m JOIN accounts_user u ON u.id = m.user_id JOIN accounts_role r ON r.id = m.role_id
WHERE m.organization_id = %s AND m.user_id = ANY(%s)
"""
# The same, as one text that changes when anything of them does.
_STATE = """
(SELECT jsonb_agg(jsonb_build_array(pm.user_id, pm.id, pm.name, pm.title, pu.kind, pr.key, pm.deactivated_at IS NULL,
    pm.avatar_file_id) ORDER BY pm.user_id)
  FROM accounts_member pm JOIN accounts_user pu ON pu.id = pm.user_id JOIN accounts_role pr ON pr.id = pm.role_id
  WHERE pm.organization_id = %(people_organization)s AND pm.user_id = ANY(%(people)s))::text
"""


def people(ids: Iterable[UUID]) -> dict[UUID, PersonView]:
    """Return the members among these, deactivated ones too, by principal id. One query.

    For callers that decided about rights: a name beside a message the reader sees. Otherwise `visible_people`.
    """
    wanted = set(ids)
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        planned.execute(cursor, _PEOPLE, [tenancy.current(), list(wanted)])
        return {row[0]: PersonView(*row) for row in cursor.fetchall()}


def state_clause(organization_id: UUID, ids: Iterable[UUID]) -> tuple[str, dict[str, Any]]:
    """Return an expression for a raw statement, and its parameters: a text that changes when `people` would."""
    wanted = list(ids)
    return (_STATE if wanted else "NULL::text"), {"people_organization": organization_id, "people": wanted}


def ids_by_name(query: str, *, limit: int = 50) -> list[UUID]:
    """Return members, deactivated ones too, whose name or e-mail holds every word. One query.

    For callers that decided about rights, such as an auditor's search.
    """
    rows = _members()
    for word in query.replace("\x00", "").split():
        rows = rows.filter(Q(name__icontains=word) | Q(user__email__istartswith=word))
    return list(rows.order_by("pk").values_list("user_id", flat=True)[:limit])


def ids_by_address(addresses: Iterable[str]) -> dict[str, UUID]:
    """Return the people of the current organization with these addresses, deactivated ones too. One query.

    For callers that decided about rights, such as imports.
    """
    rows = _members().filter(user__kind="person", user__email__in=set(addresses))
    return {str(row.user.email): row.user_id for row in rows}


def export_people(organization_id: UUID) -> Iterator[dict[str, Any]]:
    """Yield everybody who has or had a seat, with address and kind, for callers that decided about rights."""
    rows = _members().filter(organization_id=organization_id).order_by("pk")
    for row in rows.iterator(chunk_size=1000):
        yield {
            "id": row.user_id,
            "kind": row.user.kind,
            "name": row.name,
            "address": row.user.email,
            "role": row.role.key,
            "joined_at": row.created_at,
            "deactivated_at": row.deactivated_at,
        }


def visible_people(*, principal: Principal, ids: Iterable[UUID]) -> dict[UUID, PersonView]:
    """Return those the viewer may know of: a guest knows only people it shares a scope with. One query."""
    wanted = set(ids)
    if not wanted:
        return {}
    return {row.user_id: _view(row) for row in known_to(principal).filter(user_id__in=wanted)}


def directory(*, principal: Principal, query: str = "", limit: int = 50) -> list[PersonView]:
    """Return active members whose name or e-mail holds the query, by name. One query.

    Args:
        limit: at most 200.
    """
    rows = known_to(principal).filter(deactivated_at=None)
    if words := query.replace("\x00", "").split():
        for word in words:
            rows = rows.filter(Q(name__icontains=word) | Q(user__email__istartswith=word))
    return [_view(row) for row in rows.order_by(Lower("name"), "pk")[: min(limit, MOST)]]


def find_by_name(*, principal: Principal, prefix: str, limit: int = 8) -> list[PersonView]:
    """Return active members with a word of their name starting so, for mention completion. One query."""
    start = prefix.replace("\x00", "").strip()
    rows = known_to(principal).filter(deactivated_at=None)
    if start:
        rows = rows.annotate(padded=Concat(Value(" "), "name")).filter(padded__icontains=f" {start}")
    return [_view(row) for row in rows.order_by(Lower("name"), "pk")[: min(limit, MOST)]]


def find_by_names(*, names: Iterable[str]) -> list[PersonView]:
    """Return active members with exactly one of these names, letter case aside, oldest first. One query."""
    wanted = {name.replace("\x00", "").lower() for name in names}
    rows = _members().annotate(lower_name=Lower("name")).filter(lower_name__in=wanted, deactivated_at=None)
    return [_view(row) for row in rows.order_by("pk")]


def is_empty() -> bool:
    """Return whether this installation has no user at all: the first start."""
    return not User.objects.exists()


def is_guest(principal_id: UUID) -> bool:
    """Return whether a principal is a guest in the current organization. One query."""
    return Member.objects.filter(
        organization_id=tenancy.current(), user_id=principal_id, role__key__in=BY_SEAT_ONLY
    ).exists()


def _members() -> QuerySet[Member]:
    return Member.objects.filter(organization_id=tenancy.current()).select_related("role", "user")


def known_to(principal: Principal) -> QuerySet[Member]:
    rows = Member.objects.filter(organization_id=principal.organization_id).select_related("role", "user")
    if not principal.is_guest:
        return rows
    viewer = principal.on_behalf_of if principal.person_is_guest else principal.id
    own = Seat.objects.filter(organization_id=principal.organization_id, principal_id=viewer, left_at=None)
    shared = Seat.objects.filter(
        organization_id=principal.organization_id,
        principal_id=OuterRef("user_id"),
        scope_id__in=own.values("scope_id"),
        left_at=None,
    )
    return rows.filter(Q(Exists(shared)) | Q(user_id=viewer))


def _view(row: Member) -> PersonView:
    return PersonView(
        id=row.user_id,
        member_id=row.pk,
        name=row.name,
        title=row.title,
        kind=row.user.kind,
        role=row.role.key,
        is_active=row.deactivated_at is None,
        avatar_file_id=row.avatar_file_id,
    )
