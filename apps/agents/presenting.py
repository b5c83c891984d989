"""An answer in sentences: which of them rest on a source, and on which."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from apps.agents.types import SourceRef
from apps.core.text.sentences import split_sentences

_NUMBERS = re.compile(r"(?:\s*\[\d{1,2}\])+")
_NUMBER = re.compile(r"\[(\d{1,2})\]")


@dataclass(frozen=True)
class Claim:
    """A sentence and the numbers of its sources; none where nothing stands behind it."""

    text: str
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Support:
    """How many sentences of an answer have a source."""

    supported: int
    total: int

    @property
    def missing(self) -> int:
        """Return how many have none."""
        return self.total - self.supported


def paragraphs(body: str, known: Sequence[int]) -> list[list[Claim]]:
    """Return the sentences of a text with `[n]` behind them, by paragraph; numbers without a source are left out.

    A number belongs to the sentence it stands behind, not to the ones before.
    """
    allowed = frozenset(known)
    return [found for part in body.split("\n") if part.strip() and (found := _claims(part, allowed))]


def _claims(text: str, allowed: frozenset[int]) -> list[Claim]:
    found: list[Claim] = []
    place = 0
    for match in _NUMBERS.finditer(text):
        numbers = tuple(number for number in map(int, _NUMBER.findall(match[0])) if number in allowed)
        found += _sentences(text[place : match.start()], numbers)
        place = match.end()
    return [*found, *_sentences(text[place:], ())]


def _sentences(text: str, numbers: tuple[int, ...]) -> list[Claim]:
    sentences = [text[sentence.start : sentence.end].strip() for sentence in split_sentences(text)]
    sentences = [sentence for sentence in sentences if sentence.strip(" .,;:!?")]
    if not sentences:
        return []
    return [*(Claim(sentence, ()) for sentence in sentences[:-1]), Claim(sentences[-1], numbers)]


def support(parts: Sequence[Sequence[Claim]]) -> Support:
    """Count the sentences with a source."""
    claims = [claim for part in parts for claim in part]
    return Support(sum(1 for claim in claims if claim.numbers), len(claims))


def numbers_of(sources: Sequence[SourceRef]) -> list[int]:
    """Return the numbers a text may refer to."""
    return [source.number for source in sources]
