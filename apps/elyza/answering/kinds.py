"""What kind of answer a question wants, and which sentences hold one. The only word lists of the answerer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from apps.elyza.answering.words import Word
from apps.elyza.types import Vector

KINDS: Final = ("number", "date", "name", "reason")
_ASKED: Final = {
    "number": re.compile(
        r"\bhow (?:many|much|old|long|far|high|tall|large|big|often)\b|\bpercent|\bprozent|"
        r"\bwie ?viele?n?\b|\bwie (?:alt|lange|weit|hoch|groß|oft|teuer)\b",
        re.IGNORECASE,
    ),
    "date": re.compile(
        r"\bwhen\b|\bwann\b|\b(?:what|which|welche[mnrs]?) (?:year|date|day|month|century|"
        r"jahr|datum|tag|monat|jahrhundert)",
        re.IGNORECASE,
    ),
    "name": re.compile(
        r"\b(?:who|whom|whose|where|wer|wem|wen|wessen|wo|woher|wohin)\b",
        re.IGNORECASE,
    ),
    "reason": re.compile(r"\b(?:why|warum|wieso|weshalb|wodurch)\b", re.IGNORECASE),
}
_REASON: Final = re.compile(
    r"\b(?:because|since|due to|in order to|so that|caused?|reason|therefore|to avoid|"
    r"weil|da|denn|wegen|damit|um|aufgrund|grund|deshalb|daher|durch)\b",
    re.IGNORECASE,
)
_DATE: Final = re.compile(r"\b1\d{3}\b|\b20\d{2}\b|\b\d{1,2}\.\s?\w+\s\d{4}\b|\b\d{1,2}[:.]\d{2}\b")
_NUMBER: Final = re.compile(
    r".*\d.*|two|three|four|five|six|seven|eight|nine|ten|twelve|hundred|thousand|million|half|"
    r"zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|zwölf|hundert|tausend|millionen|hälfte",
    re.IGNORECASE,
)


def wanted(
    question: str, sentences: Sequence[str], words: Sequence[Sequence[Word]], asked_stems: set[str]
) -> dict[str, Vector]:
    """For each kind: 0 where the question does not ask for it, else 1 for a sentence that has one, -1
    without.

    A number or name that the question itself says is no answer and does not count.
    """
    fresh = [[word for word in row if word.stem not in asked_stems] for row in words]
    there = {
        "number": [any(_NUMBER.fullmatch(word.text) for word in row) for row in fresh],
        "date": [bool(_DATE.search(text)) for text in sentences],
        "name": [any(word.text[0].isupper() and word.span.start > 0 for word in row) for row in fresh],
        "reason": [bool(_REASON.search(text)) for text in sentences],
    }
    return {
        f"{kind}_wanted": np.array(there[kind], np.float32) * 2 - 1
        if _ASKED[kind].search(question)
        else np.zeros(len(sentences), np.float32)
        for kind in KINDS
    }
