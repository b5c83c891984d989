"""Other words for those of a query that a language model suggested: which of them are looked for, and how an address
carries them.

What a model writes is no more trusted than what a stranger types: words are taken from it and nothing else. They go the
way of synonyms, so that the same passages are in reach as without them.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from django.core import signing

from apps.core.text.language import guess
from apps.rag.text.folding import key_of
from apps.rag.text.query import ParsedQuery, Synonyms
from apps.rag.types import (
    LONGEST_SYNONYM,
    MOST_SUGGESTION_WORDS,
    MOST_SUGGESTIONS,
    MOST_SYNONYM_WORDS,
    Expansion,
    ExpansionKind,
    Suggestion,
)

LONGEST_SEALED: Final = 2_000
_SALT: Final = "rag.suggestions"
# Begins with a letter: no minus sign, quote, colon or number, so no exclusion, phrase, operator, address or id.
_WORD: Final = re.compile(r"[^\W\d_][^\W_]*(?:[-'’&+][^\W_]+)*")
_MOST_DIGITS: Final = re.compile(r"\d{5}")


def with_suggestions(
    query: ParsedQuery,
    expanded: Sequence[Expansion],
    suggestions: Sequence[Suggestion],
    *,
    left_out: Collection[str] = (),
) -> tuple[ParsedQuery, tuple[Expansion, ...]]:
    """Return the query with what is looked for of a model's words, and all that is told about it.

    Args:
        expanded: synonyms that it has already.
        left_out: terms that are told, but not looked for.
    """
    known = {key_of(one.term) for one in expanded}
    refused = {key_of(term) for term in left_out}
    synonyms, told = list(query.synonyms), list(expanded)
    for words, term in _fitting(query, suggestions, known):
        is_used = key_of(term) not in refused
        told.append(Expansion(" ".join(words), term, is_used=is_used, kind=ExpansionKind.SUGGESTED))
        if is_used:
            synonyms.append(Synonyms(words, (term,), kind=ExpansionKind.SUGGESTED))
    return replace(query, synonyms=tuple(synonyms)), tuple(told)


def fitting(
    query: ParsedQuery, suggestions: Sequence[Suggestion], expanded: Sequence[Expansion] = ()
) -> tuple[Suggestion, ...]:
    """Return those that would be looked for, each once: words of the query's language for words of the query.

    What stands in quotes, behind an operator or behind a minus sign is meant as it is written, and nothing is looked
    for that the query excludes.
    """
    known = {key_of(one.term) for one in expanded}
    kept = [Suggestion(" ".join(words), term) for words, term in _fitting(query, suggestions, known)]
    spoken, written = guess(query.text), guess(" ".join(one.term for one in kept))
    return () if spoken and written and spoken != written else tuple(kept)


def _fitting(
    query: ParsedQuery, suggestions: Sequence[Suggestion], known: Collection[str]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the words of the query and the term for them, at most as many as may be."""
    places = dict(_terms(query))
    said = {*known, *places, *map(key_of, query.words)}
    excluded = {word for one in query.excluded for word in key_of(one).split()}
    is_latin = _is_latin(query.text)
    found = 0
    for one in suggestions:
        term = " ".join(one.term.split()) if len(one.term) <= LONGEST_SYNONYM else ""
        words, key = places.get(key_of(one.text)), key_of(term)
        if words is None or key in said or not _is_wording(term) or not excluded.isdisjoint(key.split()):
            continue
        if is_latin and not _is_latin(term):
            continue
        said.add(key)
        yield words, term
        found += 1
        if found == MOST_SUGGESTIONS:
            return


def _terms(query: ParsedQuery) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield what of the query may be said otherwise, by what it is compared by."""
    for run in query.runs:
        for first in range(len(run)):
            for end in range(first + 1, min(first + MOST_SYNONYM_WORDS, len(run)) + 1):
                words = run[first:end]
                if set(words) <= set(query.words):  # not behind the last word that counts
                    yield key_of(" ".join(words)), words


def _is_wording(term: str) -> bool:
    """Return whether a text is one to four words and nothing else."""
    words = unicodedata.normalize("NFC", term).split(" ")
    return len(words) <= MOST_SUGGESTION_WORDS and all(
        _WORD.fullmatch(word) and not _MOST_DIGITS.search(word) for word in words
    )


def _is_latin(text: str) -> bool:
    return all("LATIN" in unicodedata.name(letter, "") for letter in text if letter.isalpha())


def sealed(organization_id: UUID, query: str, suggestions: Sequence[Suggestion]) -> str:
    """Return the words for an address: what a page calls a model's is what a model said to this query here."""
    told = [_bound(organization_id, query), [[one.text, one.term] for one in suggestions]]
    return signing.dumps(told, salt=_SALT, compress=True)


def unsealed(organization_id: UUID, query: str, token: str) -> tuple[Suggestion, ...]:
    """Return the words of an address; none when it was changed, or belongs to another query or organization."""
    if not token or len(token) > LONGEST_SEALED:
        return ()
    try:
        bound, told = _loaded(token)
    except signing.BadSignature:
        return ()
    if bound != _bound(organization_id, query):
        return ()
    return tuple(Suggestion(text, term) for text, term in told)


def _loaded(token: str) -> Any:  # Any: JSON that was signed here
    return signing.loads(token, salt=_SALT)


def _bound(organization_id: UUID, query: str) -> str:
    said = " ".join(query.split())
    return hashlib.sha256(f"{organization_id}:{said}".encode()).hexdigest()[:24]
