"""Fits the ranker and the gate by Newton's method: convex, numpy only, the same weights at every run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_ROUNDS = 40
_SMALL_STEP = 1e-7


@dataclass(frozen=True, slots=True)
class Design:
    """Features in columns, doubled by a correction for each language, on a common scale.

    Attributes:
        ridge: penalty of each column; corrections are held back more, so that little data moves them little.
    """

    columns: Array
    scale: Array
    ridge: Array
    names: Sequence[str]
    languages: Sequence[str]

    @classmethod
    def make(
        cls,
        rows: Array,
        *,
        names: Sequence[str],
        own: NDArray[np.str_],
        languages: Sequence[str],
        ridge: float,
        held: float,
    ) -> Design:
        """Scale the features and add the corrections.

        Args:
            own: the language of each row. languages: those that get corrections.
        """
        scale = rows.std(axis=0) + 1e-9
        scaled = rows / scale
        blocks = [scaled, *(scaled * (own == language)[:, None] for language in languages)]
        penalties = [np.full(len(names), ridge), *(np.full(len(names), held) for _ in languages)]
        return cls(np.concatenate(blocks, axis=1), scale, np.concatenate(penalties), names, languages)

    def stored(self, weights: Array, *, digits: int = 5) -> Mapping[str, Mapping[str, object]]:
        """Return the weights on the features' own scale, in the form `ranker.Linear` reads."""
        parts = np.split(weights, 1 + len(self.languages))
        named = [
            {
                name: round(float(value), digits)
                for name, value in zip(self.names, part / self.scale, strict=True)
            }
            for part in parts
        ]
        return {"shared": named[0], "by_language": dict(zip(self.languages, named[1:], strict=True))}


def fit_choice(
    design: Design, *, answers: NDArray[np.bool_], groups: NDArray[np.intp], weights: Array
) -> Array:
    """Fit a conditional logit: within each question, the sentences with the answer against the others.

    Args:
        groups: number of the question of each row, ascending from 0. weights: of each question.
    """
    starts = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]])
    rows, share, everything = design.columns, weights[groups], np.ones(len(groups), bool)

    def loss(fitted: Array) -> float:
        """Less for a higher probability of the answers; infinite where a step went too far to be counted."""
        scores = rows @ fitted
        reached = _sums(scores, answers, starts, groups) - _sums(scores, everything, starts, groups)
        return float((design.ridge * fitted**2).sum() / 2 - (weights * reached).sum())

    fitted = np.zeros(rows.shape[1])
    lost = loss(fitted)
    for _ in range(_ROUNDS):
        scores = rows @ fitted
        all_of_it = _softmax(scores, everything, starts, groups)
        right = _softmax(scores, answers, starts, groups)
        gradient = rows.T @ ((all_of_it - right) * share) + design.ridge * fitted
        means = np.add.reduceat(rows * all_of_it[:, None], starts, axis=0)
        curve = (rows * (all_of_it * share)[:, None]).T @ rows - (means * weights[:, None]).T @ means
        step = np.linalg.solve(curve + np.diag(design.ridge), gradient)
        while (better := loss(fitted - step)) > lost and np.abs(step).max() >= _SMALL_STEP:
            step = step / 2
        fitted, lost = fitted - step, better
        if np.abs(step).max() < _SMALL_STEP:
            break
    return fitted


def fit_logistic(design: Design, *, answers: NDArray[np.bool_], weights: Array) -> Array:
    """Fit a logistic regression; the feature `intercept`, a column of ones, is not held back."""
    rows = design.columns
    free = np.tile([name == "intercept" for name in design.names], 1 + len(design.languages))
    ridge = np.where(free, 1e-6, design.ridge)
    fitted = np.zeros(rows.shape[1])
    for _ in range(_ROUNDS):
        expected = 1 / (1 + np.exp(-np.clip(rows @ fitted, -30, 30)))
        gradient = rows.T @ (weights * (expected - answers)) + ridge * fitted
        curve = (rows * (weights * expected * (1 - expected))[:, None]).T @ rows + np.diag(ridge)
        step = np.linalg.solve(curve, gradient)
        fitted = fitted - step
        if np.abs(step).max() < _SMALL_STEP:
            break
    return fitted


def _softmax(
    scores: Array, allowed: NDArray[np.bool_], starts: NDArray[np.intp], groups: NDArray[np.intp]
) -> Array:
    """Softmax within each group over the allowed rows."""
    masked = np.where(allowed, scores, -np.inf)
    raised = np.exp(masked - np.maximum.reduceat(masked, starts)[groups])
    shares: Array = raised / np.add.reduceat(raised, starts)[groups]
    return shares


def _sums(
    scores: Array, allowed: NDArray[np.bool_], starts: NDArray[np.intp], groups: NDArray[np.intp]
) -> Array:
    """Logarithm of the sum of the raised scores of each group over the allowed rows."""
    masked = np.where(allowed, scores, -np.inf)
    most = np.maximum.reduceat(masked, starts)
    summed: Array = most + np.log(np.add.reduceat(np.exp(masked - most[groups]), starts))
    return summed
