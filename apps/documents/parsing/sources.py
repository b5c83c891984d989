"""One face for all formats: an outline, then pages. Runs only in the parsing process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, Protocol

from apps.core.text.language import guess
from apps.documents.parsing import sniff
from apps.documents.parsing.building import logical_pages
from apps.documents.parsing.cleaning import decode
from apps.documents.parsing.errors import ErrorCode, ParseError
from apps.documents.parsing.types import Limits, Outline, PageFailed, ParsedPage, RawBlock


class Source(Protocol):
    """An opened document."""

    def outline(self) -> Outline: ...

    def pages(self, first: int, last: int | None) -> Iterator[ParsedPage | PageFailed]:
        """Pages `first` to `last`, both included; None is the last page there is."""
        ...


def open_source(file: BinaryIO, media_type: str, limits: Limits) -> Source:
    """Open a seekable file whose type was detected before.

    Raises:
        ParseError: unsupported_type, encrypted, corrupt, bomb, too_large.
    """
    opener = _OPENERS.get(media_type)
    if opener is None:
        raise ParseError(ErrorCode.UNSUPPORTED_TYPE)
    return opener(file, limits)


class LogicalSource:
    """A format without pages: read whole, then cut into logical ones."""

    def __init__(self, blocks: Iterable[RawBlock], title: str | None, limits: Limits) -> None:
        self._pages: list[ParsedPage] = []
        characters = 0
        for page in logical_pages(blocks):
            characters += len(page.text)
            if characters > limits.characters or len(self._pages) >= limits.pages:
                raise ParseError(ErrorCode.TOO_LARGE)
            self._pages.append(page)
        self._title = title

    def outline(self) -> Outline:
        """The title is the file's own, else a heading among its first blocks."""
        sample = "\n".join(page.text for page in self._pages[:3])
        return Outline(
            len(self._pages), (self._title or self._first_heading() or "")[:300] or None, guess(sample)
        )

    def pages(self, first: int, last: int | None) -> Iterator[ParsedPage | PageFailed]:
        for page in self._pages[first - 1 : last]:
            yield page if page.text else PageFailed(page.number, ErrorCode.NO_TEXT)

    def _first_heading(self) -> str | None:
        headings = [block.text for block in self._pages[0].blocks[:3] if block.kind == "heading"]
        return headings[0] if headings else None


def _open_pdf(file: BinaryIO, limits: Limits) -> Source:
    from apps.documents.parsing.pdf.source import PdfSource  # noqa: PLC0415 - each format loads only its own library

    return PdfSource(file, limits)


def _open_docx(file: BinaryIO, limits: Limits) -> Source:
    from apps.documents.parsing.docx import DocxReader  # noqa: PLC0415

    reader = DocxReader(file, limits)
    return LogicalSource(reader.blocks(), reader.title, limits)


def _open_xlsx(file: BinaryIO, limits: Limits) -> Source:
    from apps.documents.parsing.xlsx import XlsxReader  # noqa: PLC0415

    reader = XlsxReader(file, limits)
    return LogicalSource(reader.blocks(), reader.title, limits)


def _open_html(file: BinaryIO, limits: Limits) -> Source:
    from apps.documents.parsing.html import read_html  # noqa: PLC0415

    html = read_html(_read(file, limits))
    return LogicalSource(html.blocks, html.title, limits)


def _open_text(file: BinaryIO, limits: Limits) -> Source:
    from apps.documents.parsing.text import read_text  # noqa: PLC0415

    return LogicalSource(read_text(_decoded(file, limits)), None, limits)


def _open_markdown(file: BinaryIO, limits: Limits) -> Source:
    from apps.documents.parsing.markdown import read_markdown  # noqa: PLC0415

    return LogicalSource(read_markdown(_decoded(file, limits)), None, limits)


def _open_csv(file: BinaryIO, limits: Limits) -> Source:
    from apps.documents.parsing.tables import read_csv  # noqa: PLC0415

    return LogicalSource(read_csv(_decoded(file, limits), limits), None, limits)


_OPENERS: dict[str, Callable[[BinaryIO, Limits], Source]] = {
    sniff.TEXT: _open_text,
    sniff.MARKDOWN: _open_markdown,
    sniff.HTML: _open_html,
    sniff.CSV: _open_csv,
    sniff.PDF: _open_pdf,
    sniff.DOCX: _open_docx,
    sniff.XLSX: _open_xlsx,
}


def _read(file: BinaryIO, limits: Limits) -> bytes:
    data = file.read(limits.file_bytes + 1)
    if len(data) > limits.file_bytes:
        raise ParseError(ErrorCode.TOO_LARGE)
    return data


def _decoded(file: BinaryIO, limits: Limits) -> str:
    """The text with lines ending in LF; rejects text beyond the limit before work is spent on it."""
    text = decode(_read(file, limits)).text
    if len(text) > limits.characters:
        raise ParseError(ErrorCode.TOO_LARGE)
    return text.replace("\r\n", "\n").replace("\r", "\n")
