"""The language of work: whoever asked for it reads what it says."""

from __future__ import annotations

from uuid import UUID

from apps.accounts.errors import MemberNotFound
from apps.accounts.selectors.members import get_organization
from apps.accounts.selectors.principals import principal_of_member


def language_of(*, organization_id: UUID, principal_id: UUID | None) -> str:
    """Return the language of the person's account, else of the organization. At most two queries."""
    if principal_id is not None:
        try:
            principal = principal_of_member(organization_id=organization_id, user_id=principal_id)
        except MemberNotFound:
            principal = None  # left meanwhile: the organization's language is as good as any
        if principal is not None and principal.language:
            return principal.language
    return get_organization(organization_id).language
