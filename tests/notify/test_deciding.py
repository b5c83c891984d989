"""The rules by themselves: levels, quiet hours over midnight and in the person's zone, when a digest leaves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from apps.notify.services.deciding import disturbed_by, held_by, is_quiet, next_digest, ways
from apps.notify.types import PreferencesView, QuietTime


def wishes(**changed: object) -> PreferencesView:
    given = {
        "level": "mentions", "mail": "soon", "digest_minute": 480, "digest_weekday": 0, "has_push": True,
        "push_content": True, "time_zone": "Europe/Berlin",
    }  # fmt: skip
    return PreferencesView(**(given | changed))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("reason", "level", "is_muted", "held"),
    [
        ("mention", "mentions", False, ""),
        ("mention", "mentions", True, ""),
        ("mention", "nothing", False, "level"),
        ("group_mention", "mentions", True, "muted"),
        ("keyword", "all", True, "muted"),
        ("conversation", "all", False, ""),
        ("conversation", "mentions", False, "level"),
        ("followed_thread", "mentions", False, ""),
        ("followed_topic", "mentions", False, ""),
        ("followed_topic", "nothing", False, "level"),
        ("direct", "nothing", False, "level"),
        ("reminder", "nothing", True, ""),
        ("admin", "nothing", True, ""),
    ],
)
def test_who_is_told(reason: str, level: str, is_muted: bool, held: str) -> None:
    assert held_by(reason=reason, level=level, is_muted=is_muted) == held


@pytest.mark.parametrize(
    ("reason", "thread", "held"),
    [
        ("followed_thread", "all", ""),
        ("direct", "all", ""),
        ("followed_thread", "mentions", "only_mentions"),
        ("direct", "mentions", "only_mentions"),
        ("mention", "mentions", ""),
        ("group_mention", "mentions", ""),
        ("keyword", "mentions", ""),
        ("mention", "nothing", "thread_muted"),
        ("followed_thread", "nothing", "thread_muted"),
    ],
)
@pytest.mark.parametrize(("level", "is_muted"), [("nothing", False), ("all", True)])
def test_a_threads_own_level_is_nearer_than_all_around_it(
    reason: str, thread: str, held: str, level: str, is_muted: bool
) -> None:
    assert held_by(reason=reason, level=level, is_muted=is_muted, thread=thread) == held


NIGHT = QuietTime(weekday=4, since=22 * 60, until=7 * 60)  # Friday into Saturday
LUNCH = QuietTime(weekday=0, since=12 * 60, until=13 * 60)


@pytest.mark.parametrize(
    ("local", "quiet"),
    [
        (datetime(2026, 12, 4, 21, 59, tzinfo=UTC), False),
        (datetime(2026, 12, 4, 22, 0, tzinfo=UTC), True),
        (datetime(2026, 12, 5, 6, 59, tzinfo=UTC), True),
        (datetime(2026, 12, 5, 7, 0, tzinfo=UTC), False),
        (datetime(2026, 12, 5, 23, 0, tzinfo=UTC), False),
        (datetime(2026, 12, 7, 12, 30, tzinfo=UTC), True),
        (datetime(2026, 12, 7, 13, 0, tzinfo=UTC), False),
    ],
)
def test_quiet_hours_go_past_midnight(local: datetime, quiet: bool) -> None:
    assert is_quiet([NIGHT, LUNCH], local) is quiet


def test_quiet_hours_are_the_persons_and_a_pause_ends_by_itself() -> None:
    late = datetime(2026, 12, 4, 21, 30, tzinfo=UTC)  # 22:30 in Berlin
    assert disturbed_by(wishes(quiet=(NIGHT,)), late) == "quiet_hours"
    assert disturbed_by(wishes(quiet=(NIGHT,), time_zone=""), late) == ""
    paused = wishes(do_not_disturb_until=late)
    assert disturbed_by(paused, late - timedelta(seconds=1)) == "do_not_disturb"
    assert disturbed_by(paused, late) == ""


@pytest.mark.parametrize(
    ("changed", "leaves"),
    [
        ({"mail": "daily"}, datetime(2026, 12, 3, 7, 0, tzinfo=UTC)),
        ({"mail": "daily", "digest_minute": 12 * 60}, datetime(2026, 12, 2, 11, 0, tzinfo=UTC)),
        ({"mail": "weekly"}, datetime(2026, 12, 7, 7, 0, tzinfo=UTC)),
        ({"mail": "weekly", "digest_weekday": 2}, datetime(2026, 12, 9, 7, 0, tzinfo=UTC)),
        ({"mail": "daily", "time_zone": "Mars/Olympus"}, datetime(2026, 12, 3, 8, 0, tzinfo=UTC)),
    ],
)
def test_a_digest_leaves_at_its_time_and_never_in_the_past(
    changed: dict[str, object], leaves: datetime
) -> None:
    now = datetime(2026, 12, 2, 10, 0, tzinfo=UTC)  # a Wednesday
    assert next_digest(wishes(**changed), now) == leaves


def test_every_way_is_decided_and_says_why_it_is_not_taken() -> None:
    now = datetime(2026, 12, 2, 10, 0, tzinfo=UTC)
    wait = {"mail_wait": timedelta(minutes=2), "push_wait": timedelta(seconds=10)}
    browser = uuid4()
    found = ways(wishes(), now=now, browsers=[browser], **wait)
    assert [(way.channel, way.outcome) for way in found] == [("in_app", "sent"), ("mail", ""), ("push", "")]
    assert [way.due_at - now for way in found] == [timedelta(), timedelta(minutes=2), timedelta(seconds=10)]
    found = ways(wishes(mail="off"), now=now, browsers=[], **wait)
    assert [way.outcome for way in found] == ["sent", "off", "no_address"]
    found = ways(wishes(has_push=False), now=now, browsers=[browser], **wait)
    assert found[-1].outcome == "off"
