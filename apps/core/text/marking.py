"""How answers are scored against those people marked: as SQuAD does, with the German articles for German."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence
from typing import Final

_ARTICLES: Final = {
    "en": re.compile(r"\b(?:a|an|the)\b"),
    "de": re.compile(r"\b(?:der|die|das|den|dem|des|ein|eine|einen|einem|einer|eines)\b"),
}
_PUNCTUATION: Final = str.maketrans("", "", string.punctuation + "„“”‚‘’»«–")


def plain(text: str, language: str) -> list[str]:
    """Return the words that count: small, without punctuation and articles."""
    bare = text.lower().translate(_PUNCTUATION)
    articles = _ARTICLES.get(language)
    return (articles.sub(" ", bare) if articles else bare).split()


def is_exact(answer: str, golds: Sequence[str], language: str) -> bool:
    """Return whether the answer is one of those marked."""
    own = plain(answer, language)
    return any(own == plain(gold, language) for gold in golds)


def overlap(answer: Sequence[str], gold: Sequence[str]) -> float:
    """Return F1 of two lists of words, 0 to 1."""
    shared = sum((Counter(answer) & Counter(gold)).values())
    return 2 * shared / (len(answer) + len(gold)) if shared else 0.0


def f1(answer: str, golds: Sequence[str], language: str) -> float:
    """Return the best overlap with one of those marked."""
    own = plain(answer, language)
    return max((overlap(own, plain(gold, language)) for gold in golds), default=0.0)
