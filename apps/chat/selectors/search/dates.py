"""Days as people write them in a search, in the reader's time zone."""

from __future__ import annotations

import datetime as dt
import re

from django.utils import timezone

_DAY = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_GERMAN_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_NAMED = {"today": 0, "heute": 0, "yesterday": 1, "gestern": 1}
SUGGESTED = ("today", "yesterday", "2026-11", "2026-11-24")


def read_day(value: str, *, today: dt.date) -> tuple[dt.date, dt.date] | None:
    """Return the first day a date means and the first day after it: `2026`, `2026-03`, `2026-03-12`, `12.3.2026`,
    `today`, `yesterday`, `heute`, `gestern`; None for anything else."""
    named = _NAMED.get(value.lower())
    try:
        if named is not None:
            return _one_day(today - dt.timedelta(days=named))
        if german := _GERMAN_DAY.fullmatch(value):
            return _one_day(dt.date(int(german[3]), int(german[2]), int(german[1])))
        written = _DAY.fullmatch(value)
        return _stretch(int(written[1]), written[2], written[3]) if written else None
    except (ValueError, OverflowError):
        return None


def read_moments(value: str) -> tuple[dt.datetime, dt.datetime] | None:
    """Return when the named day, month or year begins and ends for the reader: midnight in the active time zone."""
    days = read_day(value, today=timezone.localdate())
    return (_midnight(days[0]), _midnight(days[1])) if days else None


def _stretch(year: int, month: str | None, day: str | None) -> tuple[dt.date, dt.date]:
    first = dt.date(year, int(month or 1), int(day or 1))
    if day:
        return _one_day(first)
    if month:
        return first, dt.date(year + first.month // 12, first.month % 12 + 1, 1)
    return first, dt.date(year + 1, 1, 1)


def _one_day(day: dt.date) -> tuple[dt.date, dt.date]:
    return day, day + dt.timedelta(days=1)


def _midnight(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time.min))
