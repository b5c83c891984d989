"""The trained ranker of spans: one small layer, numpy only; its weights and where they come from are in `spans.json`
(`manage.py train_answer_ranker --train-spans` writes it).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from apps.elyza.answering.features import Question, Weight
from apps.elyza.answering.spans import NAMES, Candidates, candidates
from apps.elyza.types import Matrix, Span, Vector

SPANS_FILE: Final = Path(__file__).with_name("spans.json")
# Chosen is what is expected to score best (minimum Bayes risk), not what is likeliest: a mixture of how likely it is
# exact and how much of the answer it is expected to share.
_EXACT_SHARE: Final = 0.75  # on folds of the training: as many exact ones, and more of the others' words
_EXACT: Final = 0.999
_TIES: Final = 1e-6  # spans that differ in articles only: the likelier one


@dataclass(frozen=True, slots=True)
class Layer:
    """What one training gave: scores are `relu(x @ hidden + bias) @ out + x @ straight`."""

    hidden: Matrix
    bias: Vector
    out: Vector
    straight: Vector

    def score(self, rows: Matrix) -> Vector:
        """Return the scores of features on the common scale."""
        scored: Vector = np.maximum(rows @ self.hidden + self.bias, 0) @ self.out + rows @ self.straight
        return scored


@dataclass(frozen=True, slots=True)
class RankedSpan:
    """A span in the characters of its sentence.

    Attributes:
        probability: that it is the answer, spans that differ in articles only taken together.
        fits: it has the shape that the question asks for.
    """

    span: Span
    probability: float
    fits: bool


class SpanRanker:
    """Chooses among the candidates of a sentence."""

    def __init__(self, stored: Mapping[str, Any]) -> None:  # Any: JSON of our own file
        if list(stored["features"]) != list(NAMES):
            raise ValueError("spans.json was trained with other features: train it again")
        self._mean, self._scale = _array(stored["mean"]), _array(stored["scale"])
        self._layers = [
            Layer(**{name: _array(values) for name, values in one.items()}) for one in stored["layers"]
        ]

    @classmethod
    def shipped(cls) -> SpanRanker:
        """Return the ranker of the committed weights; read once."""
        return _shipped()

    def scores(self, rows: Matrix) -> Vector:
        """Return how likely each candidate is the answer; higher is better."""
        scaled = (rows - self._mean) / self._scale
        total: Vector = np.sum([layer.score(scaled) for layer in self._layers], axis=0) / len(self._layers)
        return total

    def best(self, question: Question, sentence: str, *, language: str, weight: Weight) -> RankedSpan | None:
        """Return what in the sentence is expected to answer the question best, or None where nothing could."""
        found = candidates(question, sentence, language=language, weight=weight)
        return self.choose(found)[1] if found.spans else None

    def choose(self, found: Candidates) -> tuple[int, RankedSpan]:
        """Return the number of the candidate that is expected to score best, and the span itself; at least one is
        there.
        """
        scores = self.scores(found.rows)
        raised = np.exp(scores - scores.max())
        shares, alike = raised / raised.sum(), found.alike()
        exact = (alike >= _EXACT) @ shares
        expected = _EXACT_SHARE * exact + (1 - _EXACT_SHARE) * (alike @ shares) + _TIES * shares
        chosen = int(np.argmax(expected))
        return chosen, RankedSpan(found.spans[chosen], float(exact[chosen]), bool(found.fits[chosen]))


def _array(values: Any) -> Any:  # nested lists of our own file
    return np.array(values, np.float32)


@cache
def _shipped() -> SpanRanker:
    return SpanRanker(json.loads(SPANS_FILE.read_text(encoding="utf-8")))
