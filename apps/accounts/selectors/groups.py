"""Groups of people, for lists and mentions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, Lower

from apps.accounts.errors import GroupNotFound
from apps.accounts.models import PeopleGroup, PeopleGroupMember
from apps.accounts.selectors.people import people
from apps.accounts.types import PersonView, Principal
from apps.core import tenancy


@dataclass(frozen=True)
class GroupView:
    """A group in a list."""

    id: UUID
    name: str
    description: str
    is_mentionable: bool
    members: int


def list_groups(principal: Principal) -> list[GroupView]:
    """Return the groups of the organization by name; guests know of none. One query."""
    return [] if principal.is_guest else [_view(row) for row in _counted(principal.organization_id)]


def get_group(principal: Principal, group_id: UUID) -> GroupView:
    """Return one group. One query.

    Raises:
        GroupNotFound.
    """
    row = None if principal.is_guest else _counted(principal.organization_id).filter(pk=group_id).first()
    if row is None:
        raise GroupNotFound
    return _view(row)


def people_of_group(principal: Principal, group_id: UUID) -> list[PersonView]:
    """Return who is in a group, by name. Three queries.

    Raises:
        GroupNotFound.
    """
    get_group(principal, group_id)
    rows = PeopleGroupMember.objects.filter(organization_id=principal.organization_id, group_id=group_id)
    found = people(rows.values_list("principal_id", flat=True))
    return sorted(found.values(), key=lambda person: person.name.casefold())


def find_mentionable(principal: Principal, prefix: str, *, limit: int) -> list[GroupView]:
    """Return groups whose name begins so, for mention completion; guests know of none. One query."""
    start = prefix.replace("\x00", "").strip()
    if principal.is_guest or not start:
        return []
    rows = _counted(principal.organization_id).filter(is_mentionable=True, name__istartswith=start)
    return [_view(row) for row in rows[:limit]]


def find_by_names(*, names: Iterable[str]) -> list[GroupView]:
    """Return mentionable groups with exactly one of these names, letter case aside. One query."""
    wanted = {name.replace("\x00", "").lower() for name in names}
    rows = _counted(tenancy.current()).filter(is_mentionable=True).annotate(lower_name=Lower("name"))
    return [_view(row) for row in rows.filter(lower_name__in=wanted)]


def people_in(group_ids: Iterable[UUID]) -> list[UUID]:
    """Return everyone in one of these groups; for callers that decided about rights. One query."""
    rows = PeopleGroupMember.objects.filter(organization_id=tenancy.current(), group_id__in=list(group_ids))
    return list(rows.order_by("pk").values_list("principal_id", flat=True))


def names_of(group_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the names of groups; for callers that decided about rights. One query."""
    rows = PeopleGroup.objects.filter(organization_id=tenancy.current(), pk__in=list(group_ids))
    return dict(rows.values_list("pk", "name"))


def _counted(organization_id: UUID) -> QuerySet[PeopleGroup]:
    inside = (
        PeopleGroupMember.objects.filter(organization_id=organization_id, group_id=OuterRef("pk"))
        .order_by()
        .values("group_id")
        .annotate(n=Count("pk"))
        .values("n")
    )
    rows = PeopleGroup.objects.filter(organization_id=organization_id)
    return rows.annotate(members=Coalesce(Subquery(inside), 0)).order_by(Lower("name"), "pk")


def _view(row: PeopleGroup) -> GroupView:
    return GroupView(row.pk, row.name, row.description, row.is_mentionable, row.members)  # type: ignore[attr-defined]  # annotated above
