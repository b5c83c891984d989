"""Read documents page by page in the parsing process; each page is stored, announced and searchable by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from apps.core.events import log
from apps.documents import events
from apps.documents.errors import Unreadable
from apps.documents.models import Document, DocumentPage, Renewal
from apps.documents.parsing import wire
from apps.documents.parsing.chunking import Chunker
from apps.documents.parsing.errors import ErrorCode, ParseError
from apps.documents.parsing.types import Outline, PageFailed, ParsedPage
from apps.documents.sandbox import client
from apps.documents.selectors.pages import known_language, open_headings
from apps.documents.services import renewing
from apps.documents.services.content import about
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

    def outline(self) -> Outline:
        """Open the document anew; the process that says what it has goes on with its pages.

        Raises:
            ParseError: it cannot be read.
        """
        self.close()
        opened = client.open_document(self._path, self._media_type)
        self._pages, self._next = opened.pages, 1
        return opened.outline

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
        row = _content(organization_id, document_id, version)
        reader = PageReader(stack.enter_context(_local_file(row)), row.media_type)
        stack.callback(reader.close)
        yield reader


def open_document(*, organization_id: UUID, document_id: UUID, version: int, reader: PageReader) -> Outline:
    """Find title, language and number of pages, and keep them.

    Raises:
        Gone.
        Unreadable: the whole file; the document says why.
    """
    row = _content(organization_id, document_id, version)
    _change(row, state=DocumentState.READING, error_code="")
    try:
        outline = reader.outline()
    except ParseError as error:
        raise Unreadable(error.code) from error
    _change(row, page_count=outline.page_count, language=outline.language or "")
    if outline.title and row.title == Path(row.name).stem:
        _entitle(row, outline.title[:300])
    return outline


def store_page(
    *, organization_id: UUID, document_id: UUID, version: int, found: ParsedPage | PageFailed
) -> None:
    """Keep a page, and announce it when it can be read; a page that was kept before is replaced.

    Raises:
        Gone: the document was deleted, or this content dropped; nothing is kept.
        Unreadable: for a failed page, after it was noted.
    """
    with transaction.atomic():
        row = _content(organization_id, document_id, version, lock=True)
        values = _failed(found) if isinstance(found, PageFailed) else _parsed(row, found)
        DocumentPage.objects.update_or_create(
            organization_id=organization_id,
            document_id=document_id,
            version=version,
            number=found.number,
            defaults=values,
        )
        if isinstance(found, ParsedPage) and isinstance(row, Document):
            log.record(events.PageParsed(**about(row), page=found.number))
        if row.state != DocumentState.READING:
            _settle(row)  # a page that is tried again after the end: only opening begins a reading
    if isinstance(found, PageFailed):
        raise Unreadable(found.code)


def settle(*, organization_id: UUID, document_id: UUID, version: int) -> None:
    """Say that all pages are settled: ready with at least one page, failed with none.

    Raises:
        Gone.
    """
    with transaction.atomic():
        _settle(_content(organization_id, document_id, version, lock=True))


def note_end(*, organization_id: UUID, document_id: UUID, run_id: UUID, error_code: str) -> None:
    """Note that the run ended without success. Two statements; what was settled stays as it is."""
    for content in (
        Document.objects.filter(pk=document_id),
        Renewal.objects.filter(document_id=document_id),
    ):
        content.filter(organization_id=organization_id, run_id=run_id, state__in=renewing.UNSETTLED).update(
            state=DocumentState.FAILED, error_code=error_code
        )


def _settle(row: Document | Renewal) -> None:
    if isinstance(row, Renewal):
        renewing.settle(row)
        return
    own = _pages_of(row)
    pages = own.aggregate(
        parsed=Count("pk", filter=Q(state=PageState.PARSED)),
        failed=Count("pk", filter=Q(state=PageState.FAILED)),
    )
    row.state = DocumentState.READY if pages["parsed"] else DocumentState.FAILED
    first = own.filter(state=PageState.FAILED).order_by("number").first()
    row.error_code = first.error_code if first and not pages["parsed"] else ""
    row.save(update_fields=["state", "error_code"])
    log.record(
        events.DocumentParsed(
            **about(row), state=row.state, page_count=row.page_count or 0, pages_failed=pages["failed"]
        )
    )


def _content(
    organization_id: UUID, document_id: UUID, version: int, *, lock: bool = False
) -> Document | Renewal:
    """Return what is read under this version; with `lock`, the document is locked, also for its next content."""
    documents = Document.objects.filter(organization_id=organization_id, pk=document_id)
    row = (documents.select_for_update(no_key=True) if lock else documents).first()
    if row is None:
        raise Gone
    if row.version == version:
        return row
    renewal = Renewal.objects.filter(document=row, version=version).first()
    if renewal is None:
        raise Gone
    return renewal


def _change(row: Document | Renewal, **values: Any) -> None:
    type(row).objects.filter(pk=row.pk, version=row.version).update(**values)


def _entitle(row: Document | Renewal, title: str) -> None:
    """Give a content the title it says itself; a document that somebody named keeps that."""
    unnamed = {"is_named": False} if isinstance(row, Document) else {}
    type(row).objects.filter(pk=row.pk, version=row.version, **unnamed).update(title=title)


def _pages_of(row: Document | Renewal) -> QuerySet[DocumentPage]:
    document_id = row.document_id if isinstance(row, Renewal) else row.pk
    return DocumentPage.objects.filter(document_id=document_id, version=row.version)


@contextmanager
def _local_file(row: Document | Renewal) -> Iterator[Path]:
    content = find_content(organization_id=row.organization_id, file_id=row.file_id)
    if content is None:
        raise ContentMissing
    with local_path(content) as path:
        yield path


def _parsed(row: Document | Renewal, page: ParsedPage) -> dict[str, Any]:
    data = wire.page_to_data(page)
    above = (
        _pages_of(row)
        .filter(number__lt=page.number, state=PageState.PARSED)
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
