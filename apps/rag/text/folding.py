"""One spelling for the words of texts and queries before the stemmer sees them."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_UMLAUTS: Final = frozenset("äöüÄÖÜ")
_BETWEEN_WORDS: Final = re.compile(r"[\s\u2010-\u2015-]+")  # hyphens and dashes, too
_SPELLED_OUT: Final = (("ä", "ae"), ("ö", "oe"), ("ü", "ue"))


def fold(text: str, language: str) -> str:
    """Return the text without accents, ligatures and NUL; German keeps its umlauts, its stemmer knows them.

    Length and offsets change: never cut by what this returns.
    """
    whole = text.replace("\x00", " ")
    if whole.isascii():
        return whole
    composed = unicodedata.normalize("NFKC", whole)
    kept = _UMLAUTS if language == "de" else frozenset()
    return "".join(
        character if character in kept else _plain(character)
        for character in composed
        if not _is_half(character)
    )


def forms(word: str, language: str) -> list[tuple[str, float]]:
    """Return how a word of a query may be written in texts of a language, and how much each spelling counts."""
    found = {fold(word, language): 1.0}
    lower = word.lower()
    for umlaut, letters in _SPELLED_OUT:
        if umlaut in lower:
            found.setdefault(fold(lower.replace(umlaut, letters), language), 0.9)
        if letters in lower:
            found.setdefault(fold(lower.replace(letters, umlaut), language), 0.7)  # "neue" is no "neü"
    return list(found.items())


def key_of(text: str) -> str:
    """Return what terms are compared by: small letters without accents, umlauts spelled out, single spaces."""
    key = unicodedata.normalize("NFKC", text).casefold()
    for umlaut, letters in _SPELLED_OUT:
        key = key.replace(umlaut, letters)
    return _BETWEEN_WORDS.sub(" ", fold(key, "")).strip()


def _plain(character: str) -> str:
    if character == "ß":
        return "ss"
    if character.isascii():
        return character
    decomposed = unicodedata.normalize("NFD", character)
    return "".join(part for part in decomposed if not unicodedata.combining(part))


def _is_half(character: str) -> bool:
    return "\ud800" <= character <= "\udfff"
