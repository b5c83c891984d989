"""What the ranker looks at: numbers about a sentence and a question that mean the same in every language.

Everything is relative to the question (shares of its words' weight, cosines), so one set of weights serves
all languages, with a small correction where the encoder does not know the language.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from apps.elyza.answering.kinds import KINDS, wanted
from apps.elyza.answering.words import Word, find_words, likeness
from apps.elyza.types import Matrix, SentenceScores, SplitPassage, Vector

LEXICAL: Final = (
    "overlap",  # share of the question's weight found in the sentence
    "overlap_pair",  # in it or in the sentence before: what "it" may refer to
    "overlap_after",
    "phrase",  # share of its neighbouring pairs
    "rarest",  # of its two heaviest words
    "first",
    "length",
    "asks",  # the sentence is a question itself
    *(f"{kind}_wanted" for kind in KINDS),
    "news",  # share of the sentence's words that the question does not say
    "found_first",  # its passage is the first of those given, which come ranked
    "found_second",
)
SEMANTIC: Final = ("match", "match_even", "match_pair", "match_rarest", "cosine")  # need the encoder
NAMES: Final = LEXICAL + SEMANTIC
_MOST_WORDS: Final = 48
_LEAST_WEIGHT: Final = 0.05  # so that a question of common words still counts

Weight = Callable[[str], float]


@dataclass(frozen=True, slots=True)
class Question:
    """The question's words and how much each one weighs; the weights sum to one."""

    text: str
    words: list[Word]
    weights: Vector

    @classmethod
    def read(cls, text: str, *, language: str, weight: Weight) -> Question:
        """Split into words and weigh them; `weight` gives a stem's rarity, 0 to 1. Keeps the 48 heaviest."""
        words = find_words(text, language=language)
        words = sorted(words, key=lambda word: -weight(word.stem))[:_MOST_WORDS]
        words.sort(key=lambda word: word.span.start)
        weights = np.array([max(weight(word.stem), _LEAST_WEIGHT) for word in words], np.float32)
        return cls(text, words, weights / weights.sum() if words else weights)

    @property
    def heaviest(self) -> list[int]:
        """Positions of the two heaviest words, the heaviest first."""
        return [int(position) for position in np.argsort(-self.weights, kind="stable")[:2]]


@dataclass(frozen=True, slots=True)
class PassageFeatures:
    """`rows`: float32, shape (sentences, len(NAMES)). `covered`: for each word of the question the best match
    anywhere in the passage, 0 to 1."""

    rows: Matrix
    covered: Vector
    language: str

    def column(self, name: str) -> Vector:
        """One feature of all sentences."""
        return self.rows[:, NAMES.index(name)]


def passage_features(
    question: Question,
    passages: Sequence[SplitPassage],
    *,
    languages: Sequence[str],
    scores: SentenceScores | None,
) -> list[PassageFeatures]:
    """Return the features of each passage; what needs the encoder is 0 without `scores`.

    Args:
        scores: of all sentences of all passages, one column of `best_match` for each word of the question.
    """
    found, start = [], 0
    for passage, language in zip(passages, languages, strict=True):
        end = start + len(passage.sentences)
        best = None if scores is None else (scores.best_match[start:end], scores.cosine[start:end])
        found.append(_of_passage(question, passage, language, best))
        start = end
    return in_order(found)


def in_order(passages: Sequence[PassageFeatures]) -> list[PassageFeatures]:
    """Return the passages as if they had been given in this order."""
    return [replace(passage, rows=_placed(passage.rows, place)) for place, passage in enumerate(passages)]


def _placed(rows: Matrix, place: int) -> Matrix:
    rows = rows.copy()
    for own, name in enumerate(("found_first", "found_second")):
        rows[:, NAMES.index(name)] = place == own
    return rows


def word_matches(question: Question, sentences: Sequence[Sequence[Word]]) -> Matrix:
    """Return shape (sentences, words of the question): likeness of the sentence's nearest word, 0 to 1."""
    matches = np.zeros((len(sentences), len(question.words)), np.float32)
    for row, sentence in enumerate(sentences):
        stems = {word.stem for word in sentence}
        for column, word in enumerate(question.words):
            if word.stem in stems:
                matches[row, column] = 1.0
            else:
                matches[row, column] = max((likeness(word.stem, stem) for stem in stems), default=0.0)
    return matches


def _of_passage(
    question: Question, passage: SplitPassage, language: str, best: tuple[Matrix, Vector] | None
) -> PassageFeatures:
    texts = [passage.text[span.start : span.end] for span in passage.sentences]
    words = [find_words(text, language=language) for text in texts]
    matches = word_matches(question, words)
    columns = dict.fromkeys(NAMES, np.zeros(len(texts), np.float32))
    columns |= _lexical(question, texts, words, matches)
    if best is not None and question.words:
        columns |= _semantic(question, *best)
    rows = np.column_stack([columns[name] for name in NAMES])
    return PassageFeatures(rows, matches.max(axis=0, initial=0.0), language)


def _lexical(
    question: Question, texts: list[str], words: list[list[Word]], matches: Matrix
) -> dict[str, Vector]:
    stems = {word.stem for word in question.words}
    overlap = (matches * question.weights).sum(axis=1)
    first = np.zeros(len(texts), np.float32)
    first[:1] = 1
    return {
        "overlap": overlap,
        "overlap_pair": (_paired(matches) * question.weights).sum(axis=1),
        "overlap_after": _following(overlap),
        "phrase": _phrase(question, matches),
        "rarest": matches[:, question.heaviest].mean(axis=1) if question.words else overlap,
        "first": first,
        "length": np.log1p(np.array([len(row) for row in words], np.float32)),
        "asks": np.array([text.endswith("?") for text in texts], np.float32),
        "news": np.array(
            [sum(word.stem not in stems for word in row) / max(len(row), 1) for row in words], np.float32
        ),
        **wanted(question.text, texts, words, stems),
    }


def _semantic(question: Question, best: Matrix, cosine: Vector) -> dict[str, Vector]:
    match = (best * question.weights).sum(axis=1)
    return {
        "match": match,
        "match_even": best.mean(axis=1),
        "match_pair": (_paired(best) * question.weights).sum(axis=1),
        "match_rarest": best[:, question.heaviest].mean(axis=1),
        "cosine": cosine,
    }


def _phrase(question: Question, matches: Matrix) -> Vector:
    """Share of neighbouring pairs of question words that are both in the sentence, by weight."""
    pairs = question.weights[:-1] + question.weights[1:]
    if not len(pairs):
        return np.zeros(len(matches), np.float32)
    both: Vector = (np.minimum(matches[:, :-1], matches[:, 1:]) * (pairs / pairs.sum())).sum(axis=1)
    return both


def _paired(matches: Matrix) -> Matrix:
    """For each word the better match of a sentence and the one before."""
    before = np.zeros_like(matches)
    before[1:] = matches[:-1]
    return np.maximum(matches, before)


def _following(values: Vector) -> Vector:
    """The value of the sentence after; 0 at the end."""
    moved = np.zeros_like(values)
    moved[:-1] = values[1:]
    return moved
