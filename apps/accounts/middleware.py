"""The language of a request, its organization and principal, and the closed door. All work sync and async.

Order in the settings: `language` before the common middleware, `organization` after Django's authentication,
`sign_in_required` last.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.decorators import sync_and_async_middleware

from apps.accounts.errors import OrganizationNotFound, SecondFactorRequired, ViewAsHidden, ViewAsReadOnly
from apps.accounts.selectors.factors import operators_need_factor
from apps.accounts.selectors.principals import session_id
from apps.accounts.selectors.seats import organizations_of
from apps.accounts.selectors.sessions import SIGNED_IN_AT, USED_ON, VIEW_AS, is_too_old, today
from apps.accounts.selectors.view_as import find_viewed
from apps.accounts.services import view_as
from apps.accounts.services.proofs import change_id
from apps.accounts.services.requests import (
    Outcome,
    address_of,
    credentials_of,
    outcome_of,
    outcome_of_async,
    seat_of,
    user_of,
)
from apps.accounts.services.sessions import track
from apps.accounts.types import Principal
from apps.core import origin, tenancy
from apps.core.api.problems import refusal_as_problem
from apps.core.errors import DomainError, NotFound
from apps.core.http import error_pages
from apps.core.threads import in_thread

API, ORGANIZATIONS = "/api/", "/o/"
LAST_ORGANIZATION, RIGHTS = "organization", "rights"
ADMIN = "/admin/"
_TOUCHES_NOTHING = ("/static/", "/livez", "/readyz", "/metrics")
_WITHOUT_ORGANIZATION = ("/accounts/", ADMIN, "/language/", "/oauth/")  # the last asks for its client's
# While somebody looks at pages as another person: what may be looked at, and the two ways out.
_LOOKED_AT, _WAYS_OUT = (
    frozenset({"chat", "rag", "documents", "files", "console"}),
    ("end_view", "account_logout"),
)
_TAKES_AWAY = frozenset({"audit-export"})
# Open to visitors, and yet somebody is let in there by who is signed in.
_LETS_IN = frozenset({"oauth_authorize", "invitation", "sign_in_link"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

Answer = Callable[[HttpRequest], Any]  # a response, or the coroutine of one


@sync_and_async_middleware
def language(get_response: Answer) -> Answer:
    """Speak the language of the cookie, else of the browser; `organization` puts the account's above both."""

    def choose(request: HttpRequest) -> None:
        translation.activate(translation.get_language_from_request(request))
        request.LANGUAGE_CODE = translation.get_language()

    def tell(response: HttpResponse) -> HttpResponse:
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        response.headers.setdefault("Content-Language", translation.get_language())
        return response

    return _both(get_response, before=choose, after=tell)


