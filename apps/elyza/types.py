"""What the local provider takes and returns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]  # one dimension
Matrix = NDArray[np.float32]  # two
HalfMatrix = NDArray[np.float16]

DIMENSIONS = 384  # of both embedding models, and of the vector column
TOKEN_BYTES = DIMENSIONS // 8  # of the row of bits that stands for a few tokens of a passage
POOLED_TOKENS = 4  # neighbours that one row stands for
HALF_ROW_BYTES = DIMENSIONS * 2  # of a token of a query
MOST_QUERY_TOKENS = 64  # of which a query's vectors are given: 48 KB


class Missing(StrEnum):
    """Why there is no vector, for the page and the log."""

    LATE = "late"  # no answer within the time limit
    LOADING = "loading"  # the model process is loading the model
    NOT_INSTALLED = "not_installed"  # the `ai` requirements are not there
    UNREACHABLE = "unreachable"  # no model process is configured, or it does not answer
    FAILED = "failed"  # the model process refused or broke


class Support(StrEnum):
    """How far the passages a sentence names say what it says."""

    SUPPORTED = "supported"
    PARTLY = "partly"
    UNSUPPORTED = "unsupported"


class SupportDoubt(StrEnum):
    """Why a sentence is not supported: what it says that its passages do not."""

    NO_SOURCE = "no_source"  # it names none that was read
    NUMBER = "number"
    NAME = "name"
    NEGATION = "negation"  # one of the two says no
    WORDS = "words"


@dataclass(frozen=True, slots=True)
class QueryEmbedding:
    """One query's vector, or why there is none: then search goes on with words only.

    Attributes:
        vector: float32, shape (384,), unit length; None when `missing` says why.
        model_version: compare only with vectors of the same version; empty without a vector.
        tokens: unit vectors of its first 64 tokens, shape (tokens, 384); None where the model gives none.
    """

    vector: Vector | None
    model_version: str = ""
    missing: Missing | None = None
    tokens: HalfMatrix | None = None


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Vectors in the order of the texts: float32, shape (n, 384), unit length each.

    Attributes:
        tokens: of each text rows of 48 bytes, see `encoding.tokens`; None where they were not asked for or the model
            gives none.
    """

    vectors: Matrix
    model_version: str
    tokens: list[bytes] | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of code points in a text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class SplitPassage:
    """A passage and its sentences, in order and without overlap."""

    text: str
    sentences: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class SentenceScores:
    """How close each sentence is to the question, read in its passage's context.

    Attributes:
        cosine: shape (sentences,), cosine of the mean token states of sentence and question. best_match:
            shape (sentences, terms), for each term of the question the highest cosine of its tokens with any
            token of the sentence (MaxSim, https://arxiv.org/abs/2004.12832), mean over the term's tokens.
    Sentences of all passages, one after the other.
    """

    cosine: Vector
    best_match: Matrix
    model_version: str


@dataclass(frozen=True, slots=True)
class ModelHealth:
    """What the model process says about itself; `state` is `absent` when it does not answer."""

    state: str  # absent, not_installed, idle, loading, ready or failed
    model_version: str = ""
    memory_bytes: int = 0
    queries: int = 0
    bulk_texts: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of an answer and the passages it names, by their place among those that were read."""

    text: str
    passages: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The sentence of a passage that comes nearest to a statement: `start` and `end` in the passage's text.

    Attributes:
        passage: its place among those that were read.
    """

    passage: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a statement is supported, why not, and by what; evidence in the order the passages are named."""

    support: Support
    doubts: tuple[SupportDoubt, ...]
    evidence: tuple[Evidence, ...]
