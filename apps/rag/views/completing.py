"""Suggestions while writing a search: operators, and the people and places the reader may see."""

from __future__ import annotations

from django.http import HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from apps.accounts.services import access
from apps.chat.selectors.search.completing import complete
from apps.rag.views.searching import PageRequest

_LONGEST = 5


@require_safe
def completions(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """Return what could stand at `at` in the text `q`, and which part of the text it would replace."""
    access.require(request.principal, "search.use")
    text = request.GET.get("q", "")
    given = request.GET.get("at", "")
    at = int(given) if given.isascii() and given.isdigit() and len(given) < _LONGEST else len(text)
    found = complete(principal=request.principal, text=text, at=at)
    return JsonResponse(
        {
            "start": found.start,
            "end": found.end,
            "suggestions": [
                {"text": one.value, "label": one.label, "note": str(one.note)} for one in found.suggestions
            ],
        }
    )
