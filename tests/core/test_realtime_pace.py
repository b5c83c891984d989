"""A pace: so many at once, then a rate."""

from __future__ import annotations

import pytest

from apps.core.realtime import pace
from apps.core.realtime.pace import Pace


def test_so_many_at_once_then_as_fast_as_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(pace.time, "monotonic", lambda: now[0])
    counted = Pace(per_second=2, at_once=3)
    assert [counted.is_exceeded() for _ in range(4)] == [False, False, False, True]
    now[0] += 1.0
    assert [counted.is_exceeded() for _ in range(2)] == [False, True]
    now[0] += 60.0
    assert [counted.is_exceeded() for _ in range(4)] == [False, False, False, True]
