"""Single rights on objects, for those who hand them out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from apps.accounts.models import Member, ObjectGrant
from apps.accounts.types import Principal


@dataclass(frozen=True)
class ObjectRightView:
    """A right that a member has in one audience, until when and why."""

    id: UUID
    principal_id: UUID
    name: str
    permission: str
    scope_id: UUID
    reason: str
    created_at: datetime
    expires_at: datetime
    is_over: bool


def list_object_rights(
    principal: Principal, *, scope_id: UUID | None = None, offset: int = 0, limit: int = 50
) -> list[ObjectRightView]:
    """Return single rights, oldest first, of one audience or of all; the caller decided about rights. Two queries."""
    rows = ObjectGrant.objects.select_related("permission").filter(organization_id=principal.organization_id)
    if scope_id is not None:
        rows = rows.filter(content_object_id=scope_id)
    found = list(rows.order_by("created_at", "pk")[offset : offset + limit])
    names = dict(
        Member.objects.filter(
            organization_id=principal.organization_id, user_id__in=[row.user_id for row in found]
        ).values_list("user_id", "name")
    )
    now = timezone.now()
    return [
        ObjectRightView(
            id=row.pk,
            principal_id=row.user_id,
            name=names.get(row.user_id, ""),
            permission=row.permission.codename,
            scope_id=row.content_object_id,
            reason=row.reason,
            created_at=row.created_at,
            expires_at=row.expires_at,
            is_over=row.expires_at <= now,
        )
        for row in found
    ]
