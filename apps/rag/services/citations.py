"""Open what was cited, with the rights of this moment."""

from __future__ import annotations

from apps.accounts.types import Principal
from apps.chat.errors import MessageNotFound
from apps.chat.selectors.messages import get_message
from apps.documents.errors import DocumentNotFound, PageNotFound
from apps.documents.selectors.documents import get_document
from apps.documents.selectors.pages import get_page, marked_boxes
from apps.rag.errors import PassageNotFound
from apps.rag.types import Box, Citation, OpenedPassage, SourceType, Span


def open_citation(*, principal: Principal, citation: Citation) -> OpenedPassage:
    """Return the cited passage in its surroundings. Four queries at most.

    Args:
        principal: the reader; who may not open the source gets nothing, whoever cited it.

    Raises:
        PassageNotFound: the source is gone, or not visible to the reader.
    """
    try:
        if citation.source_type is SourceType.MESSAGE:
            return _message(principal, citation)
        return _page(principal, citation)
    except (MessageNotFound, DocumentNotFound, PageNotFound) as error:
        raise PassageNotFound from error


def _message(principal: Principal, citation: Citation) -> OpenedPassage:
    message = get_message(principal, citation.source)
    if message.deleted_at is not None:
        raise PassageNotFound
    span, is_changed = _place(message.body, citation)
    return OpenedPassage(
        source_type=SourceType.MESSAGE,
        source=message.id,
        title=message.sender.name,
        page=None,
        page_count=None,
        text=message.body,
        span=span,
        boxes=(),
        conversation=message.conversation,
        author_name=message.sender.name,
        time=message.sent_at,
        is_changed=is_changed,
    )


def _page(principal: Principal, citation: Citation) -> OpenedPassage:
    document = get_document(principal=principal, document_id=citation.source)
    number = citation.page or 1
    page = get_page(principal=principal, document_id=document.id, number=number)
    span, is_changed = _place(page.text, citation)
    marked = marked_boxes(
        principal=principal, document_id=document.id, number=number, char_start=span.start, char_end=span.end
    )
    width, height = page.width or 0.0, page.height or 0.0
    return OpenedPassage(
        source_type=SourceType.DOCUMENT,
        source=document.id,
        title=document.title,
        page=number,
        page_count=document.page_count,
        text=page.text,
        span=span,
        boxes=tuple(
            Box(
                box.left * width,
                box.top * height,
                (box.left + box.width) * width,
                (box.top + box.height) * height,
            )
            for box in marked
        ),
        width=page.width,
        height=page.height,
        conversation=document.conversation_id,
        time=document.created_at,
        is_changed=is_changed,
    )


def _place(text: str, citation: Citation) -> tuple[Span, bool]:
    """Return where the quote stands now, and whether that is elsewhere than cited."""
    if text[citation.start : citation.end] == citation.quote:
        return Span(citation.start, citation.end), False
    found = text.find(citation.quote) if citation.quote else -1
    return (Span(found, found + len(citation.quote)), True) if found >= 0 else (Span(0, 0), True)
