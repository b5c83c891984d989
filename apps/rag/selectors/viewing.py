"""What the viewer of a passage shows, here and beside an answer; and where a hit opens."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from apps.accounts.types import Principal
from apps.documents.selectors.documents import get_document
from apps.documents.selectors.pages import has_picture
from apps.rag.text.marks import mark_of
from apps.rag.types import Hit, OpenedPassage, SourceType, Span


def passage_address(
    slug: str, document_id: UUID, *, page: int | None, span: Span, text: str, as_text: bool = False
) -> str:
    """Return where a passage of a document is shown.

    Args:
        text: the passage; should another one stand there later, the page says so instead of marking it.
    """
    address = reverse("rag:passage", kwargs={"slug": slug, "document_id": document_id})
    asked: dict[str, Any] = {"page": page or 1}
    if span.start < span.end:
        asked |= {"start": span.start, "end": span.end, "mark": mark_of(text)}
    if as_text:
        asked["view"] = "text"
    return f"{address}?{urlencode(asked)}"


def viewing(principal: Principal, opened: OpenedPassage, *, as_text: bool = False) -> dict[str, Any]:
    """Return what the viewer shows of an opened passage; the rights were checked when it was opened."""
    image_url, file_url, message_url = "", "", ""
    if opened.source_type == SourceType.DOCUMENT:
        slug = principal.organization_slug
        document = get_document(principal=principal, document_id=opened.source)
        file_url = reverse(
            "files:file", kwargs={"slug": slug, "file_id": document.file_id, "name": document.name}
        )
        if document.conversation_id and document.message_id:
            where = {"conversation_id": document.conversation_id, "message_id": document.message_id}
            message_url = reverse("chat:message", kwargs={"slug": slug, **where})
        if opened.width and has_picture(document.media_type):
            kwargs = {"slug": slug, "document_id": opened.source, "number": opened.page}
            image_url = f"{reverse('documents:page_image', kwargs=kwargs)}?large"
    return {
        "passage": opened,
        "before": opened.text[: opened.span.start],
        "marked": opened.text[opened.span.start : opened.span.end],
        "after": opened.text[opened.span.end :],
        "boxes": [
            {
                "x": box.x0 - 1,
                "y": box.top - 1,
                "width": box.x1 - box.x0 + 2,
                "height": box.bottom - box.top + 2,
            }
            for box in opened.boxes
        ],
        "image_url": image_url,
        "file_url": file_url,
        "message_url": message_url,
        "as_text": as_text or not image_url,
    }


def hit_address(principal: Principal, hit: Hit) -> str:
    """Return where a hit opens: a message in its conversation, a passage of a document."""
    slug = principal.organization_slug
    if hit.source_type == SourceType.MESSAGE and hit.conversation:
        kwargs = {"slug": slug, "conversation_id": hit.conversation, "message_id": _shown_message(hit)}
        return reverse("chat:message", kwargs=kwargs)
    return passage_address(slug, hit.source, page=hit.page, span=hit.span, text=hit.text)


def _shown_message(hit: Hit) -> UUID:
    """Return which message of a hit opens: the one that holds the first word that was found, else the first."""
    first = hit.snippet_start - hit.span.start + hit.highlights[0].start if hit.highlights else 0
    holding = (part.message for part in hit.messages if part.start <= first < part.end)
    return next(holding, hit.messages[0].message if hit.messages else hit.source)
