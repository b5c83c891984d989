"""The number on the bell, on every page of a signed-in person."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.http import HttpRequest

from apps.notify.selectors.notifications import unread_count


def bell(request: HttpRequest) -> dict[str, Any]:
    """Return `unread_notifications`. One query, when a template looks at it."""
    principal = getattr(request, "principal", None)  # of a page under /o/<slug>/
    if principal is None:
        return {"unread_notifications": 0}
    return {"unread_notifications": cache(lambda: unread_count(principal))}
