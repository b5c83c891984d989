"""What could stand where somebody is writing a search: operators by their beginning, and values behind their colon."""

from __future__ import annotations

import re
from dataclasses import dataclass

from apps.accounts.types import Principal
from apps.chat.selectors.search.grammar import Term, clean, write
from apps.chat.selectors.search.operators import MOST_SUGGESTIONS, OPERATORS, Operator, Reader, Suggestion

_BEGUN = re.compile(
    r"""(?:^|\s)(?P<minus>-?)(?:(?P<name>[^\W\d_]+(?:-[^\W\d_]+)*):(?P<value>"[^"]*|[^\s"]*)|(?P<start>[^\W\d_][\w-]*))$"""
)


@dataclass(frozen=True, slots=True)
class Completion:
    """Texts that could take the place from `start` to `end`; each one ends so that writing goes on."""

    start: int
    end: int
    suggestions: tuple[Suggestion, ...] = ()


def complete(*, principal: Principal, text: str, at: int) -> Completion:
    """Return what could stand at a place of a text; nothing inside words that begin no operator.

    Args:
        at: where the writer is, in characters.
    """
    before = clean(text)[: max(0, at)]
    begun = _BEGUN.search(before)
    if begun is None:
        return Completion(len(before), len(before))
    start = begun.start("minus")
    found = _values(principal, begun) if begun["name"] else _operators(begun)
    return Completion(start, len(before), tuple(found[:MOST_SUGGESTIONS]))


def _operators(begun: re.Match[str]) -> list[Suggestion]:
    start = begun["start"].lower()
    fitting = [one for one in OPERATORS if any(way.startswith(start) for way in (one.name, *one.aliases))]
    fitting.sort(key=lambda one: not one.name.startswith(start))
    return [_offered(begun["minus"], one) for one in fitting]


def _offered(minus: str, operator: Operator) -> Suggestion:
    return Suggestion(f"{minus}{operator.name}:", f"{minus}{operator.name}:", operator.help)


def _values(principal: Principal, begun: re.Match[str]) -> list[Suggestion]:
    name = OPERATORS.names.get(begun["name"].lower())
    if name is None:
        return []
    written = begun["value"].lstrip('"')
    kept, _, last = written.rpartition(",") if name.startswith("dm") else ("", "", written)
    found = OPERATORS[name].suggest(Reader(principal), last.strip())
    return [
        Suggestion(
            _term(begun["minus"], name, f"{kept},{one.value}" if kept else one.value), one.label, one.note
        )
        for one in found
    ]


def _term(minus: str, name: str, value: str) -> str:
    return f"{write([Term('operator', value, name, is_negated=bool(minus))])} "
