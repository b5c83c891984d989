"""The service accounts of an organization."""

from __future__ import annotations

from apps.accounts.models import Member, User
from apps.accounts.selectors.members import member_view
from apps.accounts.types import MemberView, Principal


def list_service_accounts(principal: Principal) -> list[MemberView]:
    """Return them by name, deactivated ones too; the caller has checked `api_key.manage`. One query."""
    rows = Member.objects.filter(
        organization_id=principal.organization_id, user__kind=User.Kind.SERVICE
    ).select_related("user", "role")
    return [member_view(row, principal) for row in rows.order_by("name", "pk")]
