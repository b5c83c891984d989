"""Words and lines of a page, origin top left, before they have offsets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Word:
    """Text between blanks, in points.

    Attributes:
        size: the height of the font's box, about 1.17 times its nominal size.
        upright: reads from left to right; False where it runs up or down.
        fixed: letters of one width, as in code.
    """

    text: str
    x0: float
    top: float
    x1: float
    bottom: float
    size: float
    bold: bool
    upright: bool = True
    fixed: bool = False

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2

    @property
    def center(self) -> float:
        return (self.x0 + self.x1) / 2


@dataclass(frozen=True, slots=True)
class Line:
    """Words side by side, left to right."""

    words: tuple[Word, ...]
    x0: float
    top: float
    x1: float
    bottom: float
    size: float
    bold: bool
    fixed: bool

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


@dataclass(frozen=True, slots=True)
class Frame:
    """How the visible page lies in the coordinates of the file."""

    left: float
    bottom: float
    right: float
    top: float
    rotation: int

    @property
    def width(self) -> float:
        turned = self.rotation in {90, 270}
        return self.top - self.bottom if turned else self.right - self.left

    @property
    def height(self) -> float:
        turned = self.rotation in {90, 270}
        return self.right - self.left if turned else self.top - self.bottom

    def seen(self) -> Callable[[float, float], tuple[float, float]]:
        """File coordinates to points from the top left of the page as shown."""
        left, bottom, right, top = self.left, self.bottom, self.right, self.top
        if self.rotation == 90:
            return lambda x, y: (y - bottom, x - left)
        if self.rotation == 180:
            return lambda x, y: (right - x, y - bottom)
        if self.rotation == 270:
            return lambda x, y: (top - y, right - x)
        return lambda x, y: (x - left, top - y)


def make_line(words: Iterable[Word]) -> Line:
    """A line of at least one word."""
    ordered = tuple(sorted(words, key=lambda word: word.x0))
    letters = sum(len(word.text) for word in ordered)
    return Line(
        words=ordered,
        x0=ordered[0].x0,
        top=min(word.top for word in ordered),
        x1=max(word.x1 for word in ordered),
        bottom=max(word.bottom for word in ordered),
        size=median(word.size for word in ordered),
        bold=2 * sum(len(word.text) for word in ordered if word.bold) > letters,
        fixed=all(word.fixed for word in ordered),
    )


def group_lines(words: Sequence[Word]) -> list[Line]:
    """Lines from top to bottom: a word joins the line whose height it shares by more than half."""
    groups: list[list[Word]] = []
    ranges: list[tuple[float, float]] = []
    for word in sorted(words, key=lambda word: (word.middle, word.x0)):
        if groups:
            top, bottom = ranges[-1]
            shared = min(bottom, word.bottom) - max(top, word.top)
            if shared > 0.5 * min(bottom - top, word.bottom - word.top):
                groups[-1].append(word)
                if word.bottom - word.top > bottom - top:
                    ranges[-1] = (word.top, word.bottom)
                continue
        groups.append([word])
        ranges.append((word.top, word.bottom))
    return [make_line(group) for group in groups]
