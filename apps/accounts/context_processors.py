"""What every page knows of its reader."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from apps.accounts.middleware import principal_of
from apps.accounts.selectors.seats import organizations_of
from apps.accounts.types import OrganizationView, PersonView


def viewer(request: HttpRequest) -> dict[str, Any]:
    """Return `viewer` (the principal), `me`, `organization`, `organizations` and `theme`.

    No query but one for `organizations`, when a template looks at it.
    """
    principal = principal_of(request)
    user = getattr(request, "user", None) if getattr(request, "is_signed_in", False) else None
    theme = getattr(user, "theme", "system")
    if principal is None:
        return {"viewer": None, "me": None, "organization": None, "organizations": (), "theme": theme}
    me = PersonView(
        id=principal.id,
        member_id=principal.member_id,
        name=principal.name,
        title="",
        kind=principal.kind,
        role=principal.role,
        is_active=True,
        avatar_file_id=principal.avatar_file_id,
    )
    return {
        "viewer": principal,
        "me": me,
        "organization": OrganizationView(
            principal.organization_id, principal.organization_slug, principal.organization_name, ""
        ),
        "organizations": SimpleLazyObject(lambda: tuple(organizations_of(principal.id))),
        "theme": theme,
    }
