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
# Below the first the best hit is about something else, above the second it is about this, whatever its words.
FAR, NEAR = 0.35, 0.6
HELD: Final = 0.5  # of the words that carry meaning; hits that hold more of them say what was asked
_LETTER: Final = re.compile(r"[^\W\d_]")
# What names one thing: a long number, an address, a path, letters with three digits as in INC0012345.
_ID: Final = re.compile(r"\d{5}|[@_/\\#=:]|(?=.*[^\W\d_])(?=(?:\D*\d){3})")


@dataclass(frozen=True, slots=True)
class Signs:
    """What the best hits of a search say about it.

    Attributes:
        held: share of the query's words that carry meaning which the hits hold together.
        cosine: of the nearest; None without vectors.
        agree: one of them is among the best by words and by meaning.
    """

    held: float
    cosine: float | None
    agree: bool


def can_be_rewritten(query: ParsedQuery) -> bool:
    """Return whether a query has words that may be said otherwise."""
    words = [word for run in query.runs for word in run]
    return (
        not query.phrases
        and not any(_ID.search(word) for word in query.words)
        and any(carries_meaning(word) and _LETTER.search(word) for word in words)
    )


def is_weak(principal: Principal, text: str, result: SearchResult, *, has_grammar: bool = True) -> bool:
    """Return whether other words may find what the first page of a search did not. Two statements at most."""
    if result.is_list or result.trace.offset or result.trace.path == SearchPath.NEWEST:
        return False
    if result.filters.nothing or not can_be_rewritten(texts_asked(text, has_grammar=has_grammar)):
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
        agree=any((hit.words_rank or 99) <= DEPTH and (hit.meaning_rank or 99) <= DEPTH for hit in hits),
    )


def are_weak(signs: Signs) -> bool:
    """Return whether hits with such signs are probably not what was asked for."""
    if signs.cosine is None:
        return signs.held < HELD
    if signs.cosine >= NEAR or signs.held >= HELD:
        return False
    return signs.cosine < FAR or not signs.agree
