"""One page put together: margins dropped, tables cut out, the rest in reading order."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from typing import Final

from apps.documents.parsing.building import PageBuilder
from apps.documents.parsing.pdf.geometry import Frame, Line, Word, group_lines
from apps.documents.parsing.pdf.grids import Grid
from apps.documents.parsing.pdf.paragraphs import Piece, flow_pieces, line_runs, table_piece
from apps.documents.parsing.pdf.regions import Aligned, Flow, read_regions
from apps.documents.parsing.types import ParsedPage

_MARGIN: Final = 0.09
_PAGE_NUMBER = re.compile(
    r"\W*(?:(?:page|seite|p\.|s\.)\s*)?\d{1,4}(?:\s*(?:/|of|von)\s*\d{1,4})?\W*", re.IGNORECASE
)
_DIGITS = re.compile(r"\d+")


class Layout:
    """Builds pages of one document; remembers the usual font size and what the last margins said."""

    def __init__(self) -> None:
        self._sizes: Counter[float] = Counter()
        self._margins: deque[set[str]] = deque(maxlen=2)  # two: left and right pages differ

    def page(self, number: int, frame: Frame, words: Sequence[Word], grids: Sequence[Grid]) -> ParsedPage:
        """The page with its blocks in reading order."""
        upright = self._without_margins([word for word in words if word.upright], frame)
        for word in upright:
            self._sizes[round(2 * word.size) / 2] += len(word.text)
        body_size = self._sizes.most_common(1)[0][0] if self._sizes else 0.0
        builder = PageBuilder(number, round(frame.width, 2), round(frame.height, 2))
        pieces = [*_pieces(upright, grids, body_size, number), *_turned(words, number)]
        for piece in pieces:
            builder.add_runs(piece.kind, piece.runs, piece.level)
        return builder.finish()

    def _without_margins(self, words: list[Word], frame: Frame) -> list[Word]:
        """Drop page numbers, and running titles that the last pages carried too."""
        top, bottom = _MARGIN * frame.height, (1 - _MARGIN) * frame.height
        lines = [line for line in group_lines(words) if line.bottom < top or line.top > bottom]
        texts = {_DIGITS.sub("#", line.text) for line in lines}
        dropped: set[Word] = set()
        for line in lines:
            if _PAGE_NUMBER.fullmatch(line.text) or self._seen(line):
                dropped.update(line.words)
        self._margins.append(texts)
        return [word for word in words if word not in dropped]

    def _seen(self, line: Line) -> bool:
        text = _DIGITS.sub("#", line.text)
        return any(text in margin for margin in self._margins)


def _pieces(words: list[Word], grids: Sequence[Grid], body_size: float, page: int) -> Iterator[Piece]:
    """Text above each table, the table, and what is left below the last one."""
    rest = words
    for grid in grids:
        inside = [word for word in rest if grid.holds(word)]
        rows = _grid_rows(grid, inside)
        if not _is_table(rows):
            continue
        taken = set(inside)
        above = [word for word in rest if word not in taken and word.middle < grid.ys[-1]]
        taken.update(above)
        yield from _flow(above, body_size, page)
        table = table_piece(rows, page)
        if table is not None:
            yield table
        rest = [word for word in rest if word not in taken]
    yield from _flow(rest, body_size, page)


def _flow(words: Sequence[Word], body_size: float, page: int) -> Iterator[Piece]:
    for region in read_regions(words):
        if isinstance(region, Aligned):
            table = table_piece(region.rows, page)
            if table is not None:
                yield table
        elif isinstance(region, Flow):
            yield from flow_pieces(region.lines, body_size, page)


def _grid_rows(grid: Grid, words: Sequence[Word]) -> list[list[list[Word]]]:
    rows: list[list[list[Word]]] = [[[] for _ in grid.xs[1:]] for _ in grid.ys[1:]]
    for word in words:
        row, column = grid.cell(word)
        rows[row][column].append(word)
    return [row for row in rows if any(row)]


def _is_table(rows: list[list[list[Word]]]) -> bool:
    """Two rows with words in two columns at least; a frame around the page or a form line is none."""
    return len(rows) >= 2 and sum(1 for row in rows if sum(1 for cell in row if cell) >= 2) >= 2


def _turned(words: Sequence[Word], page: int) -> Iterator[Piece]:
    """Text that runs up or down a margin comes last, in the order of the file."""
    turned = [word for word in words if not word.upright]
    if turned:
        runs = [run for word in turned for run in line_runs(group_lines([word]), page)]
        yield Piece("paragraph", 0, tuple(runs))
