"""Roles in single audiences, for those who hand them out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.accounts.models import Member, ScopedRole
from apps.accounts.types import Principal


@dataclass(frozen=True)
class ScopedRoleView:
    """A role that a member has in one audience."""

    id: UUID
    principal_id: UUID
    name: str
    role: str
    scope_id: UUID
    created_at: datetime


def list_scoped_roles(
    principal: Principal, *, scope_id: UUID | None = None, offset: int = 0, limit: int = 50
) -> list[ScopedRoleView]:
    """Return roles in single audiences, oldest first, of one audience or of all; the caller decided about rights.

    Two queries.
    """
    rows = ScopedRole.objects.select_related("role").filter(organization_id=principal.organization_id)
    if scope_id is not None:
        rows = rows.filter(scope_id=scope_id)
    found = list(rows.order_by("created_at", "pk")[offset : offset + limit])
    names = dict(
        Member.objects.filter(
            organization_id=principal.organization_id, user_id__in=[row.principal_id for row in found]
        ).values_list("user_id", "name")
    )
    return [
        ScopedRoleView(
            row.pk,
            row.principal_id,
            names.get(row.principal_id, ""),
            row.role.key,
            row.scope_id,
            row.created_at,
        )
        for row in found
    ]
