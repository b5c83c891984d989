"""The exact answer inside a sentence: candidates by rules of chunks, and numbers about each that mean the same in
every language.

Likeness to the question is no score here: the answer is what the question does not say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from apps.core.text.marking import plain
from apps.elyza.answering.features import Question, Weight, word_matches
from apps.elyza.answering.shape_words import SMALL_NUMBERS
from apps.elyza.answering.shapes import SIGN_BEFORE, YEAR, Shapes
from apps.elyza.answering.words import Word, find_words
from apps.elyza.types import Matrix, Span, Vector

LONGEST: Final = 9  # words of a chunk; what runs to the end of a clause may be longer
_MOST_WORDS: Final = 90  # of a sentence
_MOST: Final = 400  # candidates
_LIGHT: Final = 0.42  # below this rarity a word carries no meaning: no answer begins or ends with it
_ABSENT: Final = re.compile(r"[;:()\[\]!?|\n]")
_KINDS: Final = {
    "number": re.compile(
        r"\bhow (?:many|much|old|long|far|high|tall|large|big|often|fast|deep|wide)\b|\bpercent|\bprozent|"
        r"\bwie ?viele?[nrsm]?\b|\bwie (?:alt|lange|weit|hoch|groß|oft|teuer|schnell|tief|breit)\b",
        re.IGNORECASE,
    ),
    "date": re.compile(
        r"\bwhen\b|\bwann\b|\b(?:what|which|welche[mnrs]?) (?:year|date|day|month|century|decade|"
        r"jahr|datum|tag|monat|jahrhundert)",
        re.IGNORECASE,
    ),
    "who": re.compile(r"\b(?:who|whom|whose|wer|wem|wen|wessen)\b", re.IGNORECASE),
    "where": re.compile(
        r"\b(?:where|wo|woher|wohin)\b|"
        r"\b(?:what|which|welche[mnrs]?) (?:city|country|state|region|place|stadt|land|ort)",
        re.IGNORECASE,
    ),
    "why": re.compile(r"\b(?:why|warum|wieso|weshalb|wodurch|wofür|wozu)\b", re.IGNORECASE),
    "how": re.compile(r"\b(?:how|wie)\b", re.IGNORECASE),
    "which": re.compile(r"\b(?:which|welche[mnrs]?)\b|\b(?:what|was für)\s+\w+", re.IGNORECASE),
    "what": re.compile(r"\b(?:what|was|worüber|woran|womit|worin|woraus)\b", re.IGNORECASE),
}
KINDS: Final = (*_KINDS, "other")
_FOCUS: Final = re.compile(
    r"\b(?:what|which|welche[mnrs]?|how many|how much|wie ?viele?[nrsm]?|was für(?: eine?[nmrs]?)?)\s+"
    r"(?:(?:kind|type|sort|name|part) of\s+)?(?P<focus>[^\W\d_]+)",
    re.IGNORECASE,
)
_BEFORE: Final = {
    "in": {"in", "im", "within", "inside", "innerhalb"}, "by": {"by", "von", "vom", "durch"},
    "of": {"of", "des", "der"}, "to": {"to", "zu", "zum", "zur", "nach"}, "for": {"for", "für"},
    "at": {"at", "an", "am", "on", "auf", "bei", "beim"}, "from": {"from", "aus", "seit", "since", "ab"},
    "with": {"with", "mit"}, "as": {"as", "als", "called", "named", "genannt"},
    "cause": {"because", "due", "weil", "da", "wegen", "aufgrund", "damit", "um", "therefore"},
    "and": {"and", "und", "or", "oder"},
    "the": {"the", "a", "an", "die", "das", "den", "dem", "ein", "eine", "einen", "einem"},
    "is": {"is", "was", "are", "were", "be", "been", "ist", "war", "sind", "waren", "wurde", "wurden", "wird"},
}  # fmt: skip
_LENGTHS: Final = {"1": (1, 1), "2": (2, 2), "3": (3, 3), "4": (4, 5), "6": (6, 9), "10": (10, 999)}
_QUOTES: Final = "\"“„»«'‘’”"
_SAID, _HALF_SAID = 0.8, 0.5  # likeness from which a word is one of the question, and below which it is none
_BEHIND_NUMBER: Final = re.compile(r"\s?[%€$£‰]")
_SHAPES: Final = (
    *(f"words_{name}" for name in ("1", "2", "3", "4", "6", "10")),  # as in `_LENGTHS`
    "rarity", "rarest", "said", "said_most", "capitals", "all_capitals", "digits", "year",
    "number_only", "number_first",
    "commas", "joined", "quoted", "bracketed", "share", "begins", "ends",
    "left_said", "left_light", "left_digit", "left_comma", "right_said", "right_light", "right_digit", "right_comma",
    "left_name_cut", "right_name_cut", "left_grows", "right_grows", "left_near", "right_near", "behind_all",
    "before_all", "fits", "unfit", "focus_inside", "focus_left", "focus_right", "is_clause", "light_first",
    *(f"after_{name}" for name in _BEFORE), *(f"first_{name}" for name in _BEFORE),
    *(f"next_{name}" for name in _BEFORE), "before_is_left",
)  # fmt: skip
NAMES: Final = (*_SHAPES, *(f"asks_{kind}" for kind in KINDS))


Columns = dict[str, NDArray[Any]]  # of flags, counts and shares


@dataclass(frozen=True, slots=True)
class Candidates:
    """Spans of a sentence that may be the answer, in its characters, and their features.

    `rows`: float32, shape (spans, len(NAMES)). `first`, `last`: numbers of the words at their ends. `counted`: how much
    each word of the sentence counts when spans are compared: articles do not.
    """

    spans: list[Span]
    rows: Matrix
    first: NDArray[np.intp]
    last: NDArray[np.intp]
    counted: Vector
    fits: NDArray[np.bool_]

    def alike(self) -> Matrix:
        """Return F1 of every two spans, shape (spans, spans): 1 where they differ in articles only."""
        sums = _sums(self.counted)
        begin, end = self.first, self.last + 1
        low, high = np.maximum(begin[:, None], begin), np.minimum(end[:, None], end)
        shared = np.where(high > low, sums[high] - sums[low], 0)
        sizes = sums[end] - sums[begin]
        both: Matrix = (2 * shared / np.maximum(sizes[:, None] + sizes, 1)).astype(np.float32)
        return both


def kind_of(question: str) -> str:
    """Return what kind of answer a question wants."""
    return next((kind for kind, asked in _KINDS.items() if asked.search(question)), "other")


def candidates(question: Question, sentence: str, *, language: str, weight: Weight) -> Candidates:
    """Return what in a sentence may answer the question; about 5 ms."""
    words = find_words(sentence, language=language)[:_MOST_WORDS]
    if not words:
        none = np.zeros(0, np.intp)
        return Candidates(
            [], np.zeros((0, len(NAMES)), np.float32), none, none, np.zeros(0, np.float32), none > 0
        )
    read = _Sentence(question, sentence, words, language, weight)
    pairs = read.chunks()[:_MOST]
    spans = [read.span(first, last) for first, last in pairs]
    first, last = np.array(pairs, np.intp).T
    counted = np.array([len(plain(word.text, language)) for word in words], np.float32)
    return Candidates(spans, read.features(first, last), first, last, counted, read.fit(first, last))


class _Sentence:
    """A sentence read once for all of its candidates."""

    def __init__(
        self, question: Question, sentence: str, words: Sequence[Word], language: str, weight: Weight
    ) -> None:
        self._question, self._text, self._words = question, sentence, words
        count = len(words)
        texts = [word.text for word in words]
        lower = [text.casefold() for text in texts]
        self._gaps = [sentence[: words[0].span.start]]
        self._gaps += [sentence[words[k].span.end : words[k + 1].span.start] for k in range(count - 1)]
        self._gaps.append(sentence[words[-1].span.end :])
        self._rarity = np.array([weight(word.stem) for word in words], np.float32)
        matches = word_matches(question, [[word] for word in words])
        self._said = matches.max(axis=1, initial=0.0)
        self._heavy = (matches * question.weights).max(axis=1, initial=0.0)
        self._capital = np.array([text[0].isupper() for text in texts], bool)
        if language == "de" and count:
            self._capital[0] = False
        self._digit = np.array([text[0].isdigit() or text in SMALL_NUMBERS for text in lower], bool)
        self._year = np.array([bool(YEAR.fullmatch(text)) for text in texts], bool)
        self._light = (self._rarity < _LIGHT) & ~self._digit
        self._shapes = Shapes(question.text, words, self._gaps, language=language, light=self._light)
        self._light &= ~self._shapes.carries
        self._comma = np.array([("," in gap) for gap in self._gaps], bool)
        self._break = np.array([bool(_ABSENT.search(gap)) for gap in self._gaps], bool)
        self._classes = {
            name: np.array([text in known for text in lower], bool) for name, known in _BEFORE.items()
        }
        focus = _FOCUS.search(question.text)
        stems = {word.stem for word in find_words(focus["focus"], language=language)} if focus else set()
        self._focus = np.array([word.stem in stems for word in words], bool)

    def span(self, first: int, last: int) -> Span:
        """Return where the words from the first to the last stand, with the sign of a currency or percent at an end."""
        before, behind = SIGN_BEFORE.search(self._gaps[first]), _BEHIND_NUMBER.match(self._gaps[last + 1])
        start, end = self._words[first].span.start, self._words[last].span.end
        if before and self._digit[first]:
            start -= len(before[0])
        if behind and self._digit[last]:
            end += len(behind[0])
        return Span(start, end)

    def fit(self, first: NDArray[np.intp], last: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Return which parts have the shape that the question asks for."""
        return self._shapes.fit(first, last)

    def chunks(self) -> list[tuple[int, int]]:
        """Return first and last words: short runs between words that carry meaning, and what runs to a clause's end."""
        count = len(self._words)
        found: dict[tuple[int, int], None] = {}
        for first in range(count):
            if not self._light[first]:
                for last in range(first, min(count, first + LONGEST)):
                    if last > first and self._break[last]:
                        break
                    if not self._light[last]:
                        found[first, last] = None
            if (
                first == 0
                or self._comma[first]
                or self._break[first]
                or self._light[first - 1]
                or self._light[first]
            ):
                for last in range(first + 2, count):
                    if self._break[last]:
                        break
                    if last + 1 == count or self._comma[last + 1] or self._break[last + 1]:
                        found[first, last] = None
        return list(found)

    def features(self, first: NDArray[np.intp], last: NDArray[np.intp]) -> Matrix:
        """Return the features of the candidates from the first to the last word of each."""
        values = self._shape(first, last) | self._sides(first, last) | self._names(first, last)
        asked = kind_of(self._question.text)
        for kind in KINDS:
            values[f"asks_{kind}"] = np.full(len(first), kind == asked)
        return np.column_stack([values[name].astype(np.float32) for name in NAMES])

    def _shape(self, first: NDArray[np.intp], last: NDArray[np.intp]) -> Columns:
        """What the candidate itself looks like."""
        count, length, right = len(self._words), last - first + 1, last + 1

        def share(column: NDArray[Any]) -> NDArray[Any]:
            total = _sums(column)
            return (total[right] - total[first]) / length

        values: Columns = {
            f"words_{name}": (length >= low) & (length <= high) for name, (low, high) in _LENGTHS.items()
        }
        commas = _sums(self._comma)
        values |= {
            "rarity": share(self._rarity),
            "rarest": _most(self._rarity, first, last),
            "said": share(self._said),
            "said_most": _most(self._heavy, first, last) * 4,
            "capitals": share(self._capital),
            "digits": share(self._digit),
            "year": share(self._year) > 0,
            "number_first": self._digit[first],
            "commas": np.minimum(commas[right] - commas[first + 1], 3),
            "joined": share(self._classes["and"]) > 0,
            "quoted": self._between(first, right, _QUOTES),
            "bracketed": self._between(first, right, "()"),
            "share": length / count,
            "begins": first == 0,
            "ends": last == count - 1,
            "focus_inside": share(self._focus) > 0,
            "is_clause": self._light[first] | (length > LONGEST),
            "light_first": self._light[first],
        }
        return values | {"all_capitals": values["capitals"] == 1, "number_only": values["digits"] == 1}

    def _sides(self, first: NDArray[np.intp], last: NDArray[np.intp]) -> Columns:
        """What stands beside it, near and far."""
        count, left, right = len(self._words), first - 1, last + 1
        values: Columns = {"left_comma": self._comma[first], "right_comma": self._comma[right]}
        for name, column in (("said", self._said), ("light", self._light), ("digit", self._digit)):
            padded = np.concatenate([column.astype(np.float32), [0.0, 0.0]])
            values[f"left_{name}"] = np.where(left >= 0, padded[left], 0)
            values[f"right_{name}"] = padded[right]
        capital = np.concatenate([self._capital, [False]])
        open_left = (left >= 0) & ~self._comma[first] & ~self._break[first]
        open_right = (right < count) & ~self._comma[right] & ~self._break[right]
        values["left_name_cut"] = open_left & capital[left] & capital[first]
        values["right_name_cut"] = open_right & capital[right] & capital[last]
        grows = np.concatenate([~self._light & (self._said < _HALF_SAID), [False]])
        values["left_grows"], values["right_grows"] = open_left & grows[left], open_right & grows[right]
        values["left_near"], values["right_near"] = self._near(first, last)
        where = np.flatnonzero(self._said >= _SAID)
        values["fits"] = self.fit(first, last)
        values["unfit"] = ~values["fits"] & bool(self._shapes.wanted)
        values["behind_all"] = first > (where.max() if len(where) else -1)
        values["before_all"] = last < (where.min() if len(where) else count)
        return values

    def _names(self, first: NDArray[np.intp], last: NDArray[np.intp]) -> Columns:
        """Which small words, and which noun of the question, stand around it."""
        left, right = first - 1, last + 1
        focus = np.concatenate([self._focus, [False]])
        values: Columns = {"focus_left": focus[left] & (left >= 0), "focus_right": focus[right]}
        for name, column in self._classes.items():
            padded = np.concatenate([column, [False]])
            values[f"after_{name}"] = padded[left] & (left >= 0)
            values[f"first_{name}"] = column[first]
            values[f"next_{name}"] = padded[right]
        before = np.maximum(left - 1, 0)
        values["before_is_left"] = (left >= 1) & self._classes["the"][left] & self._classes["is"][before]
        return values

    def _near(self, first: NDArray[np.intp], last: NDArray[np.intp]) -> tuple[Vector, Vector]:
        """How much of the question stands close by on either side, nearer words more."""
        places = np.arange(len(self._words))
        distance_left = first[:, None] - places
        distance_right = places - last[:, None]
        left = np.where(distance_left > 0, self._heavy / np.maximum(distance_left, 1), 0).sum(axis=1)
        right = np.where(distance_right > 0, self._heavy / np.maximum(distance_right, 1), 0).sum(axis=1)
        return (left * 4).astype(np.float32), (right * 4).astype(np.float32)

    def _between(self, first: NDArray[np.intp], right: NDArray[np.intp], marks: str) -> NDArray[np.bool_]:
        """Whether one of the marks stands on both sides."""
        before = np.array([gap.rstrip()[-1:] in marks and bool(gap.strip()) for gap in self._gaps], bool)
        after = np.array([gap.lstrip()[:1] in marks and bool(gap.strip()) for gap in self._gaps], bool)
        both: NDArray[np.bool_] = before[first] & after[right]
        return both


def _sums(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return sums from the first value on, beginning with 0."""
    return np.concatenate([[0.0], np.cumsum(values.astype(np.float64))])


def _most(values: Vector, first: NDArray[np.intp], last: NDArray[np.intp]) -> Vector:
    return np.array([values[f : e + 1].max() for f, e in zip(first, last, strict=True)], np.float32)
