"""Whether a person is told, and by which ways: pure rules over what it wants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apps.notify.types import IN_APP, MAIL, MENTIONS, NOTHING, PERSONAL, PUSH, PreferencesView, QuietTime

# Levels are about places; these are about the person and come anyway.
_ANYWAY = frozenset({"reminder", "admin", "report", "outcome"})
# What is meant by mentions where somebody wants only those: the person itself, its groups, its words.
_NAMED = frozenset({"mention", "group_mention", "keyword"})


@dataclass(frozen=True, kw_only=True)
class Way:
    """A line for the delivery log. An empty outcome waits until `due_at`; any other is settled."""

    channel: str
    due_at: datetime
    outcome: str = ""
    target_id: UUID | None = None

    @property
    def is_waiting(self) -> bool:
        """Return whether it is still to be sent."""
        return not self.outcome


def held_by(*, reason: str, level: str, is_muted: bool, thread: str = "") -> str:
    """Return why a person is not told at all, or nothing.

    Args:
        level: of the conversation, or of everything. thread: of the thread itself; it is nearer, so the others are not
            asked where it says something.
    """
    if reason in _ANYWAY:
        return ""
    if thread == NOTHING:
        return "thread_muted"
    if thread:
        return "only_mentions" if thread == MENTIONS and reason not in _NAMED else ""
    if level == NOTHING or (level == MENTIONS and reason == "conversation"):
        return "level"
    return "muted" if is_muted and reason not in PERSONAL else ""


def ways(
    wishes: PreferencesView,
    *,
    now: datetime,
    browsers: Sequence[UUID],
    mail_wait: timedelta,
    push_wait: timedelta,
) -> list[Way]:
    """Return how a person is told; in the app always."""
    found = [Way(channel=IN_APP, due_at=now, outcome="sent"), _mail(wishes, now, mail_wait)]
    stopped = "" if wishes.has_push else "off"
    stopped = stopped or disturbed_by(wishes, now) or ("" if browsers else "no_address")
    if stopped:
        return [*found, Way(channel=PUSH, due_at=now, outcome=stopped)]
    return [*found, *(Way(channel=PUSH, due_at=now + push_wait, target_id=pk) for pk in browsers)]


def _mail(wishes: PreferencesView, now: datetime, wait: timedelta) -> Way:
    if wishes.mail == "off":
        return Way(channel=MAIL, due_at=now, outcome="off")
    return Way(channel=MAIL, due_at=now + wait if wishes.mail == "soon" else next_digest(wishes, now))


def next_digest(wishes: PreferencesView, now: datetime) -> datetime:
    """Return when the person's next digest leaves, in its own time zone; always after `now`."""
    local = now.astimezone(zone(wishes.time_zone))
    at = local.replace(
        hour=wishes.digest_minute // 60, minute=wishes.digest_minute % 60, second=0, microsecond=0
    )
    if wishes.mail == "weekly":
        at += timedelta(days=(wishes.digest_weekday - at.weekday()) % 7)
    step = timedelta(days=7 if wishes.mail == "weekly" else 1)
    return at if at > local else at + step


def disturbed_by(wishes: PreferencesView, now: datetime) -> str:
    """Return why the person wants no push message now, or nothing."""
    until = wishes.do_not_disturb_until
    if until is not None and now < until:
        return "do_not_disturb"
    return "quiet_hours" if is_quiet(wishes.quiet, now.astimezone(zone(wishes.time_zone))) else ""


def is_quiet(times: Sequence[QuietTime], local: datetime) -> bool:
    """Return whether a moment, in the person's zone, lies in its quiet hours, also those that began yesterday."""
    minute, today, yesterday = local.hour * 60 + local.minute, local.weekday(), (local.weekday() - 1) % 7
    for quiet in times:
        over_midnight = quiet.until <= quiet.since
        if quiet.weekday == today and minute >= quiet.since and (over_midnight or minute < quiet.until):
            return True
        if over_midnight and quiet.weekday == yesterday and minute < quiet.until:
            return True
    return False


@lru_cache(maxsize=600)
def zone(name: str) -> ZoneInfo:
    """Return a time zone by its name; UTC for an empty or unknown one."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")  # a name from a browser that this server's tables lack
