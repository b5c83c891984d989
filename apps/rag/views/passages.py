"""A passage of a document at its place: the page with the passage marked, or its text."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.rag.selectors.viewing import passage_address, viewing
from apps.rag.services.citations import open_place
from apps.rag.types import Span
from apps.rag.views.searching import PageRequest


@require_safe
def passage(request: PageRequest, slug: str, document_id: UUID) -> HttpResponse:
    """Show a page of a document; `?page=`, and `?start=` and `?end=` of the passage in the page's text.

    `?mark=` names the passage as it was when the link was made.
    """
    asked = Span(_number(request, "start", 0), _number(request, "end", 0))
    mark = request.GET.get("mark", "")[:64]
    opened = open_place(
        principal=request.principal,
        document_id=document_id,
        page=_number(request, "page", 1),
        span=asked,
        mark=mark,
    )
    shown = partial(
        passage_address,
        slug,
        document_id,
        page=opened.page,
        span=opened.span,
        text=opened.text[opened.span.start : opened.span.end],
    )
    number = opened.page or 1
    context = viewing(request.principal, opened, as_text=request.GET.get("view") == "text")
    turned = partial(passage_address, slug, document_id, span=Span(0, 0), text="")
    context |= {
        "area": "search",
        "page_url": shown(),
        "text_url": shown(as_text=True),
        "previous_url": turned(page=number - 1) if number > 1 else "",
        "next_url": turned(page=number + 1) if number < (opened.page_count or 1) else "",
    }
    return render(request, "rag/passage.html", context)


def _number(request: PageRequest, name: str, otherwise: int) -> int:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else otherwise
