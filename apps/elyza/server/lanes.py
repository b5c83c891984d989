"""Threads by urgency: queries, then sentence scoring, then bulk; and the micro-batches each lane works in."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from apps.elyza.encoding.batching import token_batches
from apps.elyza.encoding.tokens import pooled_bits
from apps.elyza.types import MOST_QUERY_TOKENS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from apps.elyza.encoding.runtime import Encoder
    from apps.elyza.types import HalfMatrix, Matrix, Span, SplitPassage, Vector

    Read = tuple[Vector, HalfMatrix]  # a query's vector, and those of its tokens

BATCH_TOKENS = 512  # as fast as 1024 (35 passages a second on two cores) and half the memory
QUERIES_AT_ONCE = 16
_TOKENIZE_AT_ONCE = 32
_QUERY, _SCORE, _BULK = 0, 1, 10  # added to the process's nice value
_PARALLEL = min(2, os.cpu_count() or 1)


def _lane(name: str, *, threads: int, nice: int) -> ThreadPoolExecutor:
    def lower_priority() -> None:
        if nice and sys.platform == "linux":  # elsewhere a thread has no priority of its own
            own = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), min(own + nice, 19))

    return ThreadPoolExecutor(threads, thread_name_prefix=name, initializer=lower_priority)


class Lanes:
    """All computing of the model process. Cancelling a call drops what has not started; a running micro-batch
    ends.
    """

    def __init__(self) -> None:
        self._query = _lane("query", threads=1, nice=_QUERY)
        self._score = _lane("score", threads=_PARALLEL, nice=_SCORE)
        self._bulk = _lane("bulk", threads=_PARALLEL, nice=_BULK)
        self._waiting: asyncio.Queue[tuple[Encoder, str, asyncio.Future[Read]]] = asyncio.Queue()
        self._pump: asyncio.Task[None] | None = None

    async def embed_query(self, encoder: Encoder, text: str) -> Read:
        """Return one vector and its tokens'; queries that wait together are computed together."""
        if self._pump is None:
            self._pump = asyncio.create_task(self._pump_queries())
        done: asyncio.Future[Read] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((encoder, text, done))
        return await done

    async def embed_bulk(
        self, encoder: Encoder, texts: Sequence[str], *, tokens: bool = False
    ) -> tuple[Matrix, list[bytes]]:
        """Return the vectors of many texts, a micro-batch at a time on each thread of the lane.

        The bits of their tokens are empty where they are not asked for.
        """
        loop = asyncio.get_running_loop()
        rows: list[list[int]] = []
        for start in range(0, len(texts), _TOKENIZE_AT_ONCE):
            part = texts[start : start + _TOKENIZE_AT_ONCE]
            rows += await loop.run_in_executor(self._bulk, encoder.tokenize, part)
        vectors: Matrix = np.empty((len(rows), 0), np.float32)
        bits = [b""] * len(rows)
        embed = _embed_pooled if tokens else _embed_plain
        groups = token_batches([len(row) for row in rows], budget_tokens=BATCH_TOKENS)

        async def work(groups: Iterator[list[int]]) -> None:
            nonlocal vectors
            for group in groups:
                batch, pooled = await loop.run_in_executor(
                    self._bulk, embed, encoder, [rows[index] for index in group]
                )
                if not vectors.shape[1]:
                    vectors = np.empty((len(rows), batch.shape[1]), np.float32)
                vectors[group] = batch
                for index, part in zip(group, pooled, strict=True):
                    bits[index] = part

        async with asyncio.TaskGroup() as tasks:
            for _ in range(_PARALLEL):
                tasks.create_task(work(groups))
        return vectors, bits

    async def score(
        self, encoder: Encoder, question: str, terms: Sequence[Span], passages: Sequence[SplitPassage]
    ) -> tuple[Vector, Matrix]:
        """Return the scores of all sentences, passages side by side."""
        loop = asyncio.get_running_loop()
        asked = await loop.run_in_executor(self._score, encoder.read_question, question, terms)
        scored = await asyncio.gather(
            *(loop.run_in_executor(self._score, encoder.score, asked, passage) for passage in passages)
        )
        return np.concatenate([cosine for cosine, _ in scored]), np.concatenate([best for _, best in scored])

    def close(self) -> None:
        """Start nothing more; what runs ends within one micro-batch."""
        if self._pump is not None:
            self._pump.cancel()
        for lane in (self._query, self._score, self._bulk):
            lane.shutdown(wait=False, cancel_futures=True)

    async def _pump_queries(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            waiting = [await self._waiting.get()]
            while len(waiting) < QUERIES_AT_ONCE and not self._waiting.empty():
                waiting.append(self._waiting.get_nowait())
            waiting = [item for item in waiting if not item[2].done()]  # the asker may have left meanwhile
            if not waiting:
                continue
            try:
                texts = [text for _, text, _ in waiting]
                read = await loop.run_in_executor(self._query, _embed_all, waiting[0][0], texts)
            except Exception as error:  # noqa: BLE001 - whatever it is belongs to those who asked, not to the pump
                for _, _, done in waiting:
                    if not done.done():
                        done.set_exception(error)
                continue
            for (_, _, done), answer in zip(waiting, read, strict=True):
                if not done.done():
                    done.set_result(answer)


def _embed_plain(encoder: Encoder, rows: Sequence[Sequence[int]]) -> tuple[Matrix, list[bytes]]:
    return encoder.embed(rows), [b""] * len(rows)


def _embed_pooled(encoder: Encoder, rows: Sequence[Sequence[int]]) -> tuple[Matrix, list[bytes]]:
    vectors, tokens = encoder.embed_tokens(rows)
    return vectors, [pooled_bits(part) for part in tokens]


def _embed_all(encoder: Encoder, texts: Sequence[str]) -> list[Read]:
    rows = encoder.tokenize(texts)
    found: dict[int, Read] = {}
    for group in token_batches([len(row) for row in rows], budget_tokens=BATCH_TOKENS):
        vectors, tokens = encoder.embed_tokens([rows[index] for index in group])
        for index, vector, states in zip(group, vectors, tokens, strict=True):
            found[index] = (vector, states[:MOST_QUERY_TOKENS].astype(np.float16))
    return [found[index] for index in range(len(texts))]
