"""Which passages a reader with little room gets: those that add most, within a budget of tokens.

Pure and deterministic: the same candidates in the same order give the same choice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from apps.rag.types import LeftOut

_WORD: Final = re.compile(r"\w+")
_SAME: Final = 0.9  # share of a passage's words that another one has: it says nothing new
_WEAK: Final = 0.15  # of the best value: beside it a passage only distracts
_HALF_LIFE_DAYS: Final = 180.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that could be given.

    Attributes:
        key: of the passage, unique among the candidates.
        tokens: what it costs with all that is written around it.
        score: its relevance, 0 or more.
        group: what belongs together, such as a thread or a document; empty is nothing.
        age_days: of its content; only looked at where recency counts.
    """

    key: int
    text: str
    tokens: int
    score: float
    group: str = ""
    age_days: float = 0.0


@dataclass(frozen=True, slots=True)
class Worth:
    """What counts beside relevance, as shares of it.

    Attributes:
        diversity: what a passage loses that says the same as one already taken.
        completeness: what one gains that goes on with a thread or document already taken from.
        recency: what one of today gains, half of it after half a year. Off: it has not won on judgements.
    """

    diversity: float = 0.5
    completeness: float = 0.1
    recency: float = 0.0


@dataclass(frozen=True, slots=True)
class Choice:
    """What is given, in the order of the candidates, and why the rest is not.

    Attributes:
        tokens: of all that is given; at most the budget.
    """

    taken: tuple[int, ...]
    left_out: tuple[tuple[int, LeftOut], ...]
    tokens: int


def choose(
    candidates: Sequence[Candidate], *, budget_tokens: int, most: int, worth: Worth = Worth()
) -> Choice:
    """Return a choice of at most `most` candidates within the budget.

    Each time the one is taken whose value beside those already taken is highest, and once more by value for each
    token; the better of the two choices counts, so that one long passage does not keep out several short ones.

    Args:
        candidates: best first; of two with the same value the earlier one is taken.
    """
    by_value = _greedy(candidates, budget_tokens, most, worth, per_token=False)
    if len(by_value.taken) == min(most, len(candidates)):
        return by_value.choice
    by_token = _greedy(candidates, budget_tokens, most, worth, per_token=True)
    return by_token.choice if by_token.value > by_value.value + 1e-9 else by_value.choice


def fits_beside(candidate: Candidate, given: Iterable[str], *, room_tokens: int) -> bool:
    """Return whether a neighbour of a given passage can be added: there is room, and it says something new."""
    words = _words(candidate.text)
    return candidate.tokens <= room_tokens and not any(_says(words, _words(text)) for text in given)


@dataclass(frozen=True, slots=True)
class _Outcome:
    choice: Choice
    value: float

    @property
    def taken(self) -> tuple[int, ...]:
        return self.choice.taken


def _greedy(
    candidates: Sequence[Candidate], budget_tokens: int, most: int, worth: Worth, *, per_token: bool
) -> _Outcome:
    waiting = {one.key: one for one in candidates}
    words = {one.key: _words(one.text) for one in candidates}
    likeness = dict.fromkeys(waiting, 0.0)  # to the nearest one taken
    groups: set[str] = set()
    best = max((one.score for one in candidates), default=0.0) or 1.0
    taken: list[int] = []
    left_out: dict[int, LeftOut] = {}
    room, total = budget_tokens, 0.0

    def value(one: Candidate) -> float:
        bonus = worth.completeness if one.group in groups else 0.0
        bonus += worth.recency * 0.5 ** (max(0.0, one.age_days) / _HALF_LIFE_DAYS)
        return float(one.score / best * (1 - worth.diversity * likeness[one.key] + bonus))

    while waiting and len(taken) < most:
        for key in [one.key for one in waiting.values() if one.tokens > room]:
            left_out[key] = LeftOut.BUDGET
            del waiting[key]
        if not waiting:
            break
        chosen = max(waiting.values(), key=lambda one: value(one) / (max(1, one.tokens) if per_token else 1))
        gained = value(chosen)
        del waiting[chosen.key]
        if taken and gained < _WEAK:
            left_out[chosen.key] = LeftOut.WEAK
            continue
        taken.append(chosen.key)
        room, total = room - chosen.tokens, total + gained
        groups |= {chosen.group} - {""}
        for key in list(waiting):
            if _says(words[key], words[chosen.key]):
                left_out[key] = LeftOut.TWICE
                del waiting[key]
            else:
                likeness[key] = max(likeness[key], _alike(words[key], words[chosen.key]))
    left_out |= dict.fromkeys(waiting, LeftOut.MANY)
    ordered = tuple((one.key, left_out[one.key]) for one in candidates if one.key in left_out)
    kept = tuple(one.key for one in candidates if one.key in set(taken))
    return _Outcome(Choice(kept, ordered, budget_tokens - room), total)


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold()))


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the share of their words that both have, 0 to 1."""
    return len(one & other) / max(1, len(one | other))


def _says(one: frozenset[str], other: frozenset[str]) -> bool:
    """Return whether the other has nearly all that the one says."""
    return len(one & other) >= _SAME * len(one)
