"""Putting pages together, so that every offset is exact by construction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from apps.core.text.sentences import split_sentences
from apps.documents.parsing.cleaning import REPLACEMENT, clean
from apps.documents.parsing.types import Block, BlockKind, Box, ParsedPage, RawBlock, Span, join_boxes

PAGE_CHARACTERS: Final = 3_000
_PAGE_MINIMUM: Final = 1_000
_BLOCK_GAP: Final = "\n\n"
CELL_GAP: Final = " | "


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of text with its box; `gap` stands before it unless it opens the block."""

    text: str
    box: Box | None
    gap: str = " "


class PageBuilder:
    """Collects the blocks of one page in reading order."""

    def __init__(self, number: int, width: float | None = None, height: float | None = None) -> None:
        self._number, self._width, self._height = number, width, height
        self._parts: list[str] = []
        self._blocks: list[Block] = []
        self._spans: list[Span] = []
        self.length = 0

    def add(self, kind: BlockKind, text: str, level: int = 0) -> None:
        """Append a block without boxes; one that is empty once cleaned is left out."""
        cleaned = clean(text)
        self.add_runs(kind, [Run(cleaned.rstrip() if kind == "code" else cleaned.strip(), None)], level)

    def add_runs(self, kind: BlockKind, runs: Sequence[Run], level: int = 0) -> None:
        """Append a block made of clean pieces; pieces with a box become spans."""
        text = "".join(run.gap + run.text if index else run.text for index, run in enumerate(runs))
        if not text.strip():
            return
        if self._parts:
            self._append(_BLOCK_GAP)
        start = self.length
        for index, run in enumerate(runs):
            if index:
                self._append(run.gap)
            if run.box is not None and run.text:
                self._spans.append(Span(self.length, self.length + len(run.text), run.box))
            self._append(run.text)
        boxes = join_boxes([run.box for run in runs if run.box is not None and run.text])
        self._blocks.append(Block(kind, text, start, self.length, boxes, level))

    def finish(self) -> ParsedPage:
        """The page; the builder is spent."""
        text = "".join(self._parts)
        return ParsedPage(
            number=self._number,
            width=self._width,
            height=self._height,
            text=text,
            blocks=tuple(self._blocks),
            spans=tuple(self._spans),
            replaced=text.count(REPLACEMENT),
        )

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self.length += len(text)


def logical_pages(blocks: Iterable[RawBlock]) -> Iterator[ParsedPage]:
    """Pages of about 3,000 characters: a new one before a main heading or a block that does not fit.

    A longer block is cut between sentences, lines or rows; each cut of a table opens with its first row
    again.
    """
    page = PageBuilder(1)
    number = 1
    for block in blocks:
        for piece in _pieces(block):
            opens_part = piece.kind == "heading" and piece.level <= 2 and page.length >= _PAGE_MINIMUM
            if page.length and (opens_part or page.length + len(piece.text) > PAGE_CHARACTERS):
                yield page.finish()
                number += 1
                page = PageBuilder(number)
            page.add(piece.kind, piece.text, piece.level)
    if page.length or number == 1:
        yield page.finish()


def table_text(rows: Iterable[Sequence[str]]) -> str:
    """Rows as lines, cells between bars; rows without any text are left out."""
    lines = []
    for row in rows:
        cells = [" ".join(cell.split()) for cell in row]
        if any(cells):
            lines.append(CELL_GAP.join(cells).rstrip())
    return "\n".join(lines)


def _pieces(block: RawBlock) -> Iterator[RawBlock]:
    if len(block.text) <= PAGE_CHARACTERS:
        yield block
        return
    header, units = _units(block)
    piece = ""
    for unit in units:
        if piece and len(piece) + len(unit) > PAGE_CHARACTERS:
            yield RawBlock(block.kind, piece, block.level)
            piece = header
        piece += unit
    yield RawBlock(block.kind, piece, block.level)


def _units(block: RawBlock) -> tuple[str, list[str]]:
    """What opens each cut, and the parts that are not cut again."""
    if block.kind == "table":
        header, _, rest = block.text.partition("\n")
        rows = _short(rest.splitlines(keepends=True))
        if len(header) > PAGE_CHARACTERS // 3:
            return "", _short([header + "\n"]) + rows
        return header + "\n", [header + "\n", *rows]
    if block.kind in {"code", "list"}:
        return "", _short(block.text.splitlines(keepends=True))
    starts = [sentence.start for sentence in split_sentences(block.text)] or [0]
    borders = [0, *starts[1:], len(block.text)]
    return "", _short([block.text[a:b] for a, b in pairwise(borders)])


def _short(units: Iterable[str]) -> list[str]:
    """Cut what is longer than half a page anyway: a line without end is often not language at all."""
    size = PAGE_CHARACTERS // 2
    return [unit[at : at + size] for unit in units for at in range(0, len(unit), size)]
