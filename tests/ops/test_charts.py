"""Charts: axes of round numbers, bars that stay inside."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest

from apps.ops import charts

DAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("highest", "top"),
    [(0, 3), (1, 3), (3, 3), (4, 6), (7, 15), (30, 30), (31, 60), (1000, 1500), (1501, 3000)],
)
def test_the_axis_ends_at_three_round_steps(highest: int, top: int) -> None:
    assert charts.scale(highest) == top


def test_bars_stand_on_the_line_and_reach_their_value() -> None:
    chart = charts.days([(DAY, 0), (DAY + timedelta(days=1), 15), (DAY + timedelta(days=2), 30)])
    assert [bar.height for bar in chart.bars] == ["0.0", "64.0", "128.0"]
    assert {float(bar.y) + float(bar.height) for bar in chart.bars} == {charts.BOTTOM}
    assert [line.value for line in chart.lines] == [0, 10, 20, 30]
    assert chart.total == 45
    assert chart.peak is not None
    assert chart.peak.value == 30


@pytest.mark.parametrize("width", [charts.WIDE, charts.NARROW])
@pytest.mark.parametrize("count", [1, 14, 90])
def test_bars_and_labels_fit(width: int, count: int) -> None:
    chart = charts.days([(DAY + timedelta(days=number), number) for number in range(count)], width=width)
    last = chart.bars[-1]
    assert float(last.x) + float(last.width) <= width
    labels = [float(bar.middle) for bar in chart.bars if bar.is_labelled]
    assert all(right - left >= 70 for left, right in pairwise(labels))


def test_nothing_has_no_peak() -> None:
    assert charts.days([(DAY, 0)]).peak is None
    assert charts.days([]).total == 0
