"""What a key must be allowed for chat: reading needs `chat:read`, everything else `chat:write`."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from apps.accounts.api.permissions import HasOrganization, principal_of
from apps.accounts.errors import PermissionMissing
from apps.accounts.types import Principal


def require_key_scope(principal: Principal, method: str | None) -> None:
    """Refuse a key that is too narrow; sessions have no key.

    Raises:
        PermissionMissing.
    """
    needed = "chat:read" if method in SAFE_METHODS else "chat:write"
    if principal.key_scopes is not None and needed not in principal.key_scopes:
        raise PermissionMissing


class ChatKey(HasOrganization):
    """DRF permission of the chat endpoints; services decide about the objects."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Refuse visitors and narrow keys.

        Raises:
            NotSignedIn, OrganizationRequired, PermissionMissing.
        """
        super().has_permission(request, view)
        require_key_scope(principal_of(request), request.method)
        return True
