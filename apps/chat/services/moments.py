"""Times as people write them in a command: `20m`, `2h`, `3d`, `14:30`, `tomorrow 9:00`, `2026-12-01 09:00`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from django.utils import timezone

from apps.chat.errors import TimeUnreadable

_SPAN = re.compile(r"(\d{1,4})\s?(m|min|h|std|d|t)\b\s*", re.IGNORECASE)
_UNITS = {"m": "minutes", "min": "minutes", "h": "hours", "std": "hours", "d": "days", "t": "days"}
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{1,2}):(\d{2}))?\s*")
_CLOCK = re.compile(r"(?:(tomorrow|morgen|today|heute)\b\s*)?(?:(\d{1,2}):(\d{2}))?\s*", re.IGNORECASE)
_MORNING = 9


def read_moment(text: str) -> tuple[datetime, str]:
    """Return the time a text begins with, on the clock of the current time zone, and what follows it.

    A time of day alone is today's, or tomorrow's where that is over; a day alone is its nine o'clock.

    Raises:
        TimeUnreadable: it begins with no time.
    """
    now = timezone.localtime()
    try:
        if found := _SPAN.match(text):
            span = timedelta(**{_UNITS[found[2].lower()]: int(found[1])})
            return now + span, text[found.end() :]
        if found := _DATE.match(text):
            year, month, day, hour, minute = (int(part) if part else None for part in found.groups())
            moment = now.replace(year=year or 0, month=month or 0, day=day or 0)
            return _at(moment, _MORNING if hour is None else hour, minute or 0), text[found.end() :]
        found = _CLOCK.match(text)
        if found and (found[1] or found[2]):
            return _of_day(now, found), text[found.end() :]
    except ValueError as error:
        raise TimeUnreadable from error
    raise TimeUnreadable


def _of_day(now: datetime, found: re.Match[str]) -> datetime:
    word = (found[1] or "").lower()
    hour, minute = (int(found[2]), int(found[3])) if found[2] else (_MORNING, 0)
    day = now + timedelta(days=1) if word in ("tomorrow", "morgen") else now
    moment = _at(day, hour, minute)
    return moment + timedelta(days=1) if not word and moment <= now else moment


def _at(day: datetime, hour: int, minute: int) -> datetime:
    return day.replace(hour=hour, minute=minute, second=0, microsecond=0)
