"""The command palette finds what the reader may open, by any part of a name, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from apps.core import palette
from apps.core.palette import Target
from apps.core.registry import AlreadyRegistered


@pytest.fixture(autouse=True)
def _own_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(palette, "_sources", {})


def offer(*labels: str, key: str = "places", order: int = 50) -> None:
    def find(principal: Any, typed: str) -> Iterable[Target]:
        return [Target(label=label, url=f"/{label}/", icon="hash") for label in labels]

    palette.register(key, key.title(), find, order=order)


def found(typed: str) -> list[list[str]]:
    return [[target.label for target in group.targets] for group in palette.find(None, typed)]


def test_a_name_that_begins_so_comes_before_a_word_and_a_part() -> None:
    offer("sommerfest", "fest", "das-fest", "einkauf")
    assert found("fest") == [["fest", "das-fest", "sommerfest"]]


@pytest.mark.parametrize("typed", ["muller", "MÜLLER", "  müller  ", "mu\x00ller"])
def test_case_accents_and_spaces_do_not_matter(typed: str) -> None:
    offer("Anna Müller", "Ben Maier")
    assert found(typed) == [["Anna Müller"]]


def test_groups_come_in_their_order_and_empty_ones_not_at_all() -> None:
    offer("allgemein", key="second", order=20)
    offer("alle Seiten", key="first", order=10)
    offer("nichts davon", key="third", order=30)
    assert found("all") == [["alle Seiten"], ["allgemein"]]


def test_each_group_shows_six() -> None:
    offer(*(f"kanal {number}" for number in range(9)))
    assert found("") == [[f"kanal {number}" for number in range(6)]]


def test_two_sources_of_one_name_are_a_mistake() -> None:
    offer("one")
    with pytest.raises(AlreadyRegistered):
        offer("other")
