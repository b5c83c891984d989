"""The other side of a comparison, in the environment of `others.txt`: `python -m tests.benchmarks.theirs encoder MODEL`
or `... flat VECTORS`. Answers orders, one JSON object a line.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np


def encoder(model: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return sentence-transformers on the processor, with its own batches of 32 sorted by length."""
    import torch
    from sentence_transformers import SentenceTransformer

    known = SentenceTransformer(model, device="cpu")

    def answer(order: dict[str, Any]) -> dict[str, Any]:
        torch.set_num_threads(order["threads"])
        if "queries" in order:
            return {"seconds": [_timed(known.encode, text)[0] for text in order["queries"]]}
        seconds, vectors = _timed(known.encode, order["texts"], show_progress_bar=False)
        return {"seconds": seconds, "vectors": np.asarray(vectors, float).round(6).tolist()}

    return answer


def flat(vectors: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return faiss' exact search over the vectors of a file, in one thread, as one process of PostgreSQL has."""
    import faiss

    faiss.omp_set_num_threads(1)
    rows = np.load(vectors)
    index = faiss.IndexFlatIP(rows.shape[1])
    for start in range(0, len(rows), 10_000):
        index.add(np.ascontiguousarray(rows[start : start + 10_000], np.float32))

    def answer(order: dict[str, Any]) -> dict[str, Any]:
        asked = np.array([order["vector"]], np.float32)
        seconds, (_, places) = _timed(index.search, asked, order["most"])
        return {"seconds": seconds, "places": places[0].tolist()}

    return answer


def _timed(work: Callable[..., Any], *arguments: Any, **options: Any) -> tuple[float, Any]:
    begun = time.perf_counter()
    done = work(*arguments, **options)
    return time.perf_counter() - begun, done


if __name__ == "__main__":
    respond = {"encoder": encoder, "flat": flat}[sys.argv[1]](sys.argv[2])
    for line in sys.stdin:
        print(json.dumps(respond(json.loads(line))), flush=True)
