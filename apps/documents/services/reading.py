"""Read documents page by page in the parsing process; each page is stored, announced and searchable by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from apps.core.events import log
from apps.documents import events
from apps.documents.errors import Unreadable
from apps.documents.models import Document, DocumentPage
from apps.documents.parsing import wire
from apps.documents.parsing.chunking import Chunker
from apps.documents.parsing.errors import ErrorCode, ParseError
from apps.documents.parsing.types import Outline, PageFailed, ParsedPage
from apps.documents.sandbox import client
from apps.documents.selectors.pages import known_language, open_headings
from apps.documents.types import DocumentState, PageState
from apps.files.errors import ContentMissing
from apps.files.selectors.files import find_content
from apps.files.services.contents import local_path

_KEPT_LAYOUT = ("blocks", "spans", "replaced")


class Gone(Exception):
    """The document was deleted or replaced while its run waited: there is nothing to do."""


class PageReader:
    """The pages of one document in one parsing process, as long as they are asked for in order."""

    def __init__(self, path: Path, media_type: str) -> None:
        self._path, self._media_type = path, media_type
        self._pages: Iterator[ParsedPage | PageFailed] = iter(())
        self._next = 0

    def page(self, number: int) -> ParsedPage | PageFailed:
        """Return a page; a number out of order starts the process anew."""
        if number != self._next:
            self.close()
            self._pages, self._next = (
                client.iter_pages(self._path, self._media_type, first_page=number),
                number,
            )
        self._next += 1
        try:
            return next(self._pages)
        except StopIteration:
            code = ErrorCode.CORRUPT  # fewer pages than the outline said
        except ParseError as error:
            code = error.code
        self.close()
        return PageFailed(number, code)

    def close(self) -> None:
        """End the process."""
        close = getattr(self._pages, "close", None)
        if close is not None:
            close()
        self._pages, self._next = iter(()), 0


@contextmanager
def page_reader(*, organization_id: UUID, document_id: UUID, version: int) -> Iterator[PageReader]:
    """Give the reader of a document; it ends with the block.

    Raises:
        Gone, ContentMissing.
    """
    with ExitStack() as stack:
        row = _document(organization_id, document_id, version)
        reader = PageReader(stack.enter_context(_local_file(row)), row.media_type)
        stack.callback(reader.close)
        yield reader


def open_document(*, organization_id: UUID, document_id: UUID, version: int) -> Outline:
    """Find title, language and number of pages, and keep them.

    Raises:
        Gone, ContentMissing.
        Unreadable: the whole file; the document says why.
    """
    row = _document(organization_id, document_id, version)
    Document.objects.filter(pk=row.pk).update(state=DocumentState.READING, error_code="")
    try:
        with _local_file(row) as path:
            outline = client.open_document(path, row.media_type)
    except ParseError as error:
        raise Unreadable(error.code) from error
    changes: dict[str, Any] = {"page_count": outline.page_count, "language": outline.language or ""}
    if outline.title and row.title == Path(row.name).stem:
        changes["title"] = outline.title[:300]  # nobody gave it another one
    Document.objects.filter(pk=row.pk, version=version).update(**changes)
    return outline


def store_page(
    *, organization_id: UUID, document_id: UUID, version: int, found: ParsedPage | PageFailed
) -> None:
    """Keep a page, and announce it when it can be read; a page that was kept before is replaced.

    Raises:
        Gone: the document was deleted meanwhile; nothing is kept.
        Unreadable: for a failed page, after it was noted.
    """
    with transaction.atomic():
        row = _document(organization_id, document_id, version, lock=True)
        values = _failed(found) if isinstance(found, PageFailed) else _parsed(row, found)
        DocumentPage.objects.update_or_create(
            organization_id=organization_id, document_id=document_id, number=found.number, defaults=values
        )
        if isinstance(found, ParsedPage):
            log.record(events.PageParsed(**about(row), page=found.number))
        if row.state in (DocumentState.READY, DocumentState.FAILED):
            _settle(row)  # a page that was tried again after the end
    if isinstance(found, PageFailed):
        raise Unreadable(found.code)


def settle(*, organization_id: UUID, document_id: UUID, version: int) -> None:
    """Say that all pages are settled: ready with at least one page, failed with none.

    Raises:
        Gone.
    """
    with transaction.atomic():
        _settle(_document(organization_id, document_id, version, lock=True))


def note_end(*, organization_id: UUID, document_id: UUID, error_code: str) -> None:
    """Note that the run ended without success. One statement; a document that was settled stays as it is."""
    Document.objects.filter(
        organization_id=organization_id,
        pk=document_id,
        state__in=(DocumentState.QUEUED, DocumentState.READING),
    ).update(state=DocumentState.FAILED, error_code=error_code)


def about(row: Document) -> dict[str, Any]:
    """Return what all events of a document say."""
    return {
        "organization_id": row.organization_id,
        "stream_id": row.pk,
        "scope_id": row.scope_id,
        "document_id": row.pk,
        "version": row.version,
    }


def _settle(row: Document) -> None:
    pages = DocumentPage.objects.filter(document_id=row.pk).aggregate(
        parsed=Count("pk", filter=Q(state=PageState.PARSED)),
        failed=Count("pk", filter=Q(state=PageState.FAILED)),
    )
    row.state = DocumentState.READY if pages["parsed"] else DocumentState.FAILED
    first = DocumentPage.objects.filter(document_id=row.pk, state=PageState.FAILED).order_by("number").first()
    row.error_code = first.error_code if first and not pages["parsed"] else ""
    row.save(update_fields=["state", "error_code"])
    log.record(
        events.DocumentParsed(
            **about(row), state=row.state, page_count=row.page_count or 0, pages_failed=pages["failed"]
        )
    )


def _document(organization_id: UUID, document_id: UUID, version: int, *, lock: bool = False) -> Document:
    rows = Document.objects.filter(organization_id=organization_id, pk=document_id, version=version)
    row = (rows.select_for_update(no_key=True) if lock else rows).first()
    if row is None:
        raise Gone
    return row


@contextmanager
def _local_file(row: Document) -> Iterator[Path]:
    content = find_content(organization_id=row.organization_id, file_id=row.file_id)
    if content is None:
        raise ContentMissing
    with local_path(content) as path:
        yield path


def _parsed(row: Document, page: ParsedPage) -> dict[str, Any]:
    data = wire.page_to_data(page)
    above = (
        DocumentPage.objects.filter(document_id=row.pk, number__lt=page.number, state=PageState.PARSED)
        .order_by("-number")
        .values_list("headings", flat=True)
        .first()
    )
    chunker = Chunker(language=known_language(row.language), path=open_headings(above))
    chunker.page(page)
    return {
        "state": PageState.PARSED,
        "error_code": "",
        "width": page.width,
        "height": page.height,
        "text": page.text,
        "layout": {name: data[name] for name in _KEPT_LAYOUT},
        "headings": chunker.path,
        "parsed_at": timezone.now(),
    }


def _failed(page: PageFailed) -> dict[str, Any]:
    return {
        "state": PageState.FAILED, "error_code": page.code.value, "text": "", "layout": {}, "headings": [],
        "parsed_at": timezone.now(),
    }  # fmt: skip
