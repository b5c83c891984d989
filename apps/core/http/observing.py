"""One log line and one measurement for each request: which route, how long, how it ended; never what was in it.

Addresses are logged as routes (`/o/<slug>/search/`), because an address may hold a query or a one-time link.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware
from prometheus_client import Counter, Histogram
from structlog.contextvars import bound_contextvars

from apps.core import origin
from apps.core.api.callers import find_caller
from apps.core.http.addresses import client_address
from apps.core.threads import in_thread

QUIET = frozenset({"/livez", "/readyz", "/metrics"})
logger = logging.getLogger(__name__)
seconds = Histogram(
    "chatsystem_http_request_seconds",
    "Time from the first middleware to the answer",
    ["route", "method"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
answers = Counter("chatsystem_http_answers_total", "Answers by status", ["route", "method", "status"])
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@sync_and_async_middleware
def observed(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Give the request its id and origin, then log and measure it, and pay what it owes the audit trail."""
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponse:
            with _observation(request) as outcome, origin.use(address=client_address(request)) as opened:
                try:
                    outcome.append(await get_response(request))
                finally:
                    if opened.owed:
                        await asyncio.shield(in_thread(origin.settle, opened))
            return outcome[0]

        return answer_async

    def answer(request: HttpRequest) -> HttpResponse:
        with _observation(request) as outcome, origin.acting(address=client_address(request)):
            outcome.append(get_response(request))
        return outcome[0]

    return answer


@contextmanager
def _observation(request: HttpRequest) -> Iterator[list[HttpResponse]]:
    """Bind the request's id; `outcome` gets the answer, and stays empty when the client left."""
    outcome: list[HttpResponse] = []
    begun = time.perf_counter()
    with bound_contextvars(request_id=uuid4().hex):
        try:
            yield outcome
        finally:
            _report(request, outcome[0].status_code if outcome else 499, time.perf_counter() - begun)


def _report(request: HttpRequest, status: int, took: float) -> None:
    match = getattr(request, "resolver_match", None)
    route = f"/{match.route}" if match is not None else "none"
    method = request.method if request.method in _METHODS else "other"
    seconds.labels(route, method).observe(took)
    answers.labels(route, method, status).inc()
    if request.path in QUIET:
        return
    caller = find_caller(request)
    logger.log(
        logging.ERROR if status >= 500 else logging.INFO,
        "request",
        extra={
            "method": method,
            "route": route,
            "status": status,
            "milliseconds": round(took * 1000, 1),
            "principal": str(caller.id) if caller else None,
            "organization": str(caller.organization_id) if caller else None,
        },
    )
