"""The search beside faiss' exact one (`IndexFlatIP`) over the same vectors, in one run: how fast, and how much it finds."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

import numpy as np
import psycopg

from tests.benchmarks.figures import figure, percentile
from tests.benchmarks.others import Asked
from tests.benchmarks.passages import Filled

RECALL = "SELECT found, nearest, through_index FROM rag_recall(%s::uuid[], %s, %s, NULL, NULL)"
_NEAREST = 100  # as many as the search takes from the vectors
_LIMIT = 10
# A row of COPY in binary form: fields, then each with its length; half-precision numbers with theirs.
_ROW = np.dtype(
    [("fields", ">i2"), ("id_bytes", ">i4"), ("id", ">i8"), ("vector_bytes", ">i4"), ("length", ">i2"), ("unused", ">i2"),
     ("vector", ">f2", 384)]
)  # fmt: skip
_HEAD_BYTES, _END_BYTES = 19, 2


def beside_flat(
    open_: psycopg.Connection, filled: Filled, questions: Sequence[str], python: Path, *, count: int
) -> None:
    """Print the figures of somebody who sees all passages.

    Args:
        open_: reads without walls.
        python: of the environment with faiss.
    """
    from django.db import connection

    from apps.elyza.services import encoder
    from apps.rag.selectors.ranking import Reach, rank
    from apps.rag.services.embedding import vector_text
    from apps.rag.text.query import parse
    from apps.rag.types import Filters

    reader = filled.readers["100 %"]
    whole: list[float] = []
    meaning: list[float] = []
    flat: list[float] = []
    recalls: list[float] = []
    for question in questions:
        begun = time.perf_counter()
        rank(reach=Reach((reader,)), query=parse(question), filters=Filters(), limit=_LIMIT)
        whole.append((time.perf_counter() - begun) * 1000)
    with tempfile.NamedTemporaryFile(suffix=".npy") as file:
        ids, vectors = _vectors(open_, filled)
        np.save(file, vectors)
        file.flush()
        with Asked(str(python), "-m", "tests.benchmarks.theirs", "flat", file.name) as faiss:
            for question in filled.extracts(len(questions)):
                vector = encoder.embed_query(text=question)
                assert vector.vector is not None
                found = rank(reach=Reach((reader,)), query=parse(question), filters=Filters(), limit=_LIMIT)
                meaning.append(dict(found.trace.stages)["meaning"])
                said = faiss.ask(vector=vector.vector.tolist(), most=_NEAREST)
                flat.append(said["seconds"] * 1000)
                nearest = set(ids[said["places"][:_LIMIT]].tolist())
                with connection.cursor() as cursor:
                    cursor.execute(
                        RECALL, [[reader], vector_text(vector.vector.tolist()), vector.model_version]
                    )
                    indexed, exact, is_through_index = cursor.fetchone()
                recalls.append(len(nearest & set(indexed if is_through_index else exact)) / len(nearest))
    name = f"{count} passages, all visible"
    figure(bench="search", name=f"{name}: p50", value=percentile(whole, 0.5), unit="ms")
    figure(bench="search", name=f"{name}: the nearest alone, p50", value=percentile(meaning, 0.5), unit="ms")
    figure(bench="search", name=f"{name}: faiss flat, p50", value=percentile(flat, 0.5), unit="ms")
    figure(
        bench="search", name=f"{name}: recall@10 against faiss flat", value=mean(recalls), unit="share", goal=0.95,
        better="higher",
    )  # fmt: skip


def _vectors(open_: psycopg.Connection, filled: Filled) -> tuple[np.ndarray, np.ndarray]:
    """Return the ids of the passages and their vectors, float16."""
    parts = bytearray()
    query = (
        "COPY (SELECT id, embedding FROM rag_chunk WHERE organization_id = %s AND embedding IS NOT NULL) "
        "TO STDOUT (FORMAT BINARY)"
    )
    with open_.cursor() as cursor, cursor.copy(query, [filled.organization_id]) as copy:
        for part in copy:
            parts += part
    rows = np.frombuffer(parts, _ROW, offset=_HEAD_BYTES, count=(len(parts) - _HEAD_BYTES - _END_BYTES) // _ROW.itemsize)  # fmt: skip
    return rows["id"].astype(np.int64), rows["vector"].astype(np.float16)
