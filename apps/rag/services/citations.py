"""Open what was cited, with the rights of this moment."""

from __future__ import annotations

from uuid import UUID

from apps.accounts.types import Principal
from apps.chat.errors import MessageNotFound
from apps.chat.selectors.messages import get_message
from apps.documents.errors import DocumentNotFound, PageNotFound
from apps.documents.selectors.documents import get_document
from apps.documents.selectors.pages import find_quote, first_page, get_page, marked_boxes
from apps.documents.selectors.sources import find_origin
from apps.documents.types import DocumentView, PageView
from apps.rag.errors import PassageNotFound
from apps.rag.text.marks import mark_of
from apps.rag.types import Box, Citation, OpenedPassage, SourceType, Span

NOWHERE = Span(0, 0)


def open_citation(*, principal: Principal, citation: Citation) -> OpenedPassage:
    """Return the cited passage in its surroundings. Six queries at most where it stands in its place.

    A document whose content was replaced opens where the quote stands now, else at the cited page, else at its first.

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


def open_place(*, principal: Principal, document_id: UUID, page: int, span: Span, mark: str) -> OpenedPassage:
    """Return a page of a document with a passage of it, marked only if it is still what the link says.

    Args:
        mark: `mark_of` the passage; empty opens the place whatever it says.

    Raises:
        PassageNotFound: as above; also a page that never was.
    """
    try:
        document = get_document(principal=principal, document_id=document_id)
        found = _find_page(principal, document, page)
        if found is None and document.version > 1:
            number = first_page(principal=principal, document_id=document_id)
            found = _find_page(principal, document, number) if number else None
            mark = mark or "replaced"
        here = _there(found)
    except (DocumentNotFound, PageNotFound) as error:
        raise PassageNotFound from error
    is_changed = bool(mark) and mark_of(here.text[span.start : span.end]) != mark
    return _opened(principal, document, here, NOWHERE if is_changed else span, is_changed=is_changed)


def _page(principal: Principal, citation: Citation) -> OpenedPassage:
    document = get_document(principal=principal, document_id=citation.source)
    page = _find_page(principal, document, citation.page or 1)
    if page is None or citation.quote not in page.text:
        number = find_quote(principal=principal, document_id=document.id, quote=citation.quote)
        if number is None and page is None:
            number = first_page(principal=principal, document_id=document.id)
        page = _find_page(principal, document, number) if number else page
    page = _there(page)
    span, is_changed = _place(page.text, citation)
    return _opened(
        principal, document, page, span, is_changed=is_changed or page.number != (citation.page or 1)
    )


def _find_page(principal: Principal, document: DocumentView, number: int) -> PageView | None:
    try:
        return get_page(principal=principal, document_id=document.id, number=number)
    except PageNotFound:
        return None


def _there(page: PageView | None) -> PageView:
    if page is None:
        raise PageNotFound
    return page


def _opened(
    principal: Principal, document: DocumentView, page: PageView, span: Span, *, is_changed: bool
) -> OpenedPassage:
    marked = marked_boxes(
        principal=principal,
        document_id=document.id,
        number=page.number,
        char_start=span.start,
        char_end=span.end,
    )
    width, height = page.width or 0.0, page.height or 0.0
    return OpenedPassage(
        source_type=SourceType.DOCUMENT,
        source=document.id,
        title=document.title,
        page=page.number,
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
        origin=find_origin(organization_id=document.organization_id, document_id=document.id),
        renewed_at=document.renewed_at,
        is_changed=is_changed,
    )


def _place(text: str, citation: Citation) -> tuple[Span, bool]:
    """Return where the quote stands now, and whether that is elsewhere than cited."""
    if text[citation.start : citation.end] == citation.quote:
        return Span(citation.start, citation.end), False
    found = text.find(citation.quote) if citation.quote else -1
    return (Span(found, found + len(citation.quote)), True) if found >= 0 else (NOWHERE, True)
