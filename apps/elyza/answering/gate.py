"""What tells an answer from the best of no answers: numbers about the best sentence and the passage around
it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from apps.elyza.answering.features import NAMES, PassageFeatures, Question
from apps.elyza.answering.kinds import KINDS
from apps.elyza.types import Vector

LEXICAL: Final = (
    "score",  # the ranker's, of the best sentence
    "margin",  # to the second best
    "crowd",  # how many come close
    "covered",  # share of the question's weight that the passage has anywhere
    "covered_exactly",
    "covered_even",
    "overlap",
    "phrase",
    "rarest",
    "heaviest_covered",
    "heaviest_two_covered",
    "missing",  # weight of the heaviest word that is not there
    "wanted",
    "words",
    "sentences",
    "passages",
)
SEMANTIC: Final = ("match_most", "match", "match_even", "match_rarest", "cosine_most")
GATE_NAMES: Final = LEXICAL + SEMANTIC
_WIDEST_MARGIN: Final = 5.0


def gate_features(
    question: Question, passages: Sequence[PassageFeatures], scores: Sequence[Vector]
) -> tuple[Vector, str]:
    """Return float64, shape (len(GATE_NAMES),), and the language of the passage with the best sentence.

    Args:
        scores: the ranker's, for the sentences of each passage; at least one sentence in all.
    """
    joined = np.concatenate(scores)
    ordered = np.sort(joined)[::-1]
    best = max(range(len(passages)), key=lambda index: scores[index].max(initial=-np.inf))
    passage, top = passages[best], int(np.argmax(scores[best]))
    of_top = dict(zip(NAMES, passage.rows[top], strict=True))
    covered, weights = passage.covered, question.weights
    values = {
        "score": ordered[0],
        "margin": min(ordered[0] - ordered[1], _WIDEST_MARGIN) if len(ordered) > 1 else _WIDEST_MARGIN,
        "crowd": np.log(np.exp(joined - ordered[0]).sum()),
        "covered": (covered * weights).sum(),
        "covered_exactly": weights[covered >= 1].sum(),
        "covered_even": covered.mean(),
        "overlap": of_top["overlap"],
        "phrase": of_top["phrase"],
        "rarest": of_top["rarest"],
        "heaviest_covered": covered[question.heaviest[0]],
        "heaviest_two_covered": covered[question.heaviest].mean(),
        "missing": (weights * (1 - covered)).max(),
        "wanted": sum(of_top[f"{kind}_wanted"] for kind in KINDS),
        "words": np.log1p(len(weights)),
        "sentences": np.log(len(joined)),
        "passages": np.log(len(passages)),
        "match_most": passage.column("match").max(),
        "match": of_top["match"],
        "match_even": of_top["match_even"],
        "match_rarest": of_top["match_rarest"],
        "cosine_most": passage.column("cosine").max(),
    }
    return np.array([values[name] for name in GATE_NAMES], np.float64), passage.language
