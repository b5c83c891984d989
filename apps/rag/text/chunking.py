"""Cut a text into pieces the encoder can read whole, at the ends of paragraphs and sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from apps.core.text.language import Language
from apps.core.text.sentences import split_sentences
from apps.rag.types import Span

# The encoder reads 256 tokens. English has about 4.5 characters a token, German 2.8, as it knows fewer German words.
MOST_CHARACTERS: Final = {"en": 1000, "de": 750}
_DEFAULT_CHARACTERS: Final = 850
_WORD_BREAK = re.compile(r"\s")


def most_characters(language: str) -> int:
    """Return how long a chunk in this language may be."""
    return MOST_CHARACTERS.get(language, _DEFAULT_CHARACTERS)


def cut(text: str, *, language: str) -> list[Span]:
    """Return pieces in order, without white space at their ends and without overlap; none for a blank text."""
    limit = most_characters(language)
    start, end = _trimmed(text, 0, len(text))
    if end - start <= limit:
        return [Span(start, end)] if end > start else []
    known: Language | None = "de" if language == "de" else "en" if language == "en" else None
    sentences = [Span(part.start, part.end) for part in split_sentences(text, language=known)]
    return list(_joined(list(_short(text, sentences, limit)), limit))


def _joined(parts: Sequence[Span], limit: int) -> Iterator[Span]:
    """Join neighbours up to the limit, about evenly, so that no crumb is left at the end."""
    if not parts:
        return
    whole = parts[-1].end - parts[0].start
    share = min(limit, whole / -(-whole // limit) * 1.1)
    opened = parts[0]
    for part in parts[1:]:
        if part.end - opened.start <= share:
            opened = Span(opened.start, part.end)
        else:
            yield opened
            opened = part
    yield opened


def _short(text: str, parts: Sequence[Span], limit: int) -> Iterator[Span]:
    """Split what is longer than the limit between words, or anywhere where there are none."""
    for part in parts:
        start = part.start
        while part.end - start > limit:
            breaks = [
                found.start() for found in _WORD_BREAK.finditer(text, start + limit // 2, start + limit)
            ]
            end = breaks[-1] if breaks else start + limit
            yield Span(*_trimmed(text, start, end))
            start, _ = _trimmed(text, end, part.end)
        if part.end > start:
            yield Span(start, part.end)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    left = start + len(piece) - len(piece.lstrip())
    return left, max(left, start + len(piece.rstrip()))
