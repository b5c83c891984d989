"""Other words for a search that found little: the page shows its hits first, and a reader asks for them."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from apps.accounts.services import access
from apps.chat.selectors.search.grammar import clean
from apps.rag.errors import NoOtherWords
from apps.rag.selectors.search import search
from apps.rag.selectors.suggestions import sealed
from apps.rag.services import rewriting
from apps.rag.types import RewritingState, SearchOrigin
from apps.rag.views.searching import PAGE, PageRequest, filters_of, plain_of, related_of


@require_POST
def other_words(request: PageRequest, slug: str) -> HttpResponse:
    """Ask the language model for other words and go to the search with them, whose address holds them.

    Raises:
        NoOtherWords: the hits stay on the page.
    """
    access.require(request.principal, "search.use")
    query, values = clean(request.GET.get("q", "")), request.GET.copy()
    values.pop("cursor", None)
    result = search(
        principal=request.principal,
        query=query,
        filters=filters_of(request),
        limit=PAGE,
        plain=plain_of(request),
        related=related_of(request),
    )
    found = rewriting.rewrite(
        principal=request.principal, text=query, result=result, origin=SearchOrigin.PAGE
    )
    if found.state == RewritingState.FAILED:
        raise NoOtherWords
    if found.suggestions:
        values["words"] = sealed(request.principal.organization_id, query, found.suggestions)
    where = f"{reverse('rag:search', kwargs={'slug': slug})}?{values.urlencode()}"
    if not getattr(request, "htmx", False):
        return HttpResponseRedirect(where)
    return HttpResponse(status=204, headers={"HX-Redirect": where})
