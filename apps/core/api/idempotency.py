"""`Idempotency-Key`: the same request twice has one effect and one answer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import orjson
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api.callers import find_caller
from apps.core.api.encoding import encode
from apps.core.api.problems import MEDIA_TYPE, problem_of
from apps.core.http.errors import IdempotencyKeyInvalid
from apps.core.services.retry import Answer, Attempt, run_once

REPLAY_HEADER = "Idempotent-Replay"
LONGEST_KEY = 200
_KEPT_HEADERS = ("Location", "ETag")
# Refusals that say "not now" rather than "no": the next try is a new one.
_NOT_KEPT = frozenset({401, 408, 409, 413, 415, 425, 429})

Handler = TypeVar("Handler", bound=Callable[..., Response])


def find_key(request: HttpRequest | Request) -> str | None:
    """Return the retry key of a request.

    Raises:
        IdempotencyKeyInvalid.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 1 <= len(key) <= LONGEST_KEY or not all("!" <= character <= "~" for character in key):
        raise IdempotencyKeyInvalid
    return key


def repeatable(handler: Handler) -> Handler:
    """Let a DRF handler with a JSON body run once for each retry key of a principal.

    The handler runs inside a transaction with the kept answer, so it must not call other systems. Answers 2xx and
    final refusals are kept; faults are not.
    """

    @wraps(handler)
    def once(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key, caller = find_key(request), find_caller(request)
        if key is None or caller is None:
            return handler(view, request, *args, **kwargs)
        attempt = Attempt(
            principal_id=caller.id,
            organization_id=caller.organization_id,
            key=key,
            request_hash=_hash(request),
        )
        answer, is_repeated = run_once(
            attempt, work=lambda: _answer(handler(view, request, *args, **kwargs)), refuse=_refused
        )
        return _response(answer, is_repeated=is_repeated)

    once.is_repeatable = True  # type: ignore[attr-defined]  # read by the schema
    return once  # type: ignore[return-value]  # the same signature, wrapped


def _hash(request: Request) -> str:
    caller = find_caller(request)
    parts = [request.method, request.get_full_path(), caller and str(caller.organization_id), request.data]
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _answer(response: Response) -> Answer:
    headers = {name: response[name] for name in _KEPT_HEADERS if name in response}
    body = b"" if response.data is None else encode(response.data)
    return Answer(status=response.status_code, body=body, headers=headers)


def _refused(error: Exception) -> Answer | None:
    problem = problem_of(error)
    if problem is None or problem.status >= 500 or problem.status in _NOT_KEPT:
        return None
    return Answer(
        status=problem.status,
        body=encode(problem.as_dict()),
        content_type=MEDIA_TYPE,
        headers=problem.headers,
    )


def _response(answer: Answer, *, is_repeated: bool) -> Response:
    return Response(
        orjson.loads(answer.body) if answer.body else None,
        status=answer.status,
        content_type=answer.content_type or None,
        headers={**answer.headers, **({REPLAY_HEADER: "true"} if is_repeated else {})},
    )
