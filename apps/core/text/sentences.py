"""Sentence borders in German and English text, with exact offsets.

Rules, not a model: a full stop ends a sentence unless it belongs to an abbreviation, an initial, a German
ordinal ("3. März", "im 19. Jahrhundert"), a list number or a number; where that leaves a doubt, the next word
decides. Blank lines, list items, rows of a table and U+2029, the paragraph separator, always end one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from apps.core.text.language import Language, guess
from apps.core.text.words import (
    BEFORE_NUMBERS,
    MONTHS,
    NEVER_ENDING,
    ORDINAL_COMPANIONS,
    SELDOM_ENDING,
    SENTENCE_OPENERS,
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence: `text == source[start:end]`, code points, no white space at either end."""

    start: int
    end: int
    text: str


_LOOK_BACK: Final = 80
_LOOK_AHEAD: Final = 48
_CLOSING: Final = "\"'”’“‘»«›‹)]}"
_OPENING: Final = "\"'„“”‚‘’«»‹›([{¿¡"

_HARD_BREAK = re.compile(
    r"""
    \n[^\S\n]*\n\s*                                     # blank line
    | \u2029
    | (?<=\ \|\ )\n | \n(?=[^\n]*\ \|\ ) | (?<=\|)\n    # rows of a table
    | \n(?=[^\S\n]*(?:[-*•‣▪–—]|\d{1,3}[.)]|[a-z]\))\s)  # list items
    """,
    re.VERBOSE,
)
_STOP = re.compile(
    rf"""
    (?<![.!?…])(?P<mark>[.!?…]+)(?P<closing>[{re.escape(_CLOSING)}]*)\s+
    | (?P<wide>[。！？]+)[」』]?\s*
    | (?<=[a-zäöüß]{{3}})(?P<glued>\.)(?=[A-ZÄÖÜ][a-zäöüß]*\s)
    """,
    re.VERBOSE,
)
_LAST_TOKEN = re.compile(r"[^\s(\[{„“\"'»«]+$")
_NEXT_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*\.?|\d+")
_ORDINAL = re.compile(r"(?:\d{1,3}|[IVXL]{1,6})\.")
# "J.", "c.", "U.S.", "v.Chr."
_LETTERS = re.compile(r"(?:[^\W\d_]\.-?)+|(?:[^\W\d_]{1,3}\.)+[^\W\d_]{1,3}\.")
_LIST_MARK = re.compile(r"(?:\d{1,3}(?:\.\d{1,3})*|[A-Za-z]|[ivxIVX]{1,5}|§\s?\d+)\.")


def split_sentences(text: str, *, language: Language | None = None) -> list[Sentence]:
    """All sentences of the text in order; white space between them belongs to none.

    Args:
        language: of the text, where the caller knows it; otherwise guessed, and only if a border depends on
        it.
    """
    return list(_Splitter(text, language).sentences())


class _Splitter:
    """Keeps the text and the language, which is guessed at the first border that needs it."""

    def __init__(self, text: str, language: Language | None) -> None:
        self._text = text
        self._language = language
        self._guessed = language is not None

    def sentences(self) -> Iterator[Sentence]:
        """Cut at hard breaks first, then inside each stretch."""
        start = 0
        for found in _HARD_BREAK.finditer(self._text):
            yield from self._stretch(start, found.start())
            start = found.end()
        yield from self._stretch(start, len(self._text))

    def _stretch(self, start: int, end: int) -> Iterator[Sentence]:
        opened = start
        for found in _STOP.finditer(self._text, start, end):
            if self._ends_sentence(opened, found, end):
                yield from self._trimmed(opened, found.end())
                opened = found.end()
        yield from self._trimmed(opened, end)

    def _trimmed(self, start: int, end: int) -> Iterator[Sentence]:
        raw = self._text[start:end]
        body = raw.strip()
        if body:
            begin = start + len(raw) - len(raw.lstrip())
            yield Sentence(begin, begin + len(body), body)

    def _ends_sentence(self, opened: int, found: re.Match[str], end: int) -> bool:
        if found["wide"]:
            return True
        after = self._text[found.end() : min(end, found.end() + _LOOK_AHEAD)].lstrip(_OPENING)
        following = _NEXT_WORD.match(after)
        word = following.group() if following else ""
        if found["glued"]:
            return _opens(word)
        if not after or after[0].islower():
            return not after
        if found["mark"] != "." or found["closing"].strip("'’"):
            return True
        stop = found.end("mark")
        return self._full_stop_ends(self._text[max(opened, stop - _LOOK_BACK) : stop].lstrip(), word)

    def _full_stop_ends(self, piece: str, word: str) -> bool:
        """Whether the full stop at the end of `piece` ends the sentence that goes on with `word`."""
        last = _LAST_TOKEN.search(piece)
        token = last.group() if last else piece
        lowered = token.lower()
        if _LIST_MARK.fullmatch(piece) or lowered in NEVER_ENDING:
            return False  # "3. Introduction", "A. Scope": a number or a letter opens the sentence
        if _ORDINAL.fullmatch(token):
            return self._number_ends(piece, token, word)
        if lowered in BEFORE_NUMBERS and lowered not in SELDOM_ENDING:
            return not word[:1].isdigit()
        if lowered in SELDOM_ENDING or _LETTERS.fullmatch(token):
            return _opens(word)
        return True

    def _number_ends(self, piece: str, token: str, word: str) -> bool:
        if word[:1].isdigit() or word.rstrip(".").lower() in MONTHS:
            return False  # "3. 4. 2025", "3. März"
        before = piece[: -len(token)].split()
        companion = before[-1] if before else ""
        if not token[0].isdigit():
            return _opens(word) if companion[:1].isupper() else self._in_english()  # "Ludwig XIV. Kaiser"
        if companion.lower() in ORDINAL_COMPANIONS:
            return False
        return _opens(word) or self._in_english()

    def _in_english(self) -> bool:
        """English has no ordinals with a full stop, so a number before one ends the sentence."""
        if not self._guessed:
            self._language, self._guessed = guess(self._text), True
        return self._language != "de"


def _opens(word: str) -> bool:
    return word.lower() in SENTENCE_OPENERS
