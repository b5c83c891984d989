"""What a Django request shows of who sends it; shared by middleware, REST and async views of all apps."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from rest_framework.authentication import CSRFCheck

from apps.accounts.conditions import AccessContext
from apps.accounts.models import User
from apps.accounts.selectors.principals import principal_for_session, session_id
from apps.accounts.selectors.sessions import factor_id_of
from apps.accounts.services import authentication, following
from apps.accounts.services.authentication import Credentials
from apps.accounts.services.sessions import UNKNOWN_ADDRESS
from apps.accounts.types import Principal
from apps.core.errors import DomainError, NotSignedIn
from apps.core.http.addresses import client_address
from apps.core.http.errors import CrossSiteRequest
from apps.core.threads import in_thread

Outcome = Principal | DomainError
_HARMLESS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def credentials_of(request: HttpRequest) -> Credentials:
    """Return what an API request shows. Reads headers only."""
    return Credentials(
        authorization=request.META.get("HTTP_AUTHORIZATION", ""),
        session_key=request.COOKIES.get(settings.SESSION_COOKIE_NAME, ""),
        organization=request.META.get("HTTP_ORGANIZATION", ""),
        query=request.META.get("QUERY_STRING", ""),
        address=client_address(request),
    )


def seat_of(
    request: HttpRequest, *, organization_id: UUID | None = None, slug: str | None = None
) -> Principal:
    """Return who is signed in on a page, as a member of an organization and in the circumstances of this request.

    Raises:
        NotSignedIn, OrganizationNotFound, SecondFactorRequired.
    """
    return principal_for_session(
        user_id=user_of(request).pk,
        organization_id=organization_id,
        slug=slug,
        session=session_id(request.session.session_key or ""),
        factor_id=factor_id_of(request.session),
        context=AccessContext(address=client_address(request)),
    )


def outcome_of(credentials: Credentials) -> Outcome:
    """Return who acts, or the refusal; for callers that answer it later."""
    if (
        not credentials.authorization
        and not credentials.session_key
        and not authentication.shows_key(credentials.query)
    ):
        return NotSignedIn()
    try:
        return authentication.authenticate(credentials)
    except DomainError as error:
        return error


async def outcome_of_async(credentials: Credentials) -> Outcome:
    """Return `outcome_of` without a thread where this process remembers the caller (30 s at most)."""
    await following.start()
    kept = authentication.find_kept(credentials)
    return kept if kept is not None else await in_thread(outcome_of, credentials)


async def async_principal(request: HttpRequest) -> Principal:
    """Return who acts in an async view, with the checks that REST views get from their authentication.

    The view must be `csrf_exempt`: a key needs no token, a cookie is checked here. The organization is opened by the
    middleware `organization`; outside of it the caller opens `tenancy.use`.

    Raises:
        NotSignedIn, KeyInAddress, OrganizationRequired, OrganizationNotFound.
        CrossSiteRequest: a browser's write without the token of its page.
    """
    outcome: Outcome | None = getattr(request, "principal_outcome", None)
    credentials = credentials_of(request)
    if outcome is None:
        outcome = await outcome_of_async(credentials)
    if isinstance(outcome, DomainError):
        raise outcome
    if credentials.by_session:
        require_own_page(request)
    return outcome


def require_own_page(request: HttpRequest) -> None:
    """Refuse a browser's write that does not come from a page of ours.

    Raises:
        CrossSiteRequest.
    """
    if request.method in _HARMLESS:
        return
    check = CSRFCheck(_no_response)
    check.process_request(request)
    if check.process_view(request, _no_response, (), {}) is not None:
        raise CrossSiteRequest


def user_of(request: HttpRequest) -> User:
    """Return who is signed in, for pages behind the sign-in.

    Raises:
        NotSignedIn.
    """
    user = request.user
    if not user.is_authenticated:
        raise NotSignedIn
    return user


def address_of(request: HttpRequest) -> str:
    """Return the address of the client as lists of sessions show it."""
    return client_address(request) or UNKNOWN_ADDRESS


def _no_response(_request: HttpRequest) -> HttpResponse:
    """Stand where Django's check expects the view."""
    return HttpResponse()
