"""How many word pieces an English WordPiece model makes of a text, estimated without the model.

Fitted on encyclopedia, policy and science text in both languages: English words are mostly one piece, German ones
about a third of their letters, signs are one each. A text of unknown language counts like German. With the reserve
that `BUDGET_TOKENS` keeps, no chunk of 645 German, 1,546 encyclopedia and 684 policy ones leaves the window; of science
abstracts one in a hundred does, by a few words.
"""

from __future__ import annotations

import re
from typing import Final

from apps.core.text.language import Language

WINDOW_TOKENS: Final = 256  # of all-MiniLM-L6-v2, two of them marks; what is longer is cut without a word
BUDGET_TOKENS: Final = 228

_UNIT = re.compile(r"[^\W\d_]+|\d+|[^\w\s]|_+")
_LONGEST: Final = 40
_GERMAN: Final = (1.0, 1.0, 1.0, 1.1, 1.6, 1.9, 2.15, 2.5, 2.75, 3.15, 3.5)
_ENGLISH: Final = (1.0, 1.0, 1.0, 1.0, 1.0, 1.05, 1.1, 1.15, 1.25, 1.4, 1.5, 1.75, 1.85, 2.0, 2.8)
_GERMAN_PER_LETTER: Final = 0.36
_ENGLISH_PER_LETTER: Final = 0.27
_NAME: Final = 0.25  # more for an English word with a capital letter
_CAPITAL: Final = 0.33  # for each further letter of an abbreviation in capitals
_ABBREVIATION: Final = range(2, 6)
_DIGITS: Final = (0.0, 1.0, 1.0, 1.3, 1.3)
_PER_DIGIT: Final = 0.6


def _german(letters: int) -> float:
    return _GERMAN[letters] if letters < len(_GERMAN) else _GERMAN_PER_LETTER * letters


def _english(letters: int) -> float:
    return _ENGLISH[letters] if letters < len(_ENGLISH) else _ENGLISH_PER_LETTER * letters


_BY_LENGTH: Final = {
    "de": tuple(_german(letters) for letters in range(_LONGEST)),
    "en": tuple(_english(letters) for letters in range(_LONGEST)),
}


def estimate_tokens(text: str, language: Language | None) -> float:
    """Word pieces of a text, without the two marks around it; None counts like German."""
    by_length = _BY_LENGTH[language or "de"]
    name = _NAME if language == "en" else 0.0
    total = 0.0
    for unit in _UNIT.findall(text):
        first, length = unit[0], len(unit)
        if first.isdecimal():
            total += _DIGITS[length] if length < len(_DIGITS) else _PER_DIGIT * length
        elif not first.isalpha() or first > "\u024f":
            total += length  # signs, and other scripts: a piece for each
        elif length in _ABBREVIATION and unit.isupper():
            total += 1 + _CAPITAL * (length - 1)
        else:
            total += by_length[length] if length < _LONGEST else _GERMAN_PER_LETTER * length
            total += name if length > 2 and first.isupper() else 0.0
    return total
