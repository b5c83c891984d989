"""Words of questions and sentences: stems light enough for both languages, and how alike two of them are."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from apps.elyza.types import Span

_WORD: Final = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)?|[^\W_]+")
_ENDINGS: Final = {
    "en": (
        "ations", "ation", "ments", "ment", "ings", "ing", "ness", "ies", "ied", "ers", "ors",
        "er", "or", "est", "ed", "es", "ly", "al", "s", "e", "y",
    ),
    "de": (
        "ungen", "ung", "heiten", "heit", "keiten", "keit", "ierten", "ierte", "iert", "ieren",
        "lichen", "liche", "lich", "ischen", "ische", "isch", "ern", "ten", "tet", "en", "er",
        "em", "es", "te", "st", "e", "n", "s", "t",
    ),
}  # fmt: skip
_SHORTEST_STEM: Final = 4
_SHORTEST_PART: Final = 4  # of a compound
_LIKE_ENOUGH: Final = 0.6


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a text: where it stands and its stem."""

    span: Span
    text: str
    stem: str


def find_words(text: str, *, language: str) -> list[Word]:
    """Return the words in order; numbers keep their points and commas."""
    return [
        Word(Span(*found.span()), found.group(), stem_of(found.group(), language))
        for found in _WORD.finditer(text)
    ]


@lru_cache(maxsize=50_000)
def stem_of(word: str, language: str) -> str:
    """Return the word without case, accents and its most common endings; a number as it stands."""
    folded = unicodedata.normalize("NFKD", word.casefold())
    plain = "".join(character for character in folded if not unicodedata.combining(character))
    plain = plain.split("'")[0].split("’")[0]
    if plain[:1].isdigit():
        return plain
    for ending in _ENDINGS.get(language, ()):
        if plain.endswith(ending) and len(plain) - len(ending) >= _SHORTEST_STEM:
            return plain[: -len(ending)]
    return plain


@lru_cache(maxsize=100_000)
def likeness(one: str, other: str) -> float:
    """Return how alike two stems are: 1 equal, up to 0.8 for a shared beginning or a part of a compound, else
    0.
    """
    if one == other:
        return 1.0
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) < _SHORTEST_PART or shorter[0].isdigit():
        return 0.0
    if shorter in longer:
        return 0.5 + 0.3 * len(shorter) / len(longer)
    shared = next((i for i, (a, b) in enumerate(zip(shorter, longer, strict=False)) if a != b), len(shorter))
    share = shared / len(longer)
    return 0.8 * share if shared >= _SHORTEST_PART and share >= _LIKE_ENOUGH else 0.0
