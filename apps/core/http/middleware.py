"""What every answer has in common. All of it runs on the event loop for async views and in the thread for sync ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.middleware.security import SecurityMiddleware
from django.utils.cache import patch_vary_headers
from django.utils.decorators import sync_and_async_middleware

from apps.core.api.problems import request_id
from apps.core.http import error_pages, headers, request_limits

Answering = Callable[[HttpRequest], Any]  # an answer, or an awaitable of one

_PRIVATE = "private, no-store"


@sync_and_async_middleware
def refusals(get_response: Answering) -> Answering:
    """Answer refusals that views raise, among them a database that is away (503, `Retry-After`)."""
    if iscoroutinefunction(get_response):

        async def pass_async(request: HttpRequest) -> HttpResponse:
            response: HttpResponse = await get_response(request)
            return response

        pass_async.process_exception = error_pages.answer_refusal  # type: ignore[attr-defined]  # Django's hook
        return pass_async

    def pass_on(request: HttpRequest) -> HttpResponse:
        response: HttpResponse = get_response(request)
        return response

    pass_on.process_exception = error_pages.answer_refusal  # type: ignore[attr-defined]  # Django's hook
    return pass_on


def secure_address(get_response: Answering) -> Answering:
    """Do for async API views what `SecurityMiddleware` does; what answers carry, `headers.completed` adds."""
    security = SecurityMiddleware(get_response)

    async def answer_async(request: HttpRequest) -> HttpResponse:
        redirect = security.process_request(request)
        response: HttpResponse = redirect or await get_response(request)
        return response

    return answer_async


@sync_and_async_middleware
def limited(get_response: Answering) -> Answering:
    """Refuse oversized requests, and networks that keep failing to sign in, before anything is looked up."""
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponse:
            refusal = request_limits.refusal_of(request)
            if refusal is not None:
                return error_pages.answer(request, refusal)
            response: HttpResponse = await get_response(request)
            await request_limits.note_async(request, response)
            return response

        return answer_async

    def answer(request: HttpRequest) -> HttpResponse:
        refusal = request_limits.refusal_of(request)
        if refusal is not None:
            return error_pages.answer(request, refusal)
        response: HttpResponse = get_response(request)
        request_limits.note(request, response)
        return response

    return answer


@sync_and_async_middleware
def response_headers(get_response: Answering) -> Answering:
    """Write the headers every answer carries; static files are answered before this."""
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponse:
            return _with_headers(request, await get_response(request))

        return answer_async

    def answer(request: HttpRequest) -> HttpResponse:
        return _with_headers(request, get_response(request))

    return answer


def _with_headers(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    response.headers.setdefault("Permissions-Policy", headers.PERMISSIONS)
    response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    response.headers.setdefault("X-Request-ID", request_id())
    _keep_private(response)
    patch_vary_headers(response, ["Cookie", "Authorization", "HX-Request"])
    taken = getattr(request, "rate_limit", None)
    if taken is not None:
        for name, value in taken.headers().items():
            response.headers[name] = value
    return response


def _keep_private(response: HttpResponse) -> None:
    """No shared cache keeps an answer that is not declared private, whoever asked."""
    given = response.headers.get("Cache-Control", "")
    if "private" not in given and "no-store" not in given:
        response.headers["Cache-Control"] = _PRIVATE
