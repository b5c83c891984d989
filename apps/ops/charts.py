"""Charts as server SVG: plain numbers in, attributes out, so that no style has to be written inline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

WIDE, NARROW = 560, 300  # a chart is not scaled down: its texts would become too small to read
HEIGHT = 160
LEFT, TOP, BOTTOM = 40.0, 8.0, 136.0
_LINES = 3
_LABEL_WIDTH = 74


@dataclass(frozen=True)
class Bar:
    """A day: its bar, and its label where there is room for one."""

    day: date
    value: int
    x: str
    y: str
    width: str
    height: str
    middle: str
    is_labelled: bool


@dataclass(frozen=True)
class Line:
    """A horizontal line and the number it stands for."""

    value: int
    y: str
    text_y: str


@dataclass(frozen=True)
class DayChart:
    """One bar for each day, oldest first."""

    width: int
    bars: tuple[Bar, ...]
    lines: tuple[Line, ...]
    total: int
    peak: Bar | None

    @property
    def view_box(self) -> str:
        """The SVG's coordinates."""
        return f"0 0 {self.width} {HEIGHT}"

    @property
    def line_path(self) -> str:
        """How a horizontal line goes on from its start."""
        return f"h{self.width - LEFT - 8:.0f}"


def days(values: Sequence[tuple[date, int]], *, width: int = WIDE) -> DayChart:
    """Return the chart of these days."""
    top = scale(max((value for _, value in values), default=0))
    step = (width - 8 - LEFT) / max(1, len(values))
    every = max(1, math.ceil(_LABEL_WIDTH / step))
    bars = tuple(
        _bar(day, value, LEFT + step * at, step, top, is_labelled=at % every == 0)
        for at, (day, value) in enumerate(values)
    )
    lines = tuple(
        Line(
            value=top * at // _LINES,
            y=_number(BOTTOM - (BOTTOM - TOP) * at / _LINES),
            text_y=_number(BOTTOM - (BOTTOM - TOP) * at / _LINES + 4),
        )
        for at in range(_LINES + 1)
    )
    peak = max(bars, key=lambda bar: bar.value, default=None)
    return DayChart(width, bars, lines, sum(bar.value for bar in bars), peak if peak and peak.value else None)


def scale(highest: int) -> int:
    """Return the top of an axis: the next number that three equal steps of a round size reach."""
    least = max(_LINES, highest)
    power = int(10 ** math.floor(math.log10(least / _LINES)))
    step = next(power * times for times in (1, 2, 5, 10, 20) if power * times * _LINES >= least)
    return step * _LINES


def _bar(day: date, value: int, start: float, step: float, top: int, *, is_labelled: bool) -> Bar:
    height = (BOTTOM - TOP) * value / top
    gap = min(6.0, step * 0.25)
    return Bar(
        day=day,
        value=value,
        x=_number(start + gap / 2),
        y=_number(BOTTOM - height),
        width=_number(step - gap),
        height=_number(height),
        middle=_number(start + step / 2),
        is_labelled=is_labelled,
    )


def _number(value: float) -> str:
    return f"{value:.1f}"  # never in the reader's language: a comma would end the attribute's number
