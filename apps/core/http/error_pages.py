"""Refusals and faults as the reader can use them: a page, a fragment for htmx, or a problem document.

Nothing here asks the database, so the pages stand while it is away.
"""

from __future__ import annotations

import sys
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from apps.core.api.problems import Problem, problem_of, refusal_as_problem, request_id, response_of
from apps.core.errors import DomainError, Forbidden, NotFound
from apps.core.http.errors import CrossSiteRequest, Malformed, ServerFault

TOAST_AREA, TOAST = "#toasts", ".toast"


def answer_refusal(request: HttpRequest, error: BaseException) -> HttpResponse | None:
    """Return the answer to a refusal, for middleware and error hooks; None when the error is a fault of ours."""
    problem = problem_of(error)
    return None if problem is None else answer(request, problem, why=_why(request, error))


def answer(request: HttpRequest, problem: Problem, *, why: str = "") -> HttpResponse:
    """Return a problem in the form this request can show.

    Args:
        why: address of the page that explains it to this reader.
    """
    if _wants_json(request):
        return response_of(problem)
    context: dict[str, Any] = {
        "status": problem.status,
        "code": problem.code,
        "title": _title(problem.status),
        "detail": problem.detail,
        "request_id": request_id(),
        "why": why,
        "theme": "",  # no context processor runs: they ask the database
        "request": request,
    }
    headers = dict(problem.headers)
    if request.headers.get("HX-Request") == "true" and "HX-Boosted" not in request.headers:
        # Error answers are swapped like any other: send this one to the toasts, whatever asked for it, and all of it,
        # whichever part of the page was asked for.
        headers |= {
            "HX-Retarget": TOAST_AREA,
            "HX-Reswap": "beforeend",
            "HX-Reselect": TOAST,
            "HX-Push-Url": "false",
        }
        return HttpResponse(
            render_to_string("errors/toast.html", context), status=problem.status, headers=headers
        )
    return HttpResponse(render_to_string("errors/page.html", context), status=problem.status, headers=headers)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400."""
    return _refuse(request, exception, Malformed(reason=_("it is not well formed")))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler403."""
    return _refuse(request, exception, Forbidden())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404."""
    return _refuse(request, exception, NotFound())


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: a fault of ours, or a refusal that left a middleware."""
    error = sys.exc_info()[1]
    return _refuse(request, error if error is not None else ServerFault(), ServerFault())


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Refuse a write without the token of its page; the reason is for the logs only."""
    return _refuse(request, CrossSiteRequest(), CrossSiteRequest())


def _refuse(request: HttpRequest, error: BaseException, otherwise: DomainError) -> HttpResponse:
    return answer(request, problem_of(error) or refusal_as_problem(otherwise), why=_why(request, error))


def _why(request: HttpRequest, error: BaseException) -> str:
    """Return where a missing right is explained to who misses it; what does not exist has no such page."""
    slug = getattr(getattr(request, "principal", None), "organization_slug", "")
    action = error.fields.get("action") if isinstance(error, Forbidden) else None
    return f"/o/{slug}/why/?action={action}" if slug and action else ""


def _wants_json(request: HttpRequest) -> bool:
    accept = request.headers.get("Accept", "")
    return request.path.startswith("/api/") or ("json" in accept and "text/html" not in accept)


def _title(status: int) -> str:
    titles = {
        HTTPStatus.UNAUTHORIZED: _("Please sign in"),
        HTTPStatus.FORBIDDEN: _("Not allowed"),
        HTTPStatus.NOT_FOUND: _("Not found"),
        HTTPStatus.GONE: _("No longer valid"),
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: _("Too large"),
        HTTPStatus.TOO_MANY_REQUESTS: _("Too fast"),
        HTTPStatus.SERVICE_UNAVAILABLE: _("One moment"),
    }
    default = _("Our fault") if status >= HTTPStatus.INTERNAL_SERVER_ERROR else _("That did not work")
    return titles.get(HTTPStatus(status), default)
