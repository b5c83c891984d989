"""Walk the routes."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, get_resolver


def public_routes() -> set[str]:
    """Return the routes outside the API whose view is marked as open to visitors."""
    found: set[str] = set()

    def walk(entries: list[URLPattern | URLResolver], prefix: str) -> None:
        for entry in entries:
            route = prefix + str(entry.pattern)
            if isinstance(entry, URLResolver):
                walk(entry.url_patterns, route)
            elif not getattr(entry.callback, "login_required", True) and not route.startswith("api/"):
                found.add(route)

    walk(get_resolver().url_patterns, "")
    return found
