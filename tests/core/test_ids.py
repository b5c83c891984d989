"""Keys that sort by the time they were made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from apps.core.ids import first_of, uuid7


def test_keys_of_one_process_only_grow() -> None:
    made = [uuid7() for _ in range(10_000)]
    assert made == sorted(set(made))


def test_the_first_key_of_a_moment_parts_before_from_after() -> None:
    before = datetime.now(UTC)
    made = uuid7()
    assert first_of(before) <= made < first_of(before + timedelta(minutes=1))
    assert first_of(before).version == 7
