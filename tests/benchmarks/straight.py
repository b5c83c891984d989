"""Very many passages: written straight into the table, indexed after. By the product's own code each takes 9 ms.

Vectors are those of the subjects with some noise, near those that the encoder would give.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from pathlib import Path

import numpy as np
import psycopg
from psycopg import sql

from tests.benchmarks.figures import figure, progress
from tests.benchmarks.passages import Filled, body

_NOISE = 0.02  # in each dimension: two passages of a subject have a cosine of 0.87
_BATCH = 20_000
_DISK_BYTES = 8_000  # of a passage: its row, its places in indexes, and what is written beside them
_GRAPH_BYTES = 1_800  # of a vector in memory while the index of vectors is built
_STAGE = "CREATE TEMP TABLE IF NOT EXISTS made (scope uuid, body text, embedding halfvec(384))"
_STORE = """
INSERT INTO rag_chunk (organization_id, scope_id, source_type, source_id, is_generated, has_file, media_type, ordinal,
  char_start, char_end, boxes, language, title, heading, body, tsv, embedding, model_version, content_hash, content_time)
SELECT %s, m.scope, 'document', gen_random_uuid(), false, false, '', 0, 0, length(m.body), '[]', 'simple', '', '', m.body,
  to_tsvector(rag_config('simple'), m.body), m.embedding, %s, sha256(m.body::bytea), now()
FROM made m
"""
_INDEXES = """
SELECT i.indexname, i.indexdef FROM pg_indexes i WHERE i.tablename = 'rag_chunk' AND NOT EXISTS (
  SELECT FROM pg_constraint c WHERE c.conindid = format('%I.%I', i.schemaname, i.indexname)::regclass)
"""


def has_room(folder: Path, count: int) -> bool:
    """Return whether so many passages find room on the disk of a folder; say so where they do not."""
    needed, free = count * _DISK_BYTES, shutil.disk_usage(folder).free
    if needed > free:
        progress(f"{count} passages need {needed / 1e9:.0f} GB, {free / 1e9:.0f} are free: left out")
    return needed <= free


def add(owner: psycopg.Connection, filled: Filled, *, already: int, count: int) -> None:
    """Write passages until there are `count`, with their subjects, and make all indexes of the table anew.

    Args:
        owner: of the tables; commits by itself.
    """
    begun = time.perf_counter()
    indexes = owner.execute(_INDEXES).fetchall()
    for name, _ in indexes:
        owner.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    _write(owner, filled, already=already, count=count)
    progress(f"{count} passages written in {time.perf_counter() - begun:.0f} s")
    memory = max(64, count * _GRAPH_BYTES // 1_000_000)
    owner.execute(sql.SQL("SET maintenance_work_mem = {}").format(sql.Literal(f"{memory}MB")))
    owner.execute(sql.SQL("SET max_parallel_maintenance_workers = {}").format(sql.Literal((os.cpu_count() or 1) - 1)))  # fmt: skip
    for name, definition in indexes:
        begun = time.perf_counter()
        owner.execute(definition)
        if name == "rag_chunk_nearest":
            figure(
                bench="search",
                name=f"{count} passages: index of vectors built",
                value=time.perf_counter() - begun,
                unit="s",
            )
        progress(f"{name} built in {time.perf_counter() - begun:.0f} s")
    owner.execute("VACUUM (ANALYZE) rag_chunk")
    _count_words(filled)


def _write(owner: psycopg.Connection, filled: Filled, *, already: int, count: int) -> None:
    from apps.elyza.encoding import hashed

    source, noise = random.Random(count), np.random.default_rng(count)
    subjects = filled.more_subjects(source, count - already)
    middles = hashed.hash_texts([" ".join(words) for words in subjects])
    owner.execute(_STAGE)
    for start in range(already, count, _BATCH):
        numbers = range(start, min(count, start + _BATCH))
        chosen = [number % len(subjects) for number in numbers]
        rows = middles[chosen] + _NOISE * noise.standard_normal((len(chosen), middles.shape[1]), np.float32)
        vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(">f2")
        with owner.cursor() as cursor, cursor.copy("COPY made FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
            for number, subject, vector in zip(numbers, chosen, vectors, strict=True):
                halves = len(vector).to_bytes(2) + bytes(2) + vector.tobytes()
                fields = (filled.audience(number).bytes, body(source, subjects[subject]).encode(), halves)
                copy.write(b"\0\3" + b"".join(len(field).to_bytes(4) + field for field in fields))
            copy.write(b"\xff\xff")
        owner.execute(_STORE, [filled.organization_id, hashed.MODEL_VERSION])
        owner.execute("TRUNCATE made")


def _count_words(filled: Filled) -> None:
    from apps.core import tenancy
    from apps.rag.services import embedding

    with tenancy.use(filled.organization_id):
        embedding.refresh_terms()
