"""How near the best passages are to a question word by word: each token of the question looks for the nearest ones of
each passage.

The vector of a whole passage says what it is about; late interaction (https://arxiv.org/abs/2004.12832) also says
whether it speaks of what is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from django.db import connection

from apps.core import tenancy
from apps.core.database import arrays, planned
from apps.elyza.services.tokens import best_matches
from apps.elyza.types import QueryEmbedding

# Their share of a score, of the measured design (PERFORMANCE.md, part B); the rest are words and meaning as before.
SHARE: Final = 0.3
_BITS = """
SELECT chunk_id, bits FROM rag_chunktokens
WHERE organization_id = %s AND chunk_id = ANY (%s::bigint[]) AND length(bits) > 0
"""


def nearness(chunks: Sequence[int], embedding: QueryEmbedding) -> dict[int, float]:
    """Return how near those of the chunks that have token vectors are, from 0, the farthest of them, to 1.

    Nothing where the model gives none, or fewer than two have any. At most one statement.

    Args:
        chunks: that the search statement has let through, with vectors of the model that made `embedding`.
    """
    if embedding.tokens is None or len(chunks) < 2:
        return {}
    with connection.cursor() as cursor:
        planned.execute(cursor, _BITS, [tenancy.current(), arrays.written(chunks)])
        bits = {chunk: bytes(row) for chunk, row in cursor.fetchall()}
    if len(bits) < 2:
        return {}
    matches = best_matches(embedding.tokens.astype(np.float32), list(bits.values()))
    shares = (matches - matches.min()) / max(float(np.ptp(matches)), 1e-6)
    return dict(zip(bits, shares.tolist(), strict=True))
