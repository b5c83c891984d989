"""Requests for pages are counted like those of the API, from the same buckets; the API counts its own in its views."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware

from apps.core.api.callers import find_caller
from apps.core.api.problems import refusal_as_problem
from apps.core.api.throttling import buckets_of, note
from apps.core.errors import TooManyRequests
from apps.core.http import error_pages
from apps.core.services import limits
from apps.core.services.limits import Bucket, Taken

_UNCOUNTED = ("/api/", "/livez", "/readyz", "/metrics")


@sync_and_async_middleware
def paced(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Refuse who asks for pages too fast. Stands behind what knows the caller."""
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponse:
            buckets = _buckets(request)
            refusal = _refusal(request, await limits.take_async(buckets)) if buckets else None
            response: HttpResponse = refusal or await get_response(request)
            return response

        return answer_async

    def answer(request: HttpRequest) -> HttpResponse:
        buckets = _buckets(request)
        refusal = _refusal(request, limits.take(buckets)) if buckets else None
        response: HttpResponse = refusal or get_response(request)
        return response

    return answer


def _buckets(request: HttpRequest) -> list[Bucket]:
    return [] if request.path_info.startswith(_UNCOUNTED) else buckets_of(find_caller(request))


def _refusal(request: HttpRequest, taken: Taken) -> HttpResponse | None:
    note(request, taken)
    if taken.is_allowed:
        return None
    refused = TooManyRequests(retry_after_seconds=taken.retry_after_seconds)
    return error_pages.answer(request, refusal_as_problem(refused))
