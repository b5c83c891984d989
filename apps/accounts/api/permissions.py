"""Who may call a REST view at all; what they may do with an object, services and selectors decide."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from apps.accounts.api.authentication import Account
from apps.accounts.errors import PersonRequired
from apps.accounts.services.access import require
from apps.accounts.services.step_up import require_recent, require_recent_token
from apps.accounts.types import BY_SESSION, BY_TOKEN, Principal
from apps.core.errors import DomainError, NotSignedIn


class SignedIn(BasePermission):
    """Anyone who is known, also without an organization."""

    def has_permission(self, request: Request, view: Any) -> bool:  # noqa: ARG002 - DRF's signature
        """Refuse visitors.

        Raises:
            NotSignedIn.
        """
        account_id_of(request)
        return True


class HasOrganization(BasePermission):
    """A principal in one organization: the default of every view."""

    def has_permission(self, request: Request, view: Any) -> bool:  # noqa: ARG002 - DRF's signature
        """Refuse visitors and callers without an organization.

        Raises:
            NotSignedIn, OrganizationRequired.
        """
        principal_of(request)
        return True


class SignedInByPage(HasOrganization):
    """A person at a browser; keys and tokens are refused."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Refuse keys and tokens.

        Raises:
            PersonRequired, NotSignedIn, OrganizationRequired.
        """
        super().has_permission(request, view)
        if principal_of(request).credential != BY_SESSION:
            raise PersonRequired
        return True


class SignedInPerson(HasOrganization):
    """A person at a browser or in a client of its own; keys and narrowed tokens are refused."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Refuse what was narrowed.

        Raises:
            PersonRequired, NotSignedIn, OrganizationRequired.
        """
        super().has_permission(request, view)
        if principal_of(request).key_scopes is not None:
            raise PersonRequired
        return True


class RequiresRecentSignIn(HasOrganization):
    """A browser, or a client with tokens, whose person proved to be it within ten minutes; a key was made by one."""

    asks_readers = False

    def has_permission(self, request: Request, view: Any) -> bool:
        """Refuse sessions and tokens whose last proof is too old.

        Raises:
            StepUpRequired, NotSignedIn, OrganizationRequired.
        """
        super().has_permission(request, view)
        if request.method in SAFE_METHODS and not self.asks_readers:
            return True
        principal = principal_of(request)
        if principal.credential == BY_SESSION:
            require_recent(request._request)  # noqa: SLF001 - DRF's name for Django's request
        elif principal.credential == BY_TOKEN:
            require_recent_token(principal)
        return True


class ReadingRequiresRecentSignIn(RequiresRecentSignIn):
    """The same for what is dear to read, too."""

    asks_readers = True


def Requires(permission: str) -> type[HasOrganization]:  # noqa: N802 - reads as the class it makes
    """Return a DRF permission that also wants this permission of the role and the key."""

    class Required(HasOrganization):
        def has_permission(self, request: Request, view: Any) -> bool:
            """Refuse who lacks it.

            Raises:
                PermissionMissing, NotSignedIn, OrganizationRequired.
            """
            super().has_permission(request, view)
            require(principal_of(request), permission)
            return True

    return Required


def principal_of(request: Request) -> Principal:
    """Return who acts.

    Raises:
        NotSignedIn, OrganizationRequired.
    """
    caller: object = request.user
    if isinstance(caller, Principal):
        return caller
    outcome = getattr(request, "principal_outcome", None)
    raise outcome if isinstance(outcome, DomainError) else NotSignedIn


def account_id_of(request: Request) -> UUID:
    """Return the id of who is known, with or without an organization.

    Raises:
        NotSignedIn.
    """
    caller: object = request.user
    if isinstance(caller, Principal | Account):
        return caller.id
    raise NotSignedIn
