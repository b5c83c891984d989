"""A passage of a document at its place: the page with the passage marked, or its text."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from apps.documents.errors import DocumentNotFound, PageNotFound
from apps.documents.selectors.pages import get_page
from apps.rag.errors import PassageNotFound
from apps.rag.selectors.viewing import viewing
from apps.rag.services.citations import open_citation
from apps.rag.types import Citation, SourceType
from apps.rag.views.searching import PageRequest


@require_safe
def passage(request: PageRequest, slug: str, document_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Show a page of a document; `?page=`, and `?start=` and `?end=` of the passage in the page's text."""
    number = _number(request, "page", 1)
    start, end = _number(request, "start", 0), _number(request, "end", 0)
    try:
        text = get_page(principal=request.principal, document_id=document_id, number=number).text
    except (DocumentNotFound, PageNotFound) as error:
        raise PassageNotFound from error
    citation = Citation(
        source_type=SourceType.DOCUMENT,
        source=document_id,
        page=number,
        start=start,
        end=end,
        quote=text[start:end],
    )
    opened = open_citation(principal=request.principal, citation=citation)
    context = viewing(request.principal, opened, as_text=request.GET.get("view") == "text")
    address = reverse(
        "rag:passage", kwargs={"slug": request.principal.organization_slug, "document_id": document_id}
    )
    pages = {"previous": number - 1, "next": number + 1 if number < (opened.page_count or 1) else 0}
    context |= {
        "area": "search",
        "page_url": f"{address}?{urlencode({'page': number, 'start': start, 'end': end})}",
        "text_url": f"{address}?{urlencode({'page': number, 'start': start, 'end': end, 'view': 'text'})}",
        "previous_url": f"{address}?page={pages['previous']}" if pages["previous"] else "",
        "next_url": f"{address}?page={pages['next']}" if pages["next"] else "",
    }
    return render(request, "rag/passage.html", context)


def _number(request: PageRequest, name: str, otherwise: int) -> int:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else otherwise
