"""The reader's time zone: a script leaves it in a cookie, pages write days and times in it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.decorators import sync_and_async_middleware

COOKIE = "timezone"


@sync_and_async_middleware
def local_time(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Write times of the answer in the zone of the cookie; UTC without one."""
    if iscoroutinefunction(get_response):

        async def for_async(request: HttpRequest) -> HttpResponse:
            with timezone.override(zone_of(request)):
                response: HttpResponse = await get_response(request)
            return response

        return for_async

    def for_sync(request: HttpRequest) -> HttpResponse:
        with timezone.override(zone_of(request)):
            response: HttpResponse = get_response(request)
        return response

    return for_sync


def zone_of(request: HttpRequest) -> ZoneInfo | None:
    """Return the zone of the cookie, or None where it names none."""
    return _zone(unquote(request.COOKIES.get(COOKIE, ""))[:64])


@lru_cache(maxsize=600)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None  # whatever a client writes there
