"""Reading order: a page falls into columns of prose, aligned tables and plain stretches between them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from apps.documents.parsing.pdf.geometry import Line, Word, group_lines, make_line

_GUTTER: Final = 9.0
_CELL_GAP: Final = 1.3  # of the line height: wider than any space between words
_DEPTH: Final = 6
_ROWS: Final = 300
_TRIES: Final = 8
_PROSE_WORDS: Final = 3.0
_PROSE_FILL: Final = 0.55
_MARK = re.compile(r"(?:[^\w\s]{1,2}|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)])")

Cells = tuple[tuple[Word, ...], ...]


@dataclass(frozen=True, slots=True)
class Flow:
    """Lines of running text in one column."""

    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Aligned:
    """A table without ruled lines: rows of cells, each cell its words in order."""

    rows: tuple[Cells, ...]


Region = Flow | Aligned


def read_regions(words: Sequence[Word], depth: int = 0) -> Iterator[Region]:
    """Regions in reading order; columns of prose are read one after the other, table rows across."""
    rows = group_lines(words)
    if len(rows) > _ROWS or depth > _DEPTH:
        yield Flow(tuple(rows))
        return
    plain: list[Line] = []
    at = tries = last_end = 0
    while at < len(rows):
        end, gaps = _aligned_run(rows, at)
        tries = tries + 1 if end == last_end else 1
        last_end = end
        found, used = _split(rows[at:end], gaps, depth) if gaps and end - at >= 3 else ([], 1)
        if not found:
            used = (
                end - at if tries >= _TRIES else used
            )  # a long list is not worth a look from each of its rows
            plain.extend(rows[at : at + used])
            at += used
            continue
        if plain:
            yield Flow(tuple(plain))
            plain = []
        yield from found
        at += used
    if plain:
        yield Flow(tuple(plain))


def _aligned_run(rows: list[Line], at: int) -> tuple[int, list[tuple[int, int]]]:
    """How many rows from here share a vertical gap with text at both sides, and the gaps they share."""
    covered = 0
    shared: list[tuple[int, int]] = []
    for end in range(at, len(rows)):
        for word in rows[end].words:
            start = max(int(word.x0), 0)
            covered |= ((1 << max(int(word.x1) + 1 - start, 1)) - 1) << start
        gaps = _gaps(covered)
        if end > at and not gaps:
            return end, shared
        shared = gaps or shared
    return len(rows), shared


def _gaps(covered: int) -> list[tuple[int, int]]:
    """Uncovered stretches of gutter width inside the covered range, as (start, end) in points."""
    bits = bin(covered)[:1:-1]
    offset = len(bits) - len(bits.lstrip("0"))
    return [
        (found.start() + offset, found.end() + offset)
        for found in re.finditer(f"0{{{int(_GUTTER)},}}", bits[offset:])
    ]


def _split(rows: list[Line], gaps: list[tuple[int, int]], depth: int) -> tuple[list[Region], int]:
    """Columns of prose, else an aligned table, and how many of the rows they took.

    Where it is neither: how many rows to leave before the next look.
    """
    start, end = max(gaps, key=lambda gap: gap[1] - gap[0])
    cut = (start + end) / 2
    words = [word for row in rows for word in row.words]
    left = [word for word in words if word.center < cut]
    right = [word for word in words if word.center >= cut]
    if _is_prose(left) and _is_prose(right) and _side_by_side(left, right):
        return [*read_regions(left, depth + 1), *read_regions(right, depth + 1)], len(rows)
    table, used = _aligned_table(rows, gaps)
    return ([table] if table is not None else [], used)


def _is_prose(words: list[Word]) -> bool:
    """At least three lines, of several words, that fill their column."""
    lines = group_lines(words)
    if len(lines) < 3:
        return False
    width = max(line.x1 for line in lines) - min(line.x0 for line in lines)
    fill = sum(line.x1 - line.x0 for line in lines) / (len(lines) * max(width, 1.0))
    return len(words) / len(lines) >= _PROSE_WORDS and fill >= _PROSE_FILL


def _side_by_side(left: list[Word], right: list[Word]) -> bool:
    tops = max(min(word.top for word in side) for side in (left, right))
    bottoms = min(max(word.bottom for word in side) for side in (left, right))
    heights = [max(word.bottom for word in side) - min(word.top for word in side) for side in (left, right)]
    return bottoms - tops >= 0.5 * min(heights)


def _aligned_table(rows: list[Line], gaps: list[tuple[int, int]]) -> tuple[Aligned | None, int]:
    """The table, and how many rows it took: it opens and closes with a row of two cells or more.

    Without a table: how many rows cannot open one either.
    """
    size = sum(row.size for row in rows) / len(rows)
    cuts = [(start + end) / 2 for start, end in gaps if end - start >= _CELL_GAP * size]
    if not cuts:
        return None, 1
    cells = [_cells(row, cuts) for row in rows]
    complete = [index for index, row in enumerate(cells) if sum(1 for cell in row if cell) >= 2]
    if not complete or complete[0] != 0:
        return None, complete[0] if complete else len(cells)
    used = max(index for index, row in enumerate(cells) if index in complete or not row[0]) + 1
    cells = cells[:used]
    if len(complete) < 3 or len(complete) < 0.6 * used:
        return None, 1
    if all(len(row[0]) == 1 and _MARK.fullmatch(row[0][0].text) for row in cells if row[0]):
        return None, used  # a list: bullets or numbers before their text
    return Aligned(tuple(_rejoined(cells))), used


def _cells(row: Line, cuts: list[float]) -> Cells:
    borders = [float("-inf"), *cuts, float("inf")]
    return tuple(
        tuple(word for word in row.words if low <= word.center < high) for low, high in pairwise(borders)
    )


def _rejoined(rows: list[Cells]) -> Iterator[Cells]:
    """A row without a first cell goes on in the row above."""
    current: Cells | None = None
    for row in rows:
        if current is None or row[0]:
            if current is not None:
                yield current
            current = row
        else:
            current = tuple(above + below for above, below in zip(current, row, strict=True))
    if current is not None:
        yield current


def cell_lines(words: Sequence[Word]) -> tuple[Line, ...]:
    """The lines inside a cell."""
    return tuple(group_lines(words)) if len(words) != 1 else (make_line(words),)
