"""How good a ranking is against judgements: the measures every retrieval collection uses."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Judgements = Mapping[str, int]  # document -> gain, above 0 where it fits


@dataclass
class Mean:
    """A mean that grows."""

    total: float = 0.0
    count: int = 0

    def add(self, value: float) -> None:
        """Take one more value."""
        self.total += value
        self.count += 1

    @property
    def value(self) -> float:
        """Return the mean, 0 of nothing."""
        return self.total / self.count if self.count else 0.0


def ndcg(ranked: Sequence[str], judged: Judgements, *, depth: int) -> float:
    """Return the normalised discounted cumulative gain of the first `depth`, gains as they are (trec_eval)."""
    gained = sum(
        judged.get(document, 0) / math.log2(rank + 2) for rank, document in enumerate(ranked[:depth])
    )
    best = sorted(judged.values(), reverse=True)[:depth]
    ideal = sum(gain / math.log2(rank + 2) for rank, gain in enumerate(best))
    return gained / ideal if ideal else 0.0


def recall(ranked: Sequence[str], judged: Judgements, *, depth: int) -> float:
    """Return the share of fitting documents among the first `depth`."""
    fitting = {document for document, gain in judged.items() if gain > 0}
    return len(fitting & set(ranked[:depth])) / len(fitting) if fitting else 0.0


def reciprocal_rank(ranked: Sequence[str], judged: Judgements, *, depth: int) -> float:
    """Return 1 / the rank of the first fitting document, 0 when there is none among the first `depth`."""
    for rank, document in enumerate(ranked[:depth], 1):
        if judged.get(document, 0) > 0:
            return 1 / rank
    return 0.0


def auroc(right: Sequence[float], wrong: Sequence[float]) -> float:
    """Return how often a value of a right case is above one of a wrong case; ties count half, 0 without cases."""
    ordered = sorted([(value, 1) for value in right] + [(value, 0) for value in wrong])
    ranks, place = 0.0, 0
    while place < len(ordered):
        end = place
        while end < len(ordered) and ordered[end][0] == ordered[place][0]:
            end += 1
        ranks += (place + 1 + end) / 2 * sum(is_right for _, is_right in ordered[place:end])
        place = end
    pairs = len(right) * len(wrong)
    return (ranks - len(right) * (len(right) + 1) / 2) / pairs if pairs else 0.0
