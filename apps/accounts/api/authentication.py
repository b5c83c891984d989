"""Who calls the REST API: a program by key, a page of ours by cookie.

The middleware `organization` has looked already and opened the organization; here a refusal becomes the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from apps.accounts.selectors.sessions import find_user_id
from apps.accounts.services.authentication import shows_key
from apps.accounts.services.requests import Outcome, credentials_of, outcome_of, require_own_page
from apps.accounts.types import Principal
from apps.core.errors import DomainError, NotSignedIn, OrganizationRequired


@dataclass(frozen=True)
class Account:
    """A signed-in user who has not said in which organization."""

    id: UUID


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer ck_...`; a key in the address is refused, valid or not."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """Return the principal, or None without a key.

        Raises:
            NotSignedIn, KeyInAddress, OrganizationNotFound.
        """
        credentials = credentials_of(request._request)  # noqa: SLF001 - DRF's name for Django's request
        if credentials.by_session and not shows_key(credentials.query):
            return None
        principal = _required(_outcome(request._request))  # noqa: SLF001
        return (principal, principal) if not credentials.by_session else None

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - DRF's signature
        """Name the scheme in a 401."""
        return 'Bearer realm="chatsystem"'


class SessionAuthentication(BaseAuthentication):
    """The cookie of our own pages; a write needs the page's token."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """Return the principal, the bare account where no organization was named, or None without a cookie.

        Raises:
            NotSignedIn, OrganizationNotFound, CrossSiteRequest.
        """
        django_request: HttpRequest = request._request  # noqa: SLF001
        credentials = credentials_of(django_request)
        if not credentials.by_session or not credentials.session_key:
            return None
        outcome = _outcome(django_request)
        if isinstance(outcome, OrganizationRequired):
            user_id = find_user_id(credentials.session_key)
            if user_id is None:
                raise NotSignedIn
            require_own_page(django_request)
            return Account(user_id), None
        principal = _required(outcome)
        require_own_page(django_request)
        return principal, principal


class _KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # drf-spectacular is untyped
    target_class = ApiKeyAuthentication
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:  # noqa: ARG002
        """Describe the header."""
        return {"type": "http", "scheme": "bearer"}


class _CookieScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = SessionAuthentication
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:  # noqa: ARG002
        """Describe the cookie."""
        return {"type": "apiKey", "in": "cookie", "name": "session"}


def _outcome(request: HttpRequest) -> Outcome:
    known: Outcome | None = getattr(request, "principal_outcome", None)
    if known is None:  # a request that did not come through the middleware
        known = outcome_of(credentials_of(request))
        request.principal_outcome = known  # type: ignore[attr-defined]
        request.principal = known if isinstance(known, Principal) else None  # type: ignore[attr-defined]
    return known


def _required(outcome: Outcome) -> Principal:
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome
