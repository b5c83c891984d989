"""From a text to what it means for a reader: words, and conditions that the search statement puts on every row.

A name that fits nothing visible finds nothing, exactly as one that does not exist: operators are no way to look behind
the curtain.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from apps.accounts.types import Principal
from apps.chat.errors import SearchNotUnderstood
from apps.chat.selectors.search import contents, people_and_places
from apps.chat.selectors.search.grammar import Query, Term, read
from apps.chat.selectors.search.operators import (
    MOST_SUGGESTIONS,
    OPERATORS,
    Condition,
    Meaning,
    Misunderstood,
    Reader,
)
from apps.chat.types import SearchProblem, SearchProblemReason

ENTRIES = (contents, people_and_places)  # importing them makes their operators known


@dataclass(frozen=True, slots=True)
class Understood:
    """An operator as it was understood. `condition` None: no message fulfils it, or, negated, each one does."""

    term: Term
    label: str
    condition: Condition | None

    @property
    def is_for_messages(self) -> bool:
        """Return whether only messages fulfil it."""
        return OPERATORS[self.term.name].is_for_messages


@dataclass(frozen=True, slots=True)
class Demand:
    """A condition on every message that is found, or its opposite."""

    condition: Condition
    is_negated: bool = False


def read_query(text: str) -> Query:
    """Return the parts of a text, with the operators that exist here."""
    return read(text, OPERATORS.names)


def understand(principal: Principal, query: Query) -> list[Understood]:
    """Return what the operators of a query mean to the principal, in their order.

    At most three queries for any number of operators that name conversations, and one for each that names a person.

    Raises:
        SearchNotUnderstood: with the place of each part that cannot be read, and what could be meant.
    """
    reader = Reader(principal)
    problems = list(query.problems)
    found: list[Understood] = []
    for term in query.terms:
        if term.kind != "operator":
            continue
        meaning = OPERATORS[term.name].resolve(reader, term.value)
        if isinstance(meaning, Meaning):
            found.append(Understood(term, meaning.label, meaning.condition))
        else:
            problems.append(_problem(query, term, meaning))
    if problems:
        raise SearchNotUnderstood(sorted(problems, key=lambda problem: problem.start))
    return found


def _problem(query: Query, term: Term, misunderstood: Misunderstood) -> SearchProblem:
    minus = "-" if term.is_negated else ""
    reason: SearchProblemReason = "date_unknown" if misunderstood.is_date else "value_unknown"
    ways = misunderstood.suggestions[:MOST_SUGGESTIONS]
    suggestions = tuple(f"{minus}{term.name}:{value}" for value in ways)
    return SearchProblem(reason, term.start, term.end, query.text[term.start : term.end], suggestions)


def demands(understood: Iterable[Understood]) -> list[Demand] | None:
    """Return the conditions as one list, all of which must hold; None where no message can fulfil them.

    Several `from:` (and `in:` and so on) without a minus mean any of them.
    """
    found: list[Demand] = []
    joined: dict[str, list[Condition | None]] = {}
    for one in understood:
        if OPERATORS[one.term.name].is_any and not one.term.is_negated:
            joined.setdefault(one.term.name, []).append(one.condition)
        elif one.condition is not None:
            found.append(Demand(one.condition, one.term.is_negated))
        elif not one.term.is_negated:
            return None
    for conditions in joined.values():
        any_of = _any_of(condition for condition in conditions if condition)
        if not any_of:
            return None
        found += any_of
    return found


def _any_of(conditions: Iterable[Condition]) -> list[Demand]:
    """Return one demand for each filter, with the values of all conditions on it."""
    values: dict[str, dict[str, None]] = {}
    for condition in conditions:
        values.setdefault(condition.filter, {}).update(dict.fromkeys(condition.values))
    return [Demand(Condition(name, tuple(given))) for name, given in values.items()]
