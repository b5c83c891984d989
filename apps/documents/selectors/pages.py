"""The pages of documents: to read, to mark a passage on, to index."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apps.accounts.types import Principal
from apps.core.text.language import Language
from apps.documents.errors import PageNotFound, sentence
from apps.documents.models import Document, DocumentPage
from apps.documents.parsing import sniff, wire
from apps.documents.parsing.chunking import Chunker
from apps.documents.parsing.types import ParsedPage
from apps.documents.selectors.documents import shown_pages, visible_documents
from apps.documents.types import BlockView, IndexablePage, MarkedBox, PageState, PageView


def get_page(*, principal: Principal, document_id: UUID, number: int) -> PageView:
    """Return a page of a visible document. One query.

    Raises:
        PageNotFound: missing, not settled yet, or not visible.
    """
    row = _visible_page(principal, document_id, number)
    blocks = row.layout.get("blocks", ())
    return PageView(
        document_id=document_id,
        number=row.number,
        state=PageState(row.state),
        error_code=row.error_code,
        error=sentence(row.error_code),
        width=row.width,
        height=row.height,
        text=row.text,
        blocks=tuple(BlockView(kind, level, start, end) for kind, level, start, end, _boxes in blocks),
        has_picture=has_picture(row.document.media_type),
    )


def marked_boxes(
    *, principal: Principal, document_id: UUID, number: int, char_start: int, char_end: int
) -> list[MarkedBox]:
    """Return the boxes to mark for a stretch of a page's text, one for each line; none on a logical page.

    Raises:
        PageNotFound.
    """
    row = _visible_page(principal, document_id, number)
    if not row.width or not row.height:
        return []
    return [
        MarkedBox(
            left=box.x0 / row.width,
            top=box.top / row.height,
            width=(box.x1 - box.x0) / row.width,
            height=(box.bottom - box.top) / row.height,
        )
        for box in parsed_page(row).boxes(char_start, char_end)
    ]


def indexable_page(*, organization_id: UUID, document_id: UUID, number: int) -> IndexablePage | None:
    """Return a page with its chunks for the content index; None when it is gone or could not be read."""
    document = Document.objects.filter(organization_id=organization_id, pk=document_id).first()
    if document is None:
        return None
    pages = DocumentPage.objects.filter(
        organization_id=organization_id,
        document_id=document_id,
        version=document.version,
        state=PageState.PARSED,
    )
    row = pages.filter(number=number).first()
    if row is None:
        return None
    above = pages.filter(number__lt=number).order_by("-number").values_list("headings", flat=True).first()
    chunker = Chunker(language=known_language(document.language), path=open_headings(above))
    return IndexablePage(
        document_id=document_id,
        organization_id=organization_id,
        scope_id=document.scope_id,
        conversation_id=document.conversation_id,
        author_id=document.created_by_id,
        title=document.title,
        media_type=document.media_type,
        language=document.language,
        version=document.version,
        number=number,
        chunks=tuple(chunker.page(parsed_page(row))),
        time=document.created_at,
    )


def list_indexable_pages(*, organization_id: UUID) -> list[tuple[UUID, int]]:
    """Return (document, page) of every page that could be read, for building the content index anew. One query."""
    rows = shown_pages().filter(organization_id=organization_id, state=PageState.PARSED)
    return list(rows.order_by("document_id", "number").values_list("document_id", "number"))


def readable_pages(*, organization_id: UUID, document_id: UUID) -> list[int]:
    """Return the numbers of a document's pages that can be read now. One query."""
    rows = shown_pages().filter(organization_id=organization_id, document_id=document_id)
    return list(rows.filter(state=PageState.PARSED).order_by("number").values_list("number", flat=True))


def find_quote(*, principal: Principal, document_id: UUID, quote: str) -> int | None:
    """Return the first page of a visible document that holds these words as they are; None for none. One query."""
    if not quote.strip() or "\x00" in quote:
        return None
    visible = visible_documents(principal).filter(pk=document_id).values("pk")
    rows = shown_pages().filter(document_id__in=visible, text__contains=quote).order_by("number")
    return rows.values_list("number", flat=True).first()


def first_page(*, principal: Principal, document_id: UUID) -> int | None:
    """Return the first page of a visible document that can be read; None for none. One query."""
    visible = visible_documents(principal).filter(pk=document_id).values("pk")
    rows = shown_pages().filter(document_id__in=visible, state=PageState.PARSED).order_by("number")
    return rows.values_list("number", flat=True).first()


def has_picture(media_type: str) -> bool:
    """Return whether pages of this type have a fixed look that can be shown."""
    return media_type == sniff.PDF


def parsed_page(row: DocumentPage) -> ParsedPage:
    """Return the stored page as the parsing gave it."""
    return wire.page_from_data(
        {"number": row.number, "width": row.width, "height": row.height, "text": row.text, **row.layout}
    )


def open_headings(stored: Any) -> list[tuple[int, str]]:  # JSON of a row, or None
    """Return stored headings as a chunker takes them."""
    return [(level, text) for level, text in stored or ()]


def known_language(language: str) -> Language | None:
    """Return a stored language as the chunker takes it."""
    if language == "de":
        return "de"
    return "en" if language == "en" else None


def _visible_page(principal: Principal, document_id: UUID, number: int) -> DocumentPage:
    row = (
        shown_pages()
        .filter(
            document_id__in=visible_documents(principal).filter(pk=document_id).values("pk"), number=number
        )
        .select_related("document")
        .first()
    )
    if row is None:
        raise PageNotFound
    return row
