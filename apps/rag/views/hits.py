"""A hit of an own search: why it was there, and whether it was good; and that a search was meant."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.services import access
from apps.rag.selectors.explaining import explained_hit
from apps.rag.services import thumbs
from apps.rag.services.traces import finish
from apps.rag.types import SearchPath
from apps.rag.views.searching import PageRequest
from apps.rag.views.showing import shown_hit


@require_safe
def why(request: PageRequest, slug: str, search_id: UUID, number: int) -> HttpResponse:
    """Show why a hit is where it is; a script takes the part that it needs."""
    access.require(request.principal, "search.use")
    found = explained_hit(request.principal, search_id=search_id, number=number)
    finish(principal=request.principal, search_id=search_id)
    search = reverse("rag:search", kwargs={"slug": slug})
    context = {
        "area": "search",
        "found": found,
        "shown": shown_hit(request.principal, found.hit, why_url=request.path, is_good=found.is_good),
        "result": {"is_list": found.explanation.path in (SearchPath.LIST, SearchPath.NEWEST)},
        "words_percent": round(100 * found.hit.words_score),
        "search_url": f"{search}?{urlencode({'q': found.query})}",
    }
    return render(request, "rag/why.html", context)


@require_POST
def thumb(request: PageRequest, slug: str, search_id: UUID, number: int) -> HttpResponse:
    """Say that a hit was good (`good=1`), that it was not (`good=0`), or nothing any more."""
    said = request.POST.get("good", "")
    if said in ("0", "1"):
        thumbs.give_thumb(
            principal=request.principal, search_id=search_id, number=number, is_good=said == "1"
        )
    else:
        thumbs.take_thumb_back(principal=request.principal, search_id=search_id, number=number)
    where = reverse("rag:why", kwargs={"slug": slug, "search_id": search_id, "number": number})
    if not getattr(request, "htmx", False):
        return HttpResponseRedirect(where)
    is_good = said == "1" if said in ("0", "1") else None
    return render(request, "rag/parts/thumbs.html", {"why_url": where, "is_good": is_good})


@require_POST
def finished(request: PageRequest, slug: str, search_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Hear from the page that a search was meant: what was found stood for a while, or a hit was opened."""
    access.require(request.principal, "search.use")
    finish(principal=request.principal, search_id=search_id)
    return HttpResponse(status=204)
