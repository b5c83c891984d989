"""Refusals as problem documents (RFC 9457): the one place where an exception becomes an HTTP answer."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar

import orjson
from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from psycopg.errors import UniqueViolation
from psycopg_pool import PoolTimeout
from rest_framework import exceptions as drf
from rest_framework.response import Response
from structlog.contextvars import get_contextvars

from apps.core import errors
from apps.core.errors import DomainError, FieldError
from apps.core.http import errors as http_errors

MEDIA_TYPE = "application/problem+json"
DATABASE_AWAY = (OperationalError, InterfaceError, PoolTimeout)
RETRY_SECONDS = 2

Answer = HttpResponseBase | Awaitable[HttpResponseBase]
PlainView = TypeVar("PlainView", bound=Callable[..., Answer])
Table = tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], Callable[[], DomainError]], ...]

_DJANGO: Table = (
    (Http404, errors.NotFound),
    (PermissionDenied, errors.Forbidden),
    # A number out of range, a character PostgreSQL cannot store.
    (DataError, errors.InvalidInput),
    ((SuspiciousOperation, BadRequest), lambda: http_errors.Malformed(reason=_("it is not well formed"))),
)
_FRAMEWORK: Table = (
    ((drf.NotAuthenticated, drf.AuthenticationFailed), errors.NotSignedIn),
    (drf.PermissionDenied, errors.Forbidden),
    (drf.NotFound, errors.NotFound),
    (drf.MethodNotAllowed, http_errors.MethodNotAllowed),
    (drf.NotAcceptable, http_errors.NotAcceptable),
    (drf.UnsupportedMediaType, http_errors.MediaTypeNotSupported),
)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """An answer that refuses: what the body says, and the headers that go with it."""

    status: int
    code: str
    detail: str
    errors: tuple[FieldError, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the body; `request_id` names the request in the logs."""
        return {
            "type": f"urn:chatsystem:problem:{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            "request_id": request_id(),
            "errors": [error.as_dict() for error in self.errors],
        }


def request_id() -> str:
    """Return the id under which the logs know this request; empty outside a request."""
    return str(get_contextvars().get("request_id", ""))


def problem_of(error: BaseException) -> Problem | None:
    """Return how an exception is answered, or None for one that is a fault of ours."""
    refusal = _refusal(error)
    return None if refusal is None else refusal_as_problem(refusal, getattr(error, "auth_header", None))


def refusal_as_problem(refusal: DomainError, challenge: str | None = None) -> Problem:
    """Return how a refusal is answered.

    Args:
        challenge: the header `WWW-Authenticate` of a 401.
    """
    return Problem(
        status=refusal.status,
        code=refusal.code,
        detail=refusal.detail,
        errors=tuple(refusal.errors),
        headers=_headers(refusal, challenge),
    )


def problem_response(error: BaseException) -> HttpResponse:
    """Return the answer to a refusal, for views without DRF; raises the error again when it is no refusal."""
    problem = problem_of(error)
    if problem is None:
        raise error
    return response_of(problem)


def response_of(problem: Problem) -> HttpResponse:
    """Return a problem as a plain Django answer."""
    body = orjson.dumps(problem.as_dict())
    return HttpResponse(body, status=problem.status, content_type=MEDIA_TYPE, headers=dict(problem.headers))


def handle(error: Exception, context: Mapping[str, Any]) -> Response | None:  # noqa: ARG001 - DRF's signature
    """DRF exception handler; None leaves the error to the page for faults."""
    problem = problem_of(error)
    if problem is None:
        return None
    return Response(
        problem.as_dict(), status=problem.status, content_type=MEDIA_TYPE, headers=dict(problem.headers)
    )


def speaks_problems(view: PlainView) -> PlainView:
    """Answer the refusals of a plain view, sync or async, as problem documents; an async view stays async."""
    if iscoroutinefunction(view):

        @wraps(view)
        async def answer_async(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                response: HttpResponseBase = await view(request, *args, **kwargs)
            except Exception as error:  # noqa: BLE001 - faults are raised again
                return problem_response(error)
            return response

        return answer_async  # type: ignore[return-value]  # the same signature, wrapped

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> Answer:
        try:
            return view(request, *args, **kwargs)
        except Exception as error:  # noqa: BLE001 - faults are raised again
            return problem_response(error)

    return answer  # type: ignore[return-value]  # the same signature, wrapped


def _refusal(error: BaseException) -> DomainError | None:
    if isinstance(error, DomainError):
        return error
    if isinstance(error, DATABASE_AWAY):
        return errors.Unavailable(retry_after_seconds=RETRY_SECONDS)
    if isinstance(error, drf.APIException):
        return _of_framework(error)
    return _of_django(error)


def _of_django(error: BaseException) -> DomainError | None:
    if isinstance(error, RequestDataTooBig):
        return http_errors.BodyTooLarge(limit_kb=int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0) // 1024)
    if isinstance(error, ModelValidationError):
        return errors.InvalidInput(
            errors=[
                FieldError(field="", code=found.code or "invalid", detail=found.messages[0])
                for found in error.error_list
            ]
        )
    if isinstance(error, IntegrityError) and isinstance(error.__cause__, UniqueViolation):
        return errors.Conflict()
    return _first(_DJANGO, error)


def _of_framework(error: drf.APIException) -> DomainError | None:
    if isinstance(error, drf.ValidationError):
        return errors.InvalidInput(errors=list(field_errors(error.detail)))
    if isinstance(error, drf.Throttled):
        return errors.TooManyRequests(retry_after_seconds=math.ceil(getattr(error, "wait", None) or 1))
    if isinstance(error, drf.ParseError):
        return http_errors.Malformed(reason=str(error.detail))
    return _first(_FRAMEWORK, error)


def _first(table: Table, error: BaseException) -> DomainError | None:
    return next((answer() for kinds, answer in table if isinstance(error, kinds)), None)


def field_errors(detail: Any, path: str = "") -> Iterator[FieldError]:
    """Flatten DRF's nested error details; a path reads `attachments.0.name`, empty for the whole input."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            whole = name == "non_field_errors"
            yield from field_errors(inner, path if whole else f"{path}.{name}" if path else str(name))
    elif isinstance(detail, list | tuple):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, Mapping | list | tuple)
            yield from field_errors(inner, (f"{path}.{index}" if path else str(index)) if nested else path)
    else:
        yield FieldError(field=path, code=getattr(detail, "code", None) or "invalid", detail=str(detail))


def _headers(refusal: DomainError, challenge: str | None) -> dict[str, str]:
    headers: dict[str, str] = {}
    if refusal.retry_after_seconds is not None:
        headers["Retry-After"] = str(refusal.retry_after_seconds)
    elif refusal.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_SECONDS)
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = challenge or 'Bearer realm="chatsystem"'
    return headers
