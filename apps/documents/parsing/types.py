"""What parsing gives: pages of text with exact offsets, blocks, and the box of each word.

Offsets count Python code points into `ParsedPage.text`. Boxes are PDF points with the origin at the top
left of the page as a viewer shows it (crop box, rotation applied), so they fit an image of the page by
scale alone.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from apps.documents.parsing.errors import ErrorCode

BlockKind = Literal["heading", "paragraph", "table", "list", "code"]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page; `top` < `bottom`."""

    page: int
    x0: float
    top: float
    x1: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Span:
    """A word, or the part of it that stands on one line, and where it stands."""

    char_start: int
    char_end: int
    box: Box


@dataclass(frozen=True, slots=True)
class Block:
    """One heading, paragraph, table, list or piece of code: `text == page.text[char_start:char_end]`.

    Attributes:
        boxes: one for each line; empty in formats without a fixed layout.
        level: of a heading, 1 is the highest; 0 for every other kind.
    """

    kind: BlockKind
    text: str
    char_start: int
    char_end: int
    boxes: tuple[Box, ...] = ()
    level: int = 0


@dataclass(frozen=True, slots=True)
class ParsedPage:
    """A page; formats without pages get logical ones of about 3,000 characters.

    Attributes:
        number: counts from 1.
        width, height: in points; None for a logical page.
        spans: the words in text order; empty for a logical page.
        replaced: characters that the file's encoding could not give.
    """

    number: int
    width: float | None
    height: float | None
    text: str
    blocks: tuple[Block, ...]
    spans: tuple[Span, ...] = ()
    replaced: int = 0

    def boxes(self, char_start: int, char_end: int) -> tuple[Box, ...]:
        """The boxes to mark for a stretch of the text: its words, joined along each line."""
        first = bisect_right(self.spans, char_start, key=lambda span: span.char_end)
        last = bisect_left(self.spans, char_end, key=lambda span: span.char_start)
        return join_boxes([span.box for span in self.spans[first:last]])


@dataclass(frozen=True, slots=True)
class PageFailed:
    """A page that could not be read; the others go on."""

    number: int
    code: ErrorCode


@dataclass(frozen=True, slots=True)
class Outline:
    """What is known of a document before its pages are read.

    Attributes:
        language: "de" or "en": of a PDF the declared one, else a guess from the first pages; None is unknown.
    """

    page_count: int
    title: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What one document may cost. Times are seconds waited, without what the caller does between pages.

    Attributes:
        memory_bytes: address space of the parsing process, libraries included.
        cpu_seconds: of one parsing process.
        archive_ratio: unpacked to packed size, applied to parts above 1 MiB.
    """

    file_bytes: int = 100 * 2**20
    pages: int = 5_000
    page_characters: int = 200_000
    characters: int = 20_000_000
    cells: int = 1_000_000
    memory_bytes: int = 2**30
    cpu_seconds: int = 600
    open_seconds: float = 30.0
    page_seconds: float = 30.0
    document_seconds: float = 600.0
    archive_entries: int = 1_000
    archive_bytes: int = 200 * 2**20
    archive_ratio: int = 100


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class RawBlock:
    """A block before it has a page: what the readers of formats without pages give."""

    kind: BlockKind
    text: str
    level: int = 0


@dataclass(slots=True)
class _Line:
    """Boxes that stand side by side while they are being joined."""

    page: int
    x0: float
    top: float
    x1: float
    bottom: float

    def takes(self, box: Box) -> bool:
        """Whether the box goes on to the right on the same line, at most about two spaces away."""
        overlap = min(self.bottom, box.bottom) - max(self.top, box.top)
        height = min(self.bottom - self.top, box.bottom - box.top)
        return (
            box.page == self.page
            and overlap > 0.5 * height
            and -height < box.x0 - self.x1 < 1.5 * max(height, 1.0)
        )

    def add(self, box: Box) -> None:
        self.x0, self.x1 = min(self.x0, box.x0), max(self.x1, box.x1)
        self.top, self.bottom = min(self.top, box.top), max(self.bottom, box.bottom)


def join_boxes(boxes: Sequence[Box]) -> tuple[Box, ...]:
    """Join neighbours on one line, in the order given."""
    lines: list[_Line] = []
    for box in boxes:
        if lines and lines[-1].takes(box):
            lines[-1].add(box)
        else:
            lines.append(_Line(box.page, box.x0, box.top, box.x1, box.bottom))
    return tuple(Box(line.page, line.x0, line.top, line.x1, line.bottom) for line in lines)
