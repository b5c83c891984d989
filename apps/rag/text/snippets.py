"""The part of a passage that shows why it was found."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from apps.rag.text.folding import fold
from apps.rag.types import Span

LENGTH: Final = 260
_BEGINNING = 3  # letters
_PART = re.compile(r"[^\W_]+")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


Words = dict[str, list[Span]]


class Likeness:
    """Whether a word may be one of a query's, before the stemmer says so: it asks the database for each.

    A stem begins as its word does, and a compound holds the beginning of its parts.
    """

    def __init__(self, asked: Collection[str]) -> None:
        plain = {part for form in asked for part in _PART.findall(fold(form, "").lower())}
        firsts = "".join(sorted({form[:1] for form in plain}))
        beginnings = sorted({form[:_BEGINNING] for form in plain})
        self._alike = re.compile("|".join([f"^[{firsts}]", *beginnings]) if plain else r"(?!)")

    def holds(self, word: str) -> bool:
        """Return it for a folded, lower-cased word."""
        # No umlauts either, which a stemmer takes away.
        return self._alike.search(word if word.isascii() else fold(word, "")) is not None


def words_of(text: str, language: str, likeness: Likeness) -> Words:
    """Return each folded, lower-cased word of a text that may be meant, and where it stands; parts of hyphenated words
    too.
    """
    found: Words = {}
    for match in _WORD.finditer(text):
        written = match.group()
        word = written.lower() if written.isascii() else fold(written, language).lower()
        if not likeness.holds(word):  # nor is any part of it
            continue
        found.setdefault(word, []).append(Span(*match.span()))
        if "-" in written:
            for part in re.finditer(r"[^-]+", written):
                span = Span(match.start() + part.start(), match.start() + part.end())
                found.setdefault(fold(part.group(), language).lower(), []).append(span)
    return found


def highlights(words: Words, matching: Collection[str]) -> list[Span]:
    """Return the spans of those words of a text that match, in order, without overlap."""
    spans = sorted(
        (span for word in matching for span in words.get(word, ())),
        key=lambda span: (span.start, -span.end),
    )
    kept: list[Span] = []
    for span in spans:
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return kept


def window(text: str, marks: list[Span], *, length: int = LENGTH) -> Span:
    """Return the stretch with the most different marked words, from a word's start to a word's end."""
    if len(text) <= length:
        return Span(0, len(text))
    best, best_count = 0, 0
    for mark in marks:
        start = max(0, min(mark.start - length // 4, len(text) - length))
        inside = {
            text[m.start : m.end].lower() for m in marks if m.start >= start and m.end <= start + length
        }
        if len(inside) > best_count:
            best, best_count = start, len(inside)
    return Span(_word_start(text, best), _word_end(text, best + length))


def _word_start(text: str, at: int) -> int:
    if at <= 0:
        return 0
    space = re.search(r"\s", text[at - 1 : at + 40])
    return at + space.end() - 1 if space else at


def _word_end(text: str, at: int) -> int:
    if at >= len(text):
        return len(text)
    space = text.rfind(" ", max(0, at - 40), at + 1)
    return space if space > 0 else at
