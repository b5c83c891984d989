"""The addresses of all registered console pages, each behind the permission its app named."""

from __future__ import annotations

from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, path

from apps.accounts.types import Principal
from apps.core.console_shell import may_open
from apps.core.errors import NotFound
from apps.core.registry import ConsolePage, console_pages

START = "overview"


def console_routes() -> list[URLPattern]:
    """Return the routes below an organization; the overview is the console's start, `console/`."""
    found: list[URLPattern] = []
    for page in console_pages():
        prefix = "console/" if page.slug == START else f"console/{page.slug}/"
        found.append(path(prefix, guarded(page, page.view), name=page.slug))
        for route in page.routes:
            if not isinstance(route, URLPattern):
                raise TypeError(f"a console page has plain routes: {page.slug}")
            below = prefix + str(route.pattern)
            found.append(path(below, guarded(page, route.callback), route.default_args, name=route.name))
    return found


def guarded(page: ConsolePage, view: Any) -> Any:  # any sync view, with whatever its route takes
    """Answer as if the page did not exist to those who may not open it."""

    @wraps(view)
    def behind_the_door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        principal: Principal | None = getattr(request, "principal", None)
        if principal is None or not may_open(principal, page.permission):
            raise NotFound
        response: HttpResponseBase = view(request, *args, **kwargs)
        return response

    return behind_the_door
