"""Roles in single audiences, for those who hand them out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from apps.accounts.models import Member, ObjectGrant, ScopedRole
from apps.accounts.selectors.groups import names_of, people_in
from apps.accounts.types import Principal
from apps.core import tenancy


@dataclass(frozen=True)
class ScopedRoleView:
    """A role that a member, or everyone in a group, has in one audience; `name` is whose."""

    id: UUID
    principal_id: UUID | None
    name: str
    role: str
    scope_id: UUID
    created_at: datetime
    group_id: UUID | None = None


def list_scoped_roles(
    principal: Principal, *, scope_id: UUID | None = None, offset: int = 0, limit: int = 50
) -> list[ScopedRoleView]:
    """Return roles in single audiences, oldest first, of one audience or of all; the caller decided about rights.

    Three queries.
    """
    rows = ScopedRole.objects.select_related("role").filter(organization_id=principal.organization_id)
    if scope_id is not None:
        rows = rows.filter(scope_id=scope_id)
    found = list(rows.order_by("created_at", "pk")[offset : offset + limit])
    names = dict(
        Member.objects.filter(
            organization_id=principal.organization_id,
            user_id__in=[row.principal_id for row in found if row.principal_id],
        ).values_list("user_id", "name")
    )
    names |= names_of(row.group_id for row in found if row.group_id)
    return [
        ScopedRoleView(
            row.pk,
            row.principal_id,
            names.get(row.principal_id or row.group_id or row.pk, ""),
            row.role.key,
            row.scope_id,
            row.created_at,
            row.group_id,
        )
        for row in found
    ]


def holders_in(*, scope_id: UUID, permission: str) -> set[UUID]:
    """Return whom a role or a single right in one audience gives a permission there, in the current organization.

    Four queries. Says nothing of the conditions of a role, nor of who is still a member.
    """
    of_roles = ScopedRole.objects.filter(
        organization_id=tenancy.current(), scope_id=scope_id, role__permissions__contains=[permission]
    )
    single = ObjectGrant.objects.filter(
        organization_id=tenancy.current(),
        content_object_id=scope_id,
        permission__codename=permission,
        expires_at__gt=timezone.now(),
    )
    people = of_roles.exclude(principal=None).values_list("principal_id", flat=True)
    groups = of_roles.exclude(group=None).values_list("group_id", flat=True)
    return {*people, *people_in(groups), *single.values_list("user_id", flat=True)}
