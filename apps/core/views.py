"""Pages of the mechanisms."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.core import palette


@require_safe
def find_targets(request: HttpRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """Return the options of the command palette for what was typed so far, as a fragment."""
    principal: Any = request.principal  # type: ignore[attr-defined]  # set by the middleware of accounts
    groups = palette.find(principal, request.GET.get("q", ""))
    return render(request, "parts/palette.html", {"groups": groups})
