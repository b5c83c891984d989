"""The trained ranker and gate: linear in their features, a few kilobytes of JSON, numpy only.

Two rungs: `semantic` with the encoder's scores, `lexical` with words alone. The weights and where they come
from are in `weights.json` (`manage.py train_answer_ranker` writes it).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from apps.elyza.answering import features, gate
from apps.elyza.answering.features import PassageFeatures, Question
from apps.elyza.types import Vector

WEIGHTS_FILE: Final = Path(__file__).with_name("weights.json")
SEMANTIC, LEXICAL = "semantic", "lexical"
RANK_FEATURES: Final = {SEMANTIC: features.NAMES, LEXICAL: features.LEXICAL}
GATE_FEATURES: Final = {SEMANTIC: gate.GATE_NAMES, LEXICAL: gate.LEXICAL}


@dataclass(frozen=True, slots=True)
class Linear:
    """Weights over named features, with corrections for some languages."""

    shared: Mapping[str, float]
    by_language: Mapping[str, Mapping[str, float]]

    def vector(self, names: Sequence[str], language: str) -> Vector:
        """Return the weights in the order of the names, 0 for a feature it does not know."""
        own = self.by_language.get(language, {})
        return np.array([self.shared.get(name, 0.0) + own.get(name, 0.0) for name in names])

    def intercept(self, language: str) -> float:
        """Return the constant of this language."""
        return self.shared.get("intercept", 0.0) + self.by_language.get(language, {}).get("intercept", 0.0)


@dataclass(frozen=True, slots=True)
class Ranking:
    """`scores`: of each sentence of each passage, higher is better; `found`: probability that the passages
    answer.
    """

    scores: list[Vector]
    found: float
    language: str


class Ranker:
    """Ranks sentences and says how sure it is."""

    def __init__(self, stored: Mapping[str, Any]) -> None:  # Any: JSON of our own file
        self._rankers = {rung: Linear(**stored["rankers"][rung]) for rung in (SEMANTIC, LEXICAL)}
        self._gates = {rung: Linear(**stored["gates"][rung]) for rung in (SEMANTIC, LEXICAL)}
        self._thresholds: Mapping[str, float] = stored["thresholds"]
        self._semantic_languages = frozenset(stored["semantic_languages"])
        self._passages: Mapping[str, int] = stored["background"]["passages"]
        self._counts: Mapping[str, Mapping[str, int]] = stored["background"]["counts"]
        self._questions: Mapping[str, int] = stored["background"]["questions"]
        self._asked: Mapping[str, Mapping[str, int]] = stored["background"]["asked"]

    @classmethod
    def shipped(cls) -> Ranker:
        """Return the ranker of the committed weights; read once."""
        return _shipped()

    def rarity(self, stem: str, language: str) -> float:
        """Return how rare a stem is in ordinary text, 0 to 1; 1 for one that was never seen."""
        known = language if language in self._counts else "en"
        return rarity(self._counts[known].get(stem, 0), self._passages[known])

    def weight(self, stem: str, language: str) -> float:
        """Return how much a stem of a question says about what is asked, 0 to 1: rare in text and in questions, where
        "who" and "how many" are common.
        """
        known = language if language in self._asked else "en"
        asked = rarity(self._asked[known].get(stem, 0), self._questions[known])
        return min(self.rarity(stem, language), asked)

    def threshold(self, language: str) -> float:
        """Return the probability from which on an answer is shown as one."""
        return self._thresholds.get(language, max(self._thresholds.values()))

    def wants_encoder(self, languages: Sequence[str]) -> bool:
        """Say whether the encoder's scores help with passages in these languages."""
        return not self._semantic_languages.isdisjoint(languages)

    def rank(self, question: Question, passages: Sequence[PassageFeatures], *, rung: str) -> Ranking:
        """Score every sentence and the whole; at least one sentence and one word of the question."""
        return rank(question, passages, ranker=self._rankers[rung], judge=self._gates[rung])


def rank(
    question: Question, passages: Sequence[PassageFeatures], *, ranker: Linear, judge: Linear
) -> Ranking:
    """Score the sentences with one set of weights and judge the whole with another."""
    scores = [
        (passage.rows * ranker.vector(features.NAMES, passage.language)).sum(axis=1) for passage in passages
    ]
    values, language = gate.gate_features(question, passages, scores)
    logit = float((values * judge.vector(gate.GATE_NAMES, language)).sum()) + judge.intercept(language)
    return Ranking(scores, 1 / (1 + math.exp(-max(min(logit, 30.0), -30.0))), language)


def rarity(count: int, passages: int) -> float:
    """Inverse document frequency as BM25 has it, on a scale from 0 to 1."""
    return math.log1p((passages - count + 0.5) / (count + 0.5)) / math.log1p((passages + 0.5) / 0.5)


@cache
def _shipped() -> Ranker:
    return Ranker(json.loads(WEIGHTS_FILE.read_text(encoding="utf-8")))
