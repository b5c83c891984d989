"""Whether the first pass of a search was weak: only then are other words worth a question to a language model.

Every sign is in the result already, but for one statement that reads no table. What is meant as it is written is never
weak: operators alone, phrases in quotes, ids and addresses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from apps.accounts.types import Principal
from apps.core.text.language import carries_meaning
from apps.rag.selectors.explaining import explain, query_of, texts_asked
from apps.rag.text.query import ParsedQuery
from apps.rag.types import SearchPath, SearchResult

DEPTH: Final = 3  # hits that are looked at: who reads further looks for something already
# Held words and nearness together. Of XQuAD-a's questions whose passage is among the first five, 1 % of the English and
# 5 % of the German ones are below it; of those that the other language's passages can't answer well, 61 and 78 %. On a
# part of squadshifts-wiki it is 3 %, on mlqa-de-dev 6 % of those whose passage is found and 32 % of the others.
ENOUGH: Final = 0.85
ENOUGH_WORDS: Final = 0.5  # of the held words alone, where nothing was compared by meaning
_LETTER: Final = re.compile(r"[^\W\d_]")
# What names one thing: a long number, an address, a path, letters with three digits as in INC0012345.
_ID: Final = re.compile(r"\d{5}|[@_/\\#=:]|(?=.*[^\W\d_])(?=(?:\D*\d){3})")


@dataclass(frozen=True, slots=True)
class Signs:
    """What the best hits of a search say about it.

    Attributes:
        held: share of the query's words that carry meaning which the hits hold together.
        cosine: of the nearest; None without vectors.
    """

    held: float
    cosine: float | None


def can_be_rewritten(query: ParsedQuery) -> bool:
    """Return whether a query has words that may be said otherwise."""
    words = [word for run in query.runs for word in run]
    return (
        not query.phrases
        and not any(_ID.search(word) for word in query.words)
        and any(carries_meaning(word) and _LETTER.search(word) for word in words)
    )


def may_be_reworded(result: SearchResult, query: ParsedQuery) -> bool:
    """Return whether a result is the first page of a ranking by words that may be said otherwise."""
    if result.is_list or result.trace.offset or result.trace.path == SearchPath.NEWEST:
        return False
    return not result.filters.nothing and can_be_rewritten(query)


def is_weak(principal: Principal, text: str, result: SearchResult, *, has_grammar: bool = True) -> bool:
    """Return whether other words may find what the first page of a search did not. Two statements at most."""
    if not may_be_reworded(result, texts_asked(text, has_grammar=has_grammar)):
        return False
    if not result.hits:
        return True
    return are_weak(signs_of(result, query_of(principal, text, has_grammar=has_grammar)))


def signs_of(result: SearchResult, query: ParsedQuery) -> Signs:
    """Return what the best hits say. One statement."""
    hits = tuple(sorted(result.hits, key=lambda hit: -hit.score)[:DEPTH])
    found = {match.asked for one in explain(replace(result, hits=hits), query) for match in one.words}
    asked = [word for word in query.words if carries_meaning(word)]
    cosines = [hit.meaning_score for hit in hits if hit.meaning_score is not None]
    return Signs(
        held=sum(word in found for word in asked) / len(asked) if asked else 1.0,
        cosine=max(cosines, default=None),
    )


def are_weak(signs: Signs) -> bool:
    """Return whether hits with such signs are probably not what was asked for."""
    if signs.cosine is None:
        return signs.held < ENOUGH_WORDS
    return signs.held + signs.cosine < ENOUGH
