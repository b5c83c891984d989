"""Token vectors of passages in few bytes: the mean of four neighbours, one bit a dimension.

2.8 KB a passage instead of 178, and the order that comes of them is as good (PERFORMANCE.md, part B, section 2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from apps.elyza.types import POOLED_TOKENS

if TYPE_CHECKING:
    from apps.elyza.types import Matrix


def pooled_bits(tokens: Matrix) -> bytes:
    """Return the signs of the mean of each four neighbours, 48 bytes for each; nothing for a text without tokens.

    Args:
        tokens: unit length, shape (tokens, 384).
    """
    if not len(tokens):
        return b""
    sums = np.add.reduceat(tokens, np.arange(0, len(tokens), POOLED_TOKENS), axis=0)
    return np.packbits(sums > 0, axis=1).tobytes()
