"""People as scripts ask for them: suggestions while writing a mention."""

from __future__ import annotations

from django.http import HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from apps.accounts.selectors import people
from apps.chat.views.common import PageRequest

MOST = 8


@require_safe
def find(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """Return who a mention may name, by the beginning of a word of their name."""
    found = people.find_by_name(principal=request.principal, prefix=request.GET.get("q", ""), limit=MOST)
    return JsonResponse(
        {
            "people": [
                {
                    "id": str(person.id),
                    "name": person.name,
                    "title": person.title,
                    "initials": person.initials,
                    "tint": person.tint,
                    "is_agent": person.is_agent,
                }
                for person in found
            ]
        }
    )
