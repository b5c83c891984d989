"""Vectors of texts, from the model process or, without the `ai` requirements, from hashed words and word
parts.

Never imports ONNX Runtime or a tokenizer. Which of the two it is, is the operator's setting
`CHATSYSTEM_EMBEDDING`; `auto` takes the model where a model process is configured and the requirements are
installed. Vectors of both have 384 dimensions but different model versions: never compare across.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np
from django.conf import settings

from apps.core.conf.groups import ModelSettings
from apps.elyza.encoding import hashed, package
from apps.elyza.errors import EncoderUnavailable
from apps.elyza.protocol import Frame, Header
from apps.elyza.services import metrics
from apps.elyza.services.connection import NoAnswer, aexchange, exchange, matrix, matrix_and_tokens
from apps.elyza.services.query_cache import QueryCache
from apps.elyza.types import (
    DIMENSIONS,
    HALF_ROW_BYTES,
    MOST_QUERY_TOKENS,
    TOKEN_BYTES,
    Embeddings,
    HalfMatrix,
    Matrix,
    Missing,
    ModelHealth,
    QueryEmbedding,
    SentenceScores,
    Span,
    SplitPassage,
)

BULK_TEXTS = 64  # of one request: about two seconds of work on two cores
BULK_SECONDS = 180.0  # with several indexing jobs side by side
WARM_SECONDS = 60.0
HEALTH_SECONDS = 2.0
SCORE_SECONDS = 0.6
_MOST_CHARACTERS = 8000  # the model reads 256 tokens, far fewer characters than that
_LOOK_AGAIN_SECONDS = 10.0

_cache = QueryCache()


def embed_query(*, text: str, timeout_seconds: float | None = None) -> QueryEmbedding:
    """Return the query's vector within the time limit (default: the setting, 150 ms), else the reason why
    there is none.

    About 7 ms on one core, 0.01 ms for a text asked in the last five minutes. Never raises.
    """
    text = _clean(text)
    known = _at_hand(text)
    if known is not None:
        return known
    started = time.monotonic()
    try:
        frame = exchange(
            url=_settings().model_url, header=_query(text), timeout_seconds=_query_seconds(timeout_seconds)
        )
        return _kept(text, frame, started)
    except NoAnswer as error:
        return _missing(error.reason)


async def aembed_query(*, text: str, timeout_seconds: float | None = None) -> QueryEmbedding:
    """As `embed_query`, for async callers."""
    text = _clean(text)
    known = _at_hand(text)
    if known is not None:
        return known
    started = time.monotonic()
    try:
        frame = await aexchange(
            url=_settings().model_url, header=_query(text), timeout_seconds=_query_seconds(timeout_seconds)
        )
        return _kept(text, frame, started)
    except NoAnswer as error:
        return _missing(error.reason)


def embed_bulk(
    *, texts: Sequence[str], tokens: bool = False, timeout_seconds: float = BULK_SECONDS
) -> Embeddings:
    """Return the vectors of many texts, behind all queries; loads the model if need be. About 30 passages a
    second.

    Args:
        tokens: the bits of their tokens, too, where the model and the setting give them.
        timeout_seconds: for each part of 64 texts.

    Raises:
        EncoderUnavailable: no model process, or it broke off; nothing was kept, all may be asked again.
    """
    cleaned = [_clean(text) for text in texts]
    if _is_hashed():
        return Embeddings(hashed.hash_texts(cleaned), hashed.MODEL_VERSION)
    parts: list[Matrix] = []
    bits: list[bytes] = []
    versions: set[str] = set()
    for part in _parts(cleaned):
        header: Header = {
            "op": "embed", "kind": "bulk", "texts": part, "tokens": tokens and gives_tokens()
        }  # fmt: skip
        try:
            frame = exchange(url=_settings().model_url, header=header, timeout_seconds=timeout_seconds)
            rows, token_rows = matrix_and_tokens(frame, token_bytes=TOKEN_BYTES)
            parts.append(_checked(rows, wanted=len(part)))
            bits += token_rows or ()
        except NoAnswer as error:
            raise EncoderUnavailable(retry_after_seconds=30) from error
        versions.add(str(frame.header.get("model_version")))
    if len(versions) > 1:  # the model process was restarted with another model half-way
        raise EncoderUnavailable(retry_after_seconds=1)
    vectors = np.concatenate(parts) if parts else np.zeros((0, DIMENSIONS), np.float32)
    return Embeddings(vectors, next(iter(versions), ""), bits if len(bits) == len(texts) else None)


def score_sentences(
    *,
    question: str,
    terms: Sequence[Span],
    passages: Sequence[SplitPassage],
    timeout_seconds: float = SCORE_SECONDS,
) -> SentenceScores | None:
    """Return how close each sentence of the passages is to the question, or None where no model can say so in
    time.

    Texts must hold no lone surrogates. Three passages of 180 tokens take about 100 ms on two cores.
    """
    if _is_hashed() or not passages:
        return None
    header: Header = {
        "op": "score",
        "question": question,
        "terms": [[term.start, term.end] for term in terms],
        "passages": [
            {"text": passage.text, "sentences": [[span.start, span.end] for span in passage.sentences]}
            for passage in passages
        ],
    }
    try:
        frame = exchange(url=_settings().model_url, header=header, timeout_seconds=timeout_seconds)
        rows = matrix(frame)
    except NoAnswer as error:
        metrics.QUERIES_WITHOUT_VECTOR.labels(reason=error.reason).inc()
        return None
    if rows.shape != (sum(len(passage.sentences) for passage in passages), 1 + len(terms)):
        return None
    return SentenceScores(rows[:, 0], rows[:, 1:], str(frame.header.get("model_version")))


def warm() -> ModelHealth:
    """Load the model now, so that the first query finds it; returns when it is there or cannot be."""
    return _health("warm", WARM_SECONDS)


def find_health() -> ModelHealth:
    """Return what the model process says about itself, within two seconds; `absent` when it says nothing."""
    return _health("health", HEALTH_SECONDS)


def forget_queries() -> None:
    """Drop the vectors kept for queries in this process."""
    _cache.clear()


def gives_tokens() -> bool:
    """Return whether vectors of single tokens are wanted and there is a model that has them."""
    return _settings().token_vectors and not _is_hashed()


def provider() -> str:
    """Return `hashed` or `minilm`: what vectors of this installation come from."""
    return "hashed" if _is_hashed() else "minilm"


def _health(operation: str, seconds: float) -> ModelHealth:
    if _is_hashed():
        return ModelHealth("ready", model_version=hashed.MODEL_VERSION)
    try:
        said = exchange(url=_settings().model_url, header={"op": operation}, timeout_seconds=seconds).header
    except NoAnswer as error:
        state = error.reason if error.reason in {Missing.NOT_INSTALLED, Missing.FAILED} else "absent"
        return ModelHealth(str(state), detail=error.detail)
    return ModelHealth(
        state=str(said.get("state")),
        model_version=str(said.get("model_version")),
        memory_bytes=int(said.get("memory_bytes", 0)),
        queries=int(said.get("queries", 0)),
        bulk_texts=int(said.get("bulk_texts", 0)),
        detail=str(said.get("detail")),
    )


def _settings() -> ModelSettings:
    return settings.CONFIGURATION.model


def _is_hashed() -> bool:
    chosen = _settings()
    if chosen.embedding == "auto":
        return not (chosen.model_url and _installation.is_complete())
    return chosen.embedding == "hashed"


class _Installation:
    """Whether the `ai` requirements are there; looked up every ten seconds until they are."""

    def __init__(self) -> None:
        self._complete = False
        self._look_at = 0.0

    def is_complete(self) -> bool:
        now = time.monotonic()
        if not self._complete and now >= self._look_at:
            self._complete, self._look_at = package.is_installed(), now + _LOOK_AGAIN_SECONDS
        return self._complete


_installation = _Installation()


def _at_hand(text: str) -> QueryEmbedding | None:
    if _is_hashed():
        return QueryEmbedding(hashed.hash_texts([text])[0], hashed.MODEL_VERSION)
    known = _cache.find(text)
    if known is not None:
        metrics.QUERIES_FROM_CACHE.inc()
    return known


def _kept(text: str, frame: Frame, started: float) -> QueryEmbedding:
    rows, token_rows = matrix_and_tokens(frame, token_bytes=HALF_ROW_BYTES)
    embedding = QueryEmbedding(
        _checked(rows, wanted=1)[0],
        str(frame.header.get("model_version")),
        tokens=_token_matrix(token_rows[0]) if token_rows else None,
    )
    metrics.QUERY_SECONDS.observe(time.monotonic() - started)
    _cache.keep(text, embedding)
    return embedding


def _checked(rows: Matrix, *, wanted: int) -> Matrix:
    if rows.shape != (wanted, DIMENSIONS):
        raise NoAnswer(Missing.FAILED, f"{rows.shape} instead of {wanted} vectors")
    return rows


def _token_matrix(row: bytes) -> HalfMatrix | None:
    """Return the vectors of a query's tokens; None of one without a token."""
    return np.frombuffer(row, "<f2").reshape(-1, DIMENSIONS)[:MOST_QUERY_TOKENS] if row else None


def _missing(reason: Missing) -> QueryEmbedding:
    metrics.QUERIES_WITHOUT_VECTOR.labels(reason=reason).inc()
    return QueryEmbedding(None, missing=reason)


def _query(text: str) -> Header:
    return {"op": "embed", "kind": "query", "texts": [text], "tokens": gives_tokens()}


def _query_seconds(wanted: float | None) -> float:
    return _settings().query_embedding_timeout_ms / 1000 if wanted is None else wanted


def _clean(text: str) -> str:
    """Cut to what the model can read at most; half surrogate pairs, which no UTF-8 can carry, become question
    marks.
    """
    return text[:_MOST_CHARACTERS].encode("utf-8", "replace").decode("utf-8")


def _parts(texts: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(texts), BULK_TEXTS):
        yield texts[start : start + BULK_TEXTS]