@sync_and_async_middleware
def organization(get_response: Answer) -> Answer:
    """Set `request.principal` and open its organization for the whole request.

    - `/api/`: by key or cookie, see `authentication`; a refusal is kept for the view to answer.
    - `/o/<slug>/`: the signed-in user's seat there; without one it is 404, the same as a missing organization. Where
      the organization asks for a second factor and the session has none, there is no principal either.
    - other pages: the organization used last, else the first; None for visitors and people without one.

    A response that streams must open its organization itself: it runs after this block.
    """
    if iscoroutinefunction(get_response):

        async def for_async(request: HttpRequest) -> HttpResponse:
            if request.path_info.startswith(API):
                outcome = await outcome_of_async(credentials_of(request))
                _note_outcome(request, outcome)
            else:
                try:
                    _note_principal(request, await in_thread(_page_principal, request))
                except OrganizationNotFound:
                    return _missing(request)
            with _opened(request):
                response: HttpResponse = await get_response(request)
            return response

        return for_async

    def for_sync(request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(API):
            _note_outcome(request, outcome_of(credentials_of(request)))
        else:
            try:
                _note_principal(request, _page_principal(request))
            except OrganizationNotFound:
                return _missing(request)
        with _opened(request):
            response: HttpResponse = get_response(request)
        return response

    return for_sync


@sync_and_async_middleware
def sign_in_required(get_response: Answer) -> Answer:
    """Send visitors to sign in, whatever the view, unless it is marked with `login_not_required`.

    REST and its async views refuse by themselves, with a problem document.
    """

    def check(
        request: HttpRequest, view: Callable[..., Any], _args: tuple[Any, ...], _kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        principal = principal_of(request)
        if request.path_info.startswith(API):
            return None
        if not getattr(view, "login_required", True):
            return _refuse_to_let_in(request) if principal is not None and principal.viewed_by else None
        if not getattr(request, "is_signed_in", False):
            return _to_sign_in(request)
        if _needs_factor(request):
            return _to_factor(request)
        if principal is None and not request.path_info.startswith(_WITHOUT_ORGANIZATION):
            return HttpResponseRedirect("/")
        return _refuse_in_view(request) if principal is not None and principal.viewed_by else None

    middleware: Any
    if iscoroutinefunction(get_response):

        async def for_async(request: HttpRequest) -> HttpResponse:
            response: HttpResponse = await get_response(request)
            return response

        async def check_async(*args: Any) -> HttpResponse | None:
            return check(*args)

        middleware, middleware_check = for_async, check_async
    else:

        @wraps(get_response)
        def for_sync(request: HttpRequest) -> HttpResponse:
            response: HttpResponse = get_response(request)
            return response

        middleware, middleware_check = for_sync, check  # type: ignore[assignment]  # one of the two kinds
    middleware.process_view = middleware_check
    checked: Answer = middleware
    return checked


def principal_of(request: HttpRequest) -> Principal | None:
    """Return who acts, or None for visitors and people without an organization."""
    principal: Principal | None = getattr(request, "principal", None)
    return principal


def _both(
    get_response: Answer,
    *,
    before: Callable[[HttpRequest], None],
    after: Callable[[HttpResponse], HttpResponse],
) -> Answer:
    if iscoroutinefunction(get_response):

        async def for_async(request: HttpRequest) -> HttpResponse:
            before(request)
            return after(await get_response(request))

        return for_async

    def for_sync(request: HttpRequest) -> HttpResponse:
        before(request)
        return after(get_response(request))

    return for_sync


def _note_outcome(request: HttpRequest, outcome: Outcome) -> None:
    request.principal_outcome = outcome  # type: ignore[attr-defined]
    _note_principal(request, None if isinstance(outcome, DomainError) else outcome)


def _note_principal(request: HttpRequest, principal: Principal | None) -> None:
    request.principal = principal  # type: ignore[attr-defined]
    if principal is not None:
        origin.note_session(principal.session)
    if principal is not None and principal.language:
        translation.activate(principal.language)
        request.LANGUAGE_CODE = principal.language


def _opened(request: HttpRequest) -> AbstractContextManager[None]:
    principal = principal_of(request)
    return nullcontext() if principal is None else tenancy.use(principal.organization_id)


def _page_principal(request: HttpRequest) -> Principal | None:
    """Return who looks at a page. Three queries for a signed-in browser: session, user, seat.

    Raises:
        OrganizationNotFound: the address names one in which the user has no seat.
    """
    request.is_signed_in = False  # type: ignore[attr-defined]
    if settings.SESSION_COOKIE_NAME not in request.COOKIES or request.path_info.startswith(_TOUCHES_NOTHING):
        return None
    user = request.user
    if not user.is_authenticated:
        return None
    if is_too_old(request.session.get(SIGNED_IN_AT)):
        logout(request)
        return None
    request.is_signed_in = True  # type: ignore[attr-defined]
    if request.session.get(USED_ON) != today():
        request.session[USED_ON] = today()  # saved once a day: the idle end moves on, for row and cookie
    key = request.session.session_key or ""
    track(
        user_id=user.pk,
        session_key=key,
        address=address_of(request),
        user_agent=request.META.get("HTTP_USER_AGENT", ""),
    )
    slug = _named_slug(request.path_info)
    try:
        if slug is None:
            return _viewed(request, _last_or_first(request))
        principal = seat_of(request, slug=slug)
    except SecondFactorRequired:
        request.factor_missing = True  # type: ignore[attr-defined]
        _end_view(request)
        return None
    if request.session.get(LAST_ORGANIZATION) != slug:
        request.session[LAST_ORGANIZATION] = slug
    return _viewed(request, _with_present_rights(request, principal))


def _viewed(request: HttpRequest, principal: Principal | None) -> Principal | None:
    """Return the person as who the reader looks at pages, while that lasts; another organization ends it."""
    flag = request.session.get(VIEW_AS)
    if not flag or principal is None:
        return principal
    viewed = find_viewed(principal, str(flag))
    if viewed is None:
        _end_view(request)
    return viewed or principal


def _end_view(request: HttpRequest) -> None:
    flag = request.session.pop(VIEW_AS, None)
    if flag:
        view_as.end_flagged(viewer_id=user_of(request).pk, flag=str(flag))


def _with_present_rights(request: HttpRequest, principal: Principal) -> Principal:
    """Give the session a new id when the person's rights changed since the last page: an old one opens nothing.

    Rights are what the roles give; conditions of a role that hold here and not there change nothing.
    """
    known = request.session.get(RIGHTS, {})
    given = (f"{one.scope_id} {one.role or ','.join(sorted(one.permissions))}" for one in principal.scoped)
    text = ",".join([principal.role, str(principal.is_staff), *sorted(principal.granted), *sorted(given)])
    organization, rights = str(principal.organization_id), hashlib.sha256(text.encode()).hexdigest()[:16]
    if known.get(organization) == rights:
        return principal
    if organization in known and not _is_whole_page(request):
        return principal  # a fragment or picture must not race with its page for the new cookie
    request.session[RIGHTS] = {**known, organization: rights}
    if organization not in known:
        return principal
    change_id(request, reason="rights_changed")
    return dataclasses.replace(principal, session=session_id(request.session.session_key or ""))


def _is_whole_page(request: HttpRequest) -> bool:
    is_document = request.headers.get("Sec-Fetch-Dest", "document") == "document"
    return request.method == "GET" and is_document and "HX-Request" not in request.headers


def _refuse_to_let_in(request: HttpRequest) -> HttpResponse | None:
    match = request.resolver_match
    if match is None or match.url_name not in _LETS_IN:
        return None
    return error_pages.answer(request, refusal_as_problem(ViewAsHidden()))


def _refuse_in_view(request: HttpRequest) -> HttpResponse | None:
    """Refuse what changes something, and pages that are the person's or the reader's own; None for the rest."""
    match = request.resolver_match
    if match is not None and match.url_name in _WAYS_OUT:
        return None
    if request.method not in _SAFE:
        return error_pages.answer(request, refusal_as_problem(ViewAsReadOnly()))
    is_looked_at = match is not None and (match.app_name or match.url_name) in {*_LOOKED_AT, "home"}
    if match is None or not is_looked_at or match.url_name in _TAKES_AWAY:
        return error_pages.answer(request, refusal_as_problem(ViewAsHidden()))
    return None


def _missing(request: HttpRequest) -> HttpResponse:
    """Answer as for any page that does not exist."""
    return error_pages.answer(request, refusal_as_problem(NotFound()))


def _last_or_first(request: HttpRequest) -> Principal | None:
    last = request.session.get(LAST_ORGANIZATION)
    if last:
        try:
            return seat_of(request, slug=last)
        except OrganizationNotFound:
            del request.session[LAST_ORGANIZATION]
    mine = organizations_of(user_of(request).pk)
    if not mine:
        return None
    return seat_of(request, organization_id=mine[0].id)


def _needs_factor(request: HttpRequest) -> bool:
    """Return whether this page waits for a second factor: the organization asks for it, or the operators' admin."""
    path = request.path_info
    if path.startswith(ADMIN):
        user: Any = request.user
        missing = not user.is_verified() and operators_need_factor(user_id=user.pk)
        request.admin_needs_factor = missing  # type: ignore[attr-defined]  # `core.admin_site` looks at it again
        return missing and user.is_staff
    return getattr(request, "factor_missing", False) and not path.startswith(_WITHOUT_ORGANIZATION)


def _to_factor(request: HttpRequest) -> HttpResponse:
    """Send a page to where a second factor is set up or shown; a fragment takes its whole page there."""
    where = resolve_url("factor_required")
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=403, headers={"HX-Redirect": where})
    if _is_scripted(request):
        return HttpResponse(status=403)
    return redirect_to_login(request.get_full_path() if request.method == "GET" else "/", where)


def _is_scripted(request: HttpRequest) -> bool:
    """Return whether a script asks: it follows a redirection unseen, and takes the page at its end for success."""
    return request.headers.get("X-Requested-With") == "fetch"


def _named_slug(path: str) -> str | None:
    """Return the slug of `/o/<slug>/...`, or None for other pages."""
    return path.removeprefix(ORGANIZATIONS).partition("/")[0] if path.startswith(ORGANIZATIONS) else None


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """Send a page to the sign-in form and back; a fragment takes its whole page there, a script is told so."""
    if request.headers.get("HX-Request") == "true":
        response = HttpResponse(status=401)
        response.headers["HX-Redirect"] = resolve_url(settings.LOGIN_URL)
        return response
    if _is_scripted(request):
        return HttpResponse(status=401)
    target = request.get_full_path() if request.method == "GET" else "/"
    return redirect_to_login(target, resolve_url(settings.LOGIN_URL))
