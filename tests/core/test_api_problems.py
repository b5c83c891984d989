"""One exception, one answer."""

from __future__ import annotations

import orjson
import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.test import RequestFactory
from psycopg.errors import ForeignKeyViolation, UniqueViolation
from psycopg_pool import PoolTimeout
from rest_framework import exceptions as drf
from structlog.contextvars import bound_contextvars

from apps.core.api import problems
from apps.core.errors import DomainError, FieldError, InvalidInput, NotFound, NotSignedIn, TooManyRequests


class RoomFull(DomainError):
    code = "core.test_room_full"
    status = 409
    message = "There is room for %(limit)s."


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (RoomFull(limit=3), 409, "core.test_room_full"),
        (NotFound(), 404, "core.not_found"),
        (Http404("secret table"), 404, "core.not_found"),
        (drf.NotFound(), 404, "core.not_found"),
        (PermissionDenied("secret"), 403, "core.forbidden"),
        (drf.PermissionDenied(), 403, "core.forbidden"),
        (drf.NotAuthenticated(), 401, "core.not_signed_in"),
        (drf.AuthenticationFailed(), 401, "core.not_signed_in"),
        (drf.MethodNotAllowed("PUT"), 405, "core.method_not_allowed"),
        (drf.UnsupportedMediaType("text/plain"), 415, "core.media_type_not_supported"),
        (drf.NotAcceptable(), 406, "core.not_acceptable"),
        (drf.ParseError(), 400, "core.malformed"),
        (drf.Throttled(wait=3.2), 429, "core.rate_limited"),
        (drf.ValidationError({"name": ["no"]}), 400, "core.invalid_input"),
        (ModelValidationError("no"), 400, "core.invalid_input"),
        (DataError("integer out of range"), 400, "core.invalid_input"),
        (SuspiciousOperation("x"), 400, "core.malformed"),
        (RequestDataTooBig(), 413, "core.body_too_large"),
        (OperationalError("host=10.0.0.1"), 503, "core.unavailable"),
        (InterfaceError(), 503, "core.unavailable"),
        (PoolTimeout(), 503, "core.unavailable"),
        (caused(IntegrityError(), UniqueViolation()), 409, "core.conflict"),
    ],
)
def test_a_refusal_has_status_and_code(error, status, code):
    problem = problems.problem_of(error)
    assert problem is not None
    assert (problem.status, problem.code) == (status, code)
    assert "secret" not in problem.detail
    assert "10.0.0.1" not in problem.detail


@pytest.mark.parametrize(
    "error", [KeyError("x"), caused(IntegrityError(), ForeignKeyViolation()), RuntimeError()]
)
def test_a_fault_of_ours_is_no_refusal(error):
    assert problems.problem_of(error) is None
    assert problems.handle(error, {}) is None


def test_body_names_everything():
    with bound_contextvars(request_id="abc"):
        body = problems.problem_of(RoomFull(limit=3)).as_dict()
    assert body == {
        "type": "urn:chatsystem:problem:core.test_room_full",
        "title": "Conflict",
        "status": 409,
        "code": "core.test_room_full",
        "detail": "There is room for 3.",
        "request_id": "abc",
        "errors": [],
    }


def test_nested_details_become_paths():
    detail = drf.ValidationError(
        {
            "name": ["short"],
            "items": [{}, {"size": ["big"]}],
            "non_field_errors": ["both"],
            "tags": {0: ["odd"]},
        }
    ).detail
    found = [(error.field, error.detail) for error in problems.field_errors(detail)]
    assert found == [("name", "short"), ("items.1.size", "big"), ("", "both"), ("tags.0", "odd")]


def test_headers_say_when_and_how_to_come_back():
    assert problems.problem_of(TooManyRequests(retry_after_seconds=7)).headers == {"Retry-After": "7"}
    assert problems.problem_of(OperationalError()).headers == {"Retry-After": "2"}
    assert problems.problem_of(NotSignedIn()).headers == {"WWW-Authenticate": 'Bearer realm="chatsystem"'}


def test_drf_gets_a_problem_document():
    response = problems.handle(InvalidInput(errors=[FieldError(field="a", code="b", detail="c")]), {})
    assert response.status_code == 400
    assert response.content_type == "application/problem+json"
    assert response.data["errors"] == [{"field": "a", "code": "b", "detail": "c"}]


async def test_an_async_view_speaks_problems_and_stays_async():
    @problems.speaks_problems
    async def view(request: HttpRequest) -> HttpResponse:
        raise NotFound

    response = await view(RequestFactory().get("/"))
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"
    assert orjson.loads(response.content)["code"] == "core.not_found"


def test_a_sync_view_speaks_problems_and_lets_faults_through():
    @problems.speaks_problems
    def view(request: HttpRequest, fault: bool) -> HttpResponse:
        raise (KeyError if fault else NotFound)

    assert view(RequestFactory().get("/"), False).status_code == 404
    with pytest.raises(KeyError):
        view(RequestFactory().get("/"), True)
