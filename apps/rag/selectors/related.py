"""Related words: words of the best hits that a searcher added to a search.

An added word takes part as a further word of the query that counts less than a typed one. The statement that ranks
takes words with weights, so that no hit must hold it and nothing else comes into reach; the encoder compares what was
typed. In the field of the search it would count in full, and could not be told apart.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from apps.core.text.language import carries_meaning
from apps.rag.text.folding import key_of
from apps.rag.text.query import ParsedQuery
from apps.rag.types import LONGEST_SYNONYM, MOST_RELATED, Expansion, ExpansionKind

_SHORTEST: Final = 3  # letters
_WORD: Final = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


def with_related(
    query: ParsedQuery, expanded: Sequence[Expansion], words: Iterable[str]
) -> tuple[ParsedQuery, tuple[Expansion, ...]]:
    """Return the query with the words that a searcher added, and all that is told about it.

    What is no such word, is looked for already or excluded is left, and so is what is too much: anybody can write an
    address.
    """
    said = {key_of(text) for text in (*query.words, *(one.term for one in expanded))}
    excluded = {part for text in query.excluded for part in key_of(text).split()}
    fitting = {key_of(word): word for word in map(composed, words) if is_offerable(word)}
    added = [word for key, word in fitting.items() if key not in said and excluded.isdisjoint(key.split())]
    related = tuple(added[:MOST_RELATED]) if query.words else ()
    told = (Expansion("", word, kind=ExpansionKind.RELATED) for word in related)
    return replace(query, related=related), (*expanded, *told)


def is_offerable(word: str) -> bool:
    """Return whether a text is one word that says something: no number, id, address or function word."""
    return (
        _SHORTEST <= len(word) <= LONGEST_SYNONYM
        and _WORD.fullmatch(word) is not None
        and carries_meaning(word)
    )


def composed(text: str) -> str:
    """Return a text whose letters with accents are one sign each: in PDFs they are often two."""
    return unicodedata.normalize("NFC", text)
