"""How near each token of a question is to the tokens of passages, from their bits; no model and no process is asked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from apps.elyza.types import DIMENSIONS, TOKEN_BYTES, Matrix, Vector


def best_matches(query: Matrix, passages: Sequence[bytes]) -> Vector:
    """Return for each passage the mean, over the tokens of the query, of the cosine of the nearest of its rows.

    MaxSim (https://arxiv.org/abs/2004.12832); 50 passages of 200 tokens take about 1 ms of one core.

    Args:
        query: float32, unit length, shape (tokens, 384), at least one.
        passages: rows of 48 bytes, see `encoding.tokens`, none of them empty.
    """
    sizes = [len(bits) // TOKEN_BYTES for bits in passages]
    rows = np.frombuffer(b"".join(passages), np.uint8).reshape(sum(sizes), TOKEN_BYTES)
    bits = np.unpackbits(rows, axis=1).astype(np.float32)
    near = (2 * (bits @ query.T) - query.sum(axis=1)) / np.float32(DIMENSIONS**0.5)  # a bit is 1 or -1
    starts = np.cumsum([0, *sizes[:-1]])
    best: Vector = np.maximum.reduceat(near, starts, axis=0).mean(axis=1)
    return best
