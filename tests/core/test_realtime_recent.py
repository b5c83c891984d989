"""Frames kept for who comes back: all after a number or nothing, within bounds, and never what was taken back."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from apps.core.events import frames
from apps.core.realtime import recent
from apps.core.realtime.recent import Recent

STREAM = uuid4()
CHANNEL = f"c:{STREAM}".encode()


def frame(sequence: int, kind: str = "reaction.added", payload: bytes = b"{}") -> bytes:
    encoded = frames.encode(type=kind, stream_id=STREAM, sequence=sequence, payload=payload)
    assert encoded is not None
    return encoded[1]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    now = [1000.0]
    monkeypatch.setattr("apps.core.realtime.recent.time.monotonic", lambda: now[0])

    def forward(seconds: float) -> None:
        now[0] += seconds

    return forward


def test_all_after_a_number_is_told_and_an_unknown_past_is_not() -> None:
    kept = Recent()
    assert kept.since(CHANNEL, 0) is None
    kept.keep(CHANNEL, [frame(5), frame(6), frame(7)])
    assert kept.since(CHANNEL, 4) == [frame(5), frame(6), frame(7)]
    assert kept.since(CHANNEL, 6) == [frame(7)]
    assert kept.since(CHANNEL, 7) == []
    assert kept.since(CHANNEL, 3) is None
    assert kept.since(CHANNEL, 9) == []  # a client that has more than came here


def test_what_is_told_again_changes_nothing_and_a_hole_begins_anew() -> None:
    kept = Recent()
    kept.keep(CHANNEL, [frame(1), frame(2), frame(1), frame(2)])
    assert kept.since(CHANNEL, 0) == [frame(1), frame(2)]
    kept.keep(CHANNEL, [frame(4)])
    assert kept.since(CHANNEL, 2) is None
    assert kept.since(CHANNEL, 3) == [frame(4)]
    kept.keep(CHANNEL, [frame(3)])  # late: the database tells it
    assert kept.since(CHANNEL, 2) is None


@pytest.mark.parametrize(
    "kind", ["message.deleted", "message.erased", "message.files_ended", "message.moved_away"]
)
def test_nothing_is_told_of_what_was_taken_back(kind: str) -> None:
    kept = Recent()
    kept.keep(CHANNEL, [frame(1), frame(2, "message.sent", b'{"body":"secret"}'), frame(3, kind)])
    assert kept.since(CHANNEL, 1) is None
    assert kept.since(CHANNEL, 2) is None
    assert kept.since(CHANNEL, 3) == []
    kept.keep(CHANNEL, [frame(4)])
    assert kept.since(CHANNEL, 3) == [frame(4)]
    assert kept._bytes == len(frame(4))


def test_other_frames_are_left_out() -> None:
    kept = Recent()
    notice = frames.encode(type="read.moved", stream_id=STREAM, sequence=1, payload=b"{}")
    assert notice is not None
    kept.keep(CHANNEL, [notice[1], b'{"frame":"typing"}', b"", b'{"frame":"event","conversation":"x"}'])
    assert kept.since(CHANNEL, 0) is None


def test_an_event_of_a_class_that_is_gone_is_asked_of_the_database() -> None:
    kept = Recent()
    kept.keep(CHANNEL, [frame(1), frame(2).replace(b"reaction.added", b"reaction.forgotten")])
    assert kept.since(CHANNEL, 0) is None
    assert kept.since(CHANNEL, 1) is None


def test_only_the_newest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "MOST_FRAMES", 3)
    kept = Recent()
    kept.keep(CHANNEL, [frame(number) for number in range(1, 10)])
    assert kept.since(CHANNEL, 5) is None
    assert kept.since(CHANNEL, 6) == [frame(7), frame(8), frame(9)]
    assert kept._bytes == 3 * len(frame(7))


def test_the_stream_that_was_quiet_longest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "MOST_BYTES", 3 * len(frame(1)))
    kept = Recent()
    for name in (b"c:a", b"c:b", b"c:c", b"c:a"):
        kept.keep(name, [frame(2 if kept.since(name, 1) is not None else 1)])
    assert kept.since(b"c:b", 0) is None
    assert kept.since(b"c:a", 0) == [frame(1), frame(2)]
    assert kept.since(b"c:c", 0) == [frame(1)]
    assert kept._bytes == 3 * len(frame(1))


def test_after_some_time_the_database_is_asked(clock: Callable[[float], None]) -> None:
    kept = Recent()
    kept.keep(CHANNEL, [frame(1)])
    clock(recent.MOST_SECONDS - 1)
    kept.keep(CHANNEL, [frame(2)])
    clock(2)
    assert kept.since(CHANNEL, 0) is None
    assert kept.since(CHANNEL, 1) == [frame(2)]
    clock(recent.MOST_SECONDS)
    assert kept.since(CHANNEL, 1) is None
    assert kept.since(CHANNEL, 2) == []
    assert kept._bytes == 0


def test_a_dropped_stream_is_not_known_any_more() -> None:
    kept = Recent()
    kept.keep(CHANNEL, [frame(1)])
    kept.keep(b"c:other", [frame(1)])
    kept.drop(CHANNEL)
    kept.drop(CHANNEL)
    assert kept.since(CHANNEL, 1) is None
    assert kept._bytes == len(frame(1))
    kept.clear()
    assert kept.since(b"c:other", 1) is None
    assert kept._bytes == 0
