"""Ruled lines to tables: a grid of cells, merged where no line stands between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from apps.documents.parsing.pdf.content import Rule
from apps.documents.parsing.pdf.geometry import Word

_SNAP: Final = 3.0
_RULES: Final = 400  # of one direction; a page with more is a drawing
_CELLS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Grid:
    """Borders of columns and rows, and for each cell the cell (row, column) whose content it shows."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    owners: tuple[tuple[tuple[int, int], ...], ...]

    def holds(self, word: Word) -> bool:
        return self.xs[0] <= word.center <= self.xs[-1] and self.ys[0] <= word.middle <= self.ys[-1]

    def cell(self, word: Word) -> tuple[int, int]:
        """The owning cell of a word inside the grid."""
        row = _slot(self.ys, word.middle)
        column = _slot(self.xs, word.center)
        return self.owners[row][column]


def find_grids(rules: Sequence[Rule]) -> list[Grid]:
    """Grids of at least two rows and two columns, from the top down."""
    across = _merged([rule for rule in rules if rule.horizontal])
    down = _merged([rule for rule in rules if not rule.horizontal])
    if not across or not down or len(across) > _RULES or len(down) > _RULES:
        return []
    grids = []
    for one, other in _connected(across, down):
        grid = _grid(one, other)
        if grid is not None:
            grids.append(grid)
    return sorted(grids, key=lambda grid: (grid.ys[0], grid.xs[0]))


def _slot(borders: tuple[float, ...], value: float) -> int:
    for index in range(len(borders) - 2, 0, -1):
        if value >= borders[index]:
            return index
    return 0


def _merged(rules: list[Rule]) -> list[Rule]:
    """Lines at one position become one; their stretches join where they touch."""
    merged: list[Rule] = []
    for rule in sorted(rules, key=lambda rule: rule.position):
        near = bool(merged) and rule.position - merged[-1].position <= _SNAP
        position = merged[-1].position if near else rule.position
        merged.append(Rule(rule.horizontal, position, rule.start, rule.end))
    joined: list[Rule] = []
    for rule in sorted(merged, key=lambda rule: (rule.position, rule.start)):
        last = joined[-1] if joined else None
        if last and last.position == rule.position and rule.start <= last.end + _SNAP:
            joined[-1] = Rule(rule.horizontal, rule.position, last.start, max(last.end, rule.end))
        else:
            joined.append(rule)
    return joined


def _crosses(one: Rule, other: Rule) -> bool:
    return (
        one.start - _SNAP <= other.position <= one.end + _SNAP
        and other.start - _SNAP <= one.position <= other.end + _SNAP
    )


def _connected(across: list[Rule], down: list[Rule]) -> list[tuple[list[Rule], list[Rule]]]:
    """Groups of lines that hang together."""
    group = list(range(len(across) + len(down)))

    def root(index: int) -> int:
        while group[index] != index:
            group[index] = group[group[index]]
            index = group[index]
        return index

    for i, one in enumerate(across):
        for j, other in enumerate(down, start=len(across)):
            if _crosses(one, other):
                group[root(i)] = root(j)
    found: dict[int, tuple[list[Rule], list[Rule]]] = {}
    for index, rule in enumerate([*across, *down]):
        found.setdefault(root(index), ([], []))[0 if rule.horizontal else 1].append(rule)
    return [lines for lines in found.values() if lines[0] and lines[1]]


def _borders(positions: list[float], ends: list[float]) -> tuple[float, ...]:
    """Sorted positions, closed at both ends where the crossing lines reach further."""
    known = sorted(set(positions))
    first, last = min(ends), max(ends)
    if first < known[0] - 2 * _SNAP:
        known.insert(0, first)
    if last > known[-1] + 2 * _SNAP:
        known.append(last)
    return tuple(known)


def _grid(across: list[Rule], down: list[Rule]) -> Grid | None:
    xs = _borders(
        [rule.position for rule in down], [end for rule in across for end in (rule.start, rule.end)]
    )
    ys = _borders(
        [rule.position for rule in across], [end for rule in down for end in (rule.start, rule.end)]
    )
    rows, columns = len(ys) - 1, len(xs) - 1
    if rows < 2 or columns < 2 or rows * columns > _CELLS:
        return None
    return Grid(xs, ys, _owners(xs, ys, across, down))


def _owners(
    xs: tuple[float, ...], ys: tuple[float, ...], across: list[Rule], down: list[Rule]
) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Each cell takes the owner of its left or upper neighbour unless a line stands between."""
    by_x: dict[float, list[Rule]] = {}
    by_y: dict[float, list[Rule]] = {}
    for rule in down:
        by_x.setdefault(rule.position, []).append(rule)
    for rule in across:
        by_y.setdefault(rule.position, []).append(rule)
    owners: list[list[tuple[int, int]]] = []
    for row in range(len(ys) - 1):
        middle = (ys[row] + ys[row + 1]) / 2
        owners.append([])
        for column in range(len(xs) - 1):
            center = (xs[column] + xs[column + 1]) / 2
            if column and not _covered(by_x.get(xs[column], []), middle):
                owners[row].append(owners[row][column - 1])
            elif row and not _covered(by_y.get(ys[row], []), center):
                owners[row].append(owners[row - 1][column])
            else:
                owners[row].append((row, column))
    return tuple(tuple(row) for row in owners)


def _covered(rules: list[Rule], value: float) -> bool:
    return any(rule.start <= value <= rule.end for rule in rules)
