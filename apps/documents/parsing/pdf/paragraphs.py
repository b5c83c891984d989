"""Lines to headings, paragraphs and lists; words that were cut at a line's end become whole again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Final

from apps.documents.parsing.building import CELL_GAP, Run
from apps.documents.parsing.pdf.geometry import Line, Word
from apps.documents.parsing.pdf.regions import cell_lines
from apps.documents.parsing.types import BlockKind, Box

_BULLETS: Final = "•‣▪◦●○■□–—-*·➢➔✓❖\uf0b7\uf0a7"
_LIST_MARK = re.compile(rf"(?:[{re.escape(_BULLETS)}]|\(?\d{{1,3}}[.)]|\(?[a-z][.)])(?:\s|$)")
_CUT_WORD = re.compile(r"[^\W\d_]-$")
_JOINERS: Final = frozenset(
    {"und", "oder", "bzw.", "sowie", "bis", "and", "or", "to", "u.", "and/or", "und/oder"}
)
_HEADING_RATIO: Final = 1.12
_LEVELS: Final = ((1.7, 1), (1.35, 2), (_HEADING_RATIO, 3))
_BOLD_LEVEL: Final = 4
_HEADING_LETTERS: Final = 160
_GAP: Final = 0.3  # of the line height, beyond the usual gap: a new paragraph


@dataclass(frozen=True, slots=True)
class Piece:
    """A block of the page before it has offsets."""

    kind: BlockKind
    level: int
    runs: tuple[Run, ...]


def flow_pieces(lines: Sequence[Line], body_size: float, page: int) -> Iterator[Piece]:
    """Blocks of one column; neighbouring items of a list become one block."""
    items: list[Run] = []
    for group in _paragraphs(lines, body_size):
        fixed = len(group) > 1 and all(line.fixed for line in group)
        runs = _code_runs(group, page) if fixed else line_runs(group, page)
        level = 0 if fixed else _heading_level(group, body_size)
        if not fixed and not level and _LIST_MARK.match(group[0].text):
            items.extend(_opened(runs, "\n") if items else runs)
            continue
        if items:
            yield Piece("list", 0, tuple(items))
            items = []
        kind: BlockKind = "code" if fixed else "heading" if level else "paragraph"
        yield Piece(kind, level, tuple(runs))
    if items:
        yield Piece("list", 0, tuple(items))


def table_piece(rows: Iterable[Sequence[Sequence[Word]]], page: int) -> Piece | None:
    """Rows as lines, cells between bars; None where nothing is in them."""
    runs: list[Run] = []
    for row in rows:
        cells = [line_runs(cell_lines(cell), page) if cell else [Run("", None)] for cell in row]
        while cells and not cells[-1][0].text:
            cells.pop()
        for index, cell in enumerate(cells):
            runs.extend(_opened(cell, CELL_GAP if index else "\n"))
    return Piece("table", 0, tuple(runs)) if runs else None


def line_runs(lines: Sequence[Line], page: int) -> list[Run]:
    """Words of a paragraph; a hyphen at a line's end goes when a small letter follows on the next line."""
    runs: list[Run] = []
    for line in lines:
        for index, word in enumerate(line.words):
            gap = " "
            if index == 0 and runs and _CUT_WORD.search(runs[-1].text) and word.text not in _JOINERS:
                gap = ""
                if word.text[:1].islower():
                    last = runs[-1]
                    runs[-1] = Run(last.text[:-1], last.box, last.gap)
            runs.append(Run(word.text, Box(page, word.x0, word.top, word.x1, word.bottom), gap))
    return runs


def _code_runs(lines: Sequence[Line], page: int) -> list[Run]:
    """Lines stay lines; what stands further right is indented by the width of a letter."""
    left = min(line.x0 for line in lines)
    runs: list[Run] = []
    for line in lines:
        first = line.words[0]
        letter = max((first.x1 - first.x0) / len(first.text), 1.0)
        indent = " " * min(round((line.x0 - left) / letter), 80)
        runs.extend(_opened(line_runs([line], page), "\n" + indent))
    return runs


def _opened(runs: Sequence[Run], gap: str) -> list[Run]:
    """The same runs, the first with another gap before it."""
    return [Run(runs[0].text, runs[0].box, gap), *runs[1:]]


def _paragraphs(lines: Sequence[Line], body_size: float) -> Iterator[list[Line]]:
    if not lines:
        return
    gaps = [below.top - above.bottom for above, below in pairwise(lines)]
    usual = min(median(gaps), 0.5 * body_size) if gaps else 0.0
    right = max(line.x1 for line in lines)
    group = [lines[0]]
    for above, line in pairwise(lines):
        if _starts_paragraph(above, line, usual, right=right):
            yield group
            group = []
        group.append(line)
    yield group


def _starts_paragraph(above: Line, line: Line, usual: float, *, right: float) -> bool:
    """A wider gap, another font, or a line that ended before it had to and reads like an end."""
    first = line.words[0]
    short = above.x1 + (first.x1 - first.x0) + 0.4 * line.size < right
    apart = line.top - above.bottom > usual + _GAP * line.size
    other_font = abs(line.size - above.size) > 0.1 * above.size or (line.bold, line.fixed) != (
        above.bold,
        above.fixed,
    )
    finished = short and above.text.endswith((".", "!", "?", ":", ".”", ".“")) and not line.text[:1].islower()
    item = bool(_LIST_MARK.match(line.text)) and (short or above.text.endswith((":", ";", ".")))
    if line.fixed and above.fixed:
        return apart
    return apart or other_font or finished or item


def _heading_level(group: Sequence[Line], body_size: float) -> int:
    text = " ".join(line.text for line in group)
    if len(text) > _HEADING_LETTERS or len(group) > 3 or not any(character.isalpha() for character in text):
        return 0
    ratio = median(line.size for line in group) / body_size if body_size else 1.0
    for at_least, level in _LEVELS:
        if ratio >= at_least and not text.endswith((".", ",", ";")):
            return level
    bold = all(line.bold for line in group) and ratio >= 0.95
    return _BOLD_LEVEL if bold and len(group) == 1 and not text.endswith((".", ",", ";", ":")) else 0
