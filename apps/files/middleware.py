"""Keep the host that serves files apart from the one with pages: neither answers for the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.utils.decorators import sync_and_async_middleware

from apps.core.api.problems import refusal_as_problem
from apps.core.errors import NotFound
from apps.core.http import error_pages
from apps.files.services.links import PREFIX, files_host

Answer = Callable[[HttpRequest], Any]  # a response, or the coroutine of one


@sync_and_async_middleware
def separate_hosts(get_response: Answer) -> Answer:
    """Answer 404 for pages at the files' host, whose content strangers write, and for its links elsewhere."""
    if iscoroutinefunction(get_response):

        async def for_async(request: HttpRequest) -> HttpResponse:
            if _is_misplaced(request):
                return _refuse(request)
            response: HttpResponse = await get_response(request)
            return response

        return for_async

    def for_sync(request: HttpRequest) -> HttpResponse:
        if _is_misplaced(request):
            return _refuse(request)
        response: HttpResponse = get_response(request)
        return response

    return for_sync


def _is_misplaced(request: HttpRequest) -> bool:
    host = files_host()
    if not host:
        return False  # the view of the links refuses by itself
    asked, _port = split_domain_port(request.get_host())
    return (asked == host) != request.path_info.startswith(PREFIX)


def _refuse(request: HttpRequest) -> HttpResponse:
    return error_pages.answer(request, refusal_as_problem(NotFound()))
