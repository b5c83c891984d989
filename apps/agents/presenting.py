"""An answer in sentences: which of them rest on a source, on which, and whether it says so."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from apps.agents.types import SourceRef
from apps.core.text.sentences import split_sentences

_NUMBERS = re.compile(r"(?:\s*\[\d{1,2}\])+")
_NUMBER = re.compile(r"\[(\d{1,2})\]")


@dataclass(frozen=True)
class Claim:
    """A sentence, where it stands in the text, and the numbers of its sources; none where it names none.

    Attributes:
        support: supported, partly or unsupported; empty where it was never checked.
        doubts: why not.
        answer: where in the text the exact answer stands, if it is likely enough.
    """

    text: str
    start: int
    end: int
    numbers: tuple[int, ...]
    support: str = ""
    doubts: tuple[str, ...] = ()
    answer: tuple[int, int] | None = None

    @property
    def parts(self) -> tuple[str, str, str]:
        """Return what stands before the exact answer, the answer, and what follows; all of it first where none is."""
        if self.answer is None:
            return self.text, "", ""
        first, last = (place - self.start for place in self.answer)
        return self.text[:first], self.text[first:last], self.text[last:]

    @property
    def is_supported(self) -> bool:
        """Return whether its sources say it; of one never checked, whether it names any."""
        return bool(self.numbers) if not self.support else self.support == "supported"

    @property
    def is_unsupported(self) -> bool:
        """Return whether nothing it names says it."""
        return not self.numbers or self.support == "unsupported"


@dataclass(frozen=True)
class Support:
    """How many sentences of an answer are supported by their sources."""

    supported: int
    total: int

    @property
    def missing(self) -> int:
        """Return how many are not."""
        return self.total - self.supported


def paragraphs(
    body: str, known: Sequence[int], checked: Sequence[Mapping[str, Any]] = ()
) -> list[list[Claim]]:
    """Return the sentences of a text with `[n]` behind them, by paragraph; numbers without a source are left out.

    A number belongs to the sentence it stands behind, not to the ones before.

    Args:
        checked: what was found about each of the sentences, as it is kept, in their order.
    """
    allowed = frozenset(known)
    found, place = [], 0
    for part in body.split("\n"):
        if claims := _claims(part, place, allowed):
            found.append(claims)
        place += len(part) + 1
    kept = {(one["start"], one["end"]): one for one in checked}
    return [[_with(claim, kept.get((claim.start, claim.end))) for claim in claims] for claims in found]


def _with(claim: Claim, checked: Mapping[str, Any] | None) -> Claim:
    if checked is None:
        return claim
    answer = checked.get("answer")
    return replace(
        claim,
        support=checked["support"],
        doubts=tuple(checked["doubts"]),
        answer=(answer[0], answer[1]) if answer else None,
    )


def _claims(text: str, offset: int, allowed: frozenset[int]) -> list[Claim]:
    found: list[Claim] = []
    place = 0
    for match in _NUMBERS.finditer(text):
        numbers = tuple(number for number in map(int, _NUMBER.findall(match[0])) if number in allowed)
        found += _sentences(text[place : match.start()], offset + place, numbers)
        place = match.end()
    return [*found, *_sentences(text[place:], offset + place, ())]


def _sentences(text: str, offset: int, numbers: tuple[int, ...]) -> list[Claim]:
    claims = [
        Claim(text[one.start : one.end], offset + one.start, offset + one.end, ())
        for one in split_sentences(text)
        if text[one.start : one.end].strip(" .,;:!?")
    ]
    return [*claims[:-1], replace(claims[-1], numbers=numbers)] if claims else []


def support(parts: Sequence[Sequence[Claim]]) -> Support:
    """Count the sentences that are supported."""
    claims = [claim for part in parts for claim in part]
    return Support(sum(1 for claim in claims if claim.is_supported), len(claims))


def badge(claim: Claim) -> str:
    """Return the word for how far a sentence is supported, in the reader's language; empty where it is."""
    if claim.is_supported:
        return ""
    if not claim.numbers:
        return _("without a source")
    return _("not supported") if claim.is_unsupported else _("partly supported")


def reasons(claim: Claim) -> str:
    """Return what speaks against a sentence that names sources, in the reader's language."""
    if claim.is_supported or not claim.numbers:
        return ""
    said = {
        "number": _("A number in it is not in its source."),
        "name": _("A name in it is not in its source."),
        "negation": _("Its source may say the opposite."),
        "words": _("Its source says less."),
    }
    return " ".join(said[doubt] for doubt in claim.doubts if doubt in said)


def numbers_of(sources: Sequence[SourceRef]) -> list[int]:
    """Return the numbers a text may refer to."""
    return [source.number for source in sources]
