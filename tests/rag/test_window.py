"""Which passages an answer gets: never over the budget, none twice, the same at every call."""

from __future__ import annotations

import random

import pytest

from apps.rag.selectors.window import Candidate, Choice, Worth, choose, fits_beside
from apps.rag.types import LeftOut

OIL = "The gear oil is changed every 18 months, or after 12,000 hours of operation."
CRANE = "Lifting stops at a wind of twelve metres a second."
PARKING = "Guests park behind the workshop and get a card at the gate."


def candidate(key: int, text: str, score: float = 0.5, **more: object) -> Candidate:
    return Candidate(key, text, int(more.pop("tokens", 10)), score, **more)  # type: ignore[arg-type]


def some(source: random.Random) -> list[Candidate]:
    """Return candidates as a search could give them: some alike, some the same, some too long."""
    words = [f"w{number}" for number in range(30)]
    return [
        candidate(
            key,
            " ".join(source.choices(words, k=source.randint(0, 12))),
            source.choice([0.0, 0.2, 0.5, 0.5, 0.9, 1.0]),
            tokens=source.randint(1, 80),
            group=source.choice(["", "a", "b"]),
            age_days=source.uniform(-1, 900),
        )
        for key in range(source.randint(0, 25))
    ]


@pytest.mark.parametrize("seed", range(150))
def test_any_choice_keeps_its_promises(seed: int) -> None:
    source = random.Random(seed)
    given = some(source)
    budget, most = source.randint(0, 250), source.randint(1, 10)
    worth = Worth(diversity=source.random(), completeness=source.random(), recency=source.random())
    choice = choose(given, budget_tokens=budget, most=most, worth=worth)
    by_key = {one.key: one for one in given}
    assert sum(by_key[key].tokens for key in choice.taken) == choice.tokens <= budget
    assert len(choice.taken) <= most
    assert sorted([*choice.taken, *(key for key, _why in choice.left_out)]) == sorted(by_key)
    words = [frozenset(by_key[key].text.split()) for key in choice.taken]
    assert len(set(words)) == len(words)
    assert list(choice.taken) == sorted(choice.taken)  # the keys count up in the order of the candidates
    assert choose(given, budget_tokens=budget, most=most, worth=worth) == choice
    room = budget - choice.tokens
    assert all(by_key[key].tokens > room for key, why in choice.left_out if why == LeftOut.BUDGET)


def test_what_is_taken_stays_in_its_order_and_of_equals_the_earlier_is_taken() -> None:
    given = [candidate(1, OIL, 0.9), candidate(2, CRANE, 0.5), candidate(3, PARKING, 0.5)]
    assert choose(given, budget_tokens=100, most=6).taken == (1, 2, 3)
    assert choose(given, budget_tokens=100, most=2, worth=Worth(diversity=0)).taken == (1, 2)


def test_what_says_the_same_is_left_out_once_it_is_said() -> None:
    given = [candidate(1, OIL, 0.9), candidate(2, OIL.upper(), 0.8), candidate(3, CRANE, 0.4)]
    assert choose(given, budget_tokens=100, most=6) == Choice((1, 3), ((2, LeftOut.TWICE),), 20)


def test_what_is_alike_waits_behind_what_is_new() -> None:
    alike = "The gear oil is changed every 18 months, the filter after 6,000 hours of operation in summer."
    given = [candidate(1, OIL, 0.9), candidate(2, alike, 0.7), candidate(3, CRANE, 0.6)]
    assert choose(given, budget_tokens=100, most=2).taken == (1, 3)
    assert choose(given, budget_tokens=100, most=2, worth=Worth(diversity=0)).taken == (1, 2)


def test_one_long_passage_does_not_keep_out_several_short_ones() -> None:
    given = [
        candidate(1, OIL, 0.6, tokens=100),
        candidate(2, CRANE, 0.5, tokens=40),
        candidate(3, PARKING, 0.5, tokens=40),
    ]
    choice = choose(given, budget_tokens=100, most=6)
    assert (choice.taken, choice.left_out) == ((2, 3), ((1, LeftOut.BUDGET),))


def test_a_thread_is_rather_gone_on_with() -> None:
    given = [
        candidate(1, OIL, 0.9, group="thread"),
        candidate(2, CRANE, 0.51),
        candidate(3, PARKING, 0.5, group="thread"),
    ]
    assert choose(given, budget_tokens=100, most=2).taken == (1, 3)
    assert choose(given, budget_tokens=100, most=2, worth=Worth(completeness=0)).taken == (1, 2)


def test_recency_counts_only_where_it_is_asked_for() -> None:
    given = [candidate(1, OIL, 0.5, age_days=700), candidate(2, CRANE, 0.45, age_days=0)]
    assert choose(given, budget_tokens=100, most=1).taken == (1,)
    assert choose(given, budget_tokens=100, most=1, worth=Worth(recency=0.5)).taken == (2,)


def test_what_is_far_behind_the_best_is_left_out() -> None:
    given = [candidate(1, OIL, 0.9), candidate(2, CRANE, 0.05)]
    assert choose(given, budget_tokens=100, most=6).left_out == ((2, LeftOut.WEAK),)
    assert choose(given[1:], budget_tokens=100, most=6).taken == (2,)  # beside nothing better it is the best


def test_a_neighbour_needs_room_and_something_new_to_say() -> None:
    beside = candidate(9, CRANE, tokens=10)
    assert fits_beside(beside, [OIL], room_tokens=10)
    assert not fits_beside(beside, [OIL], room_tokens=9)
    assert not fits_beside(beside, [OIL, CRANE], room_tokens=10)
