"""Connections of the model process: one frame in, one frame out, and a closed connection cancels what it
asked for.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from apps.elyza.protocol import BadFrame, Frame, read_frame
from apps.elyza.server.lanes import Lanes
from apps.elyza.server.model import Model, ModelUnavailable
from apps.elyza.server.requests import BadRequest, parse_embed, parse_score
from apps.elyza.types import HALF_ROW_BYTES, TOKEN_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apps.elyza.protocol import Header
    from apps.elyza.types import Matrix

MAX_CONNECTIONS = 128
ANSWER_SECONDS = 30.0  # a reader that takes longer for its answer is gone
log = logging.getLogger(__name__)


class Application:
    """Answers requests; `serve` is called once for each connection."""

    def __init__(self, cache: Path) -> None:
        self.model = Model(cache)
        self.lanes = Lanes()
        self._connections: set[asyncio.Task[None]] = set()
        self._queries = self._bulk_texts = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the frames of one connection until it closes."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for the type checker: a coroutine that runs has a task
        self._connections.add(task)
        try:
            if len(self._connections) > MAX_CONNECTIONS:
                await _write(writer, _refusal("busy", "too many connections"))
            else:
                await self._answer_all(reader, writer)
        except BadFrame as error:
            with contextlib.suppress(OSError, TimeoutError):
                await _write(writer, _refusal("bad_frame", str(error)))
        except (asyncio.IncompleteReadError, OSError, TimeoutError):
            log.debug("A connection closed")
        finally:
            self._connections.discard(task)
            writer.close()

    async def close(self) -> None:
        """Drop every connection and stop the lanes."""
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        self.lanes.close()

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        frame = await read_frame(reader)
        while True:
            answering = asyncio.create_task(self._answer(frame.header))
            following = asyncio.create_task(read_frame(reader))
            try:
                await asyncio.wait({answering, following}, return_when=asyncio.FIRST_COMPLETED)
                if following.done() and following.exception() is not None:
                    following.result()  # raises: closed, or no frame
                await _write(writer, await answering)
                frame = await following
            finally:
                for task in (answering, following):
                    task.cancel()
                await asyncio.gather(answering, following, return_exceptions=True)

    async def _answer(self, header: Header) -> Frame:
        operations = {"embed": self._embed, "score": self._score, "warm": self._warm, "health": self._health}
        operation = operations.get(str(header.get("op")))
        if operation is None:
            return _refusal("bad_request", "unknown operation")
        try:
            return await operation(header)
        except BadRequest as error:
            return _refusal("bad_request", str(error))
        except ModelUnavailable as error:
            return _refusal(error.state, error.detail)
        except Exception as error:  # one request's failure is told to its caller, the process goes on
            log.exception("A request failed")
            return _refusal("failed", type(error).__name__)

    async def _embed(self, header: Header) -> Frame:
        request = parse_embed(header)
        if request.kind == "query":
            encoder = self.model.ready()  # a query does not wait for the load
            vector, states = await self.lanes.embed_query(encoder, request.texts[0])
            self._queries += 1
            rows = [np.ascontiguousarray(states, "<f2").tobytes()]
            return _matrix(encoder.version, vector[None], rows if request.tokens else None, HALF_ROW_BYTES)
        encoder = await self.model.loaded()
        vectors, rows = await self.lanes.embed_bulk(encoder, request.texts, tokens=request.tokens)
        self._bulk_texts += len(request.texts)
        return _matrix(encoder.version, vectors, rows if request.tokens else None, TOKEN_BYTES)

    async def _score(self, header: Header) -> Frame:
        request = parse_score(header)
        encoder = self.model.ready()
        cosine, best = await self.lanes.score(encoder, request.question, request.terms, request.passages)
        return _matrix(encoder.version, np.column_stack([cosine, best]))

    async def _warm(self, header: Header) -> Frame:
        await self.model.loaded()
        return await self._health(header)

    async def _health(self, _header: Header) -> Frame:
        return Frame(
            {
                "ok": True,
                "state": self.model.state,
                "detail": self.model.detail,
                "model_version": self.model.version,
                "memory_bytes": _memory_bytes(),
                "queries": self._queries,
                "bulk_texts": self._bulk_texts,
            }
        )


def _matrix(
    version: str, rows: Matrix, tokens: Sequence[bytes] | None = None, token_bytes: int = TOKEN_BYTES
) -> Frame:
    header: Header = {"ok": True, "model_version": version, "rows": rows.shape[0], "columns": rows.shape[1]}
    payload = np.ascontiguousarray(rows, "<f4").tobytes()
    if tokens is None:
        return Frame(header, payload)
    header["tokens"] = [len(part) // token_bytes for part in tokens]
    return Frame(header, payload + b"".join(tokens))


def _refusal(code: str, detail: str) -> Frame:
    return Frame({"ok": False, "code": code, "detail": detail})


async def _write(writer: asyncio.StreamWriter, frame: Frame) -> None:
    writer.write(frame.encode())
    async with asyncio.timeout(ANSWER_SECONDS):
        await writer.drain()


def _memory_bytes() -> int:
    """Proportional set size of this process, 0 where the system does not tell."""
    try:
        lines = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
