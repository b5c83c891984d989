"""What changed between two texts."""

from __future__ import annotations

import time

import pytest

from apps.chat.rendering.differences import differences


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("", "", []),
        ("a b", "a b", [("same", "a b")]),
        ("the old pier", "the new pier", [("same", "the "), ("removed", "old"), ("added", "new"), ("same", " pier")]),
        ("x", "x y", [("same", "x"), ("added", " y")]),
    ],
)  # fmt: skip
def test_words_are_compared(old: str, new: str, expected: list[tuple[str, str]]) -> None:
    assert [(change.kind, change.text) for change in differences(old, new)] == expected


def test_both_texts_can_be_read_from_the_changes() -> None:
    old, new = "one two\nthree 4, five", "one 2\nthree 4; five six"
    changes = differences(old, new)
    assert "".join(change.text for change in changes if change.kind != "added") == old
    assert "".join(change.text for change in changes if change.kind != "removed") == new


def test_the_longest_texts_take_no_time() -> None:
    old, new = "\n".join(f"{n} a b" for n in range(2500)), "\n".join(f"{n} a c" for n in range(2500))
    began = time.perf_counter()
    differences(old, new)
    assert time.perf_counter() - began < 5
