"""What goes into the gateway and what comes out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Literal, Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray


class Rung(StrEnum):
    """What wrote an answer."""

    MODEL = "model"
    EXTRACTIVE = "extractive"


class Trouble(StrEnum):
    """Why a model gave no answer, or broke one off."""

    NOT_CONFIGURED = "not_configured"
    UNREACHABLE = "unreachable"
    LATE = "late"
    BUSY = "busy"  # 429 or 5xx, also after the retries
    REFUSED = "refused"  # the key, the model name or the request is wrong: trying again changes nothing
    MALFORMED = "malformed"
    BUDGET_SPENT = "budget_spent"
    TOO_LONG = "too_long"
    EMPTY = "empty"  # the model ended without a word


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of the prompt."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a call is for: the ledger's row. The organization is that of the context.

    Attributes:
        purpose: a stable word, `answer`, `index`, `title`.
    """

    purpose: str
    principal_id: UUID | None = None
    run_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """A model call.

    Attributes:
        budget_tokens: most tokens of the answer.
        timeout_seconds: for the whole call, retries and reading included.
        retries: further attempts while nothing was said, 2 at most.
        check: called about four times a second while nothing comes; what it raises ends the call and comes out of it.
    """

    messages: Sequence[ChatMessage]
    caller: Caller
    timeout_seconds: float
    budget_tokens: int
    temperature: float = 0.2
    retries: Literal[0, 1, 2] = 2
    check: Callable[[], object] = lambda: None


@dataclass(frozen=True, slots=True)
class Usage:
    """What a call cost; `is_estimated` where the provider did not count."""

    tokens_in: int
    tokens_out: int
    is_estimated: bool
    cost: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a model's stream, after its last piece.

    Attributes:
        broken: why it stopped half-way; None for a whole answer.
        reason: the provider's own word, `stop`, `length`; empty where it gave none.
    """

    provider: str
    model: str
    usage: Usage
    reason: str
    broken: Trouble | None = None


@dataclass(frozen=True, slots=True)
class AnswerPassage:
    """A passage an answer may be taken from.

    Attributes:
        id: the caller's; comes back with each sentence.
        language: `de`, `en` or nothing: then it is guessed.
    """

    id: str
    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class AnswerSpan:
    """The exact answer inside a sentence: `text == passage.text[start:end]`.

    Attributes:
        probability: that it is the answer, if the sentence holds it.
        fits: it has the shape that the question asks for: a number for "how many", a time for "when".
    """

    start: int
    end: int
    text: str
    probability: float
    fits: bool = False


@dataclass(frozen=True, slots=True)
class AnswerSentence:
    """A sentence of a passage: `text == passage.text[start:end]`, offsets in code points.

    Attributes:
        probability: that this sentence holds the answer.
        span: the exact answer in it; only of the best two.
    """

    passage_id: str
    start: int
    end: int
    text: str
    probability: float
    span: AnswerSpan | None = None


@dataclass(frozen=True, slots=True)
class ExtractiveAnswer:
    """Sentences that answer a question, or none and what comes nearest.

    Attributes:
        found: whether the passages answer the question, surely enough to say so. probability: that they do.
            sentences: best first; empty unless found. related: the best sentence of each passage where
            nothing was found: related, never to be shown as an answer. rung: `semantic` with an encoder's
            help, `lexical` by words alone.
    """

    found: bool
    probability: float
    sentences: tuple[AnswerSentence, ...]
    related: tuple[AnswerSentence, ...]
    rung: str
    model_version: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """The end of a ladder's stream.

    Attributes:
        rung: what wrote the answer. After `MODEL` the text came as deltas; after `EXTRACTIVE` it is in
            `extract`. passed_over: why the model did not write it; None where it did. broken: the model broke
            off after its first piece; what came stays, and is marked.
    """

    rung: Rung
    finished: Finished | None = None
    extract: ExtractiveAnswer | None = None
    passed_over: Trouble | None = None
    broken: Trouble | None = None


@dataclass(frozen=True, slots=True)
class ProviderChunk:
    """What a provider's stream yields: text, an end, the count, in any mixture."""

    text: str = ""
    reason: str = ""
    tokens_in: int | None = None
    tokens_out: int | None = None


class Provider(Protocol):
    """A place where a model runs. Implementations split their failures into `errors.CallFailed`."""

    name: str
    model: str

    def stream(self, completion: Completion, *, deadline: float) -> Iterator[ProviderChunk]:
        """Yield the answer's pieces; the last ones carry the end's reason and the count where the provider
        has them.

        Args:
            deadline: on the monotonic clock; reading ends there.

        Raises:
            CallFailed: at the first or any later piece.
        """


class Extractor(Protocol):
    """Answers with sentences of the passages; the rung below a model."""

    def __call__(self, *, question: str, passages: Sequence[AnswerPassage]) -> ExtractiveAnswer:
        """Return the best sentences, or that nothing was found; never raises for what a person wrote."""


@dataclass(frozen=True, slots=True)
class EmbeddedTexts:
    """Vectors in the order of the texts; `vectors` is float32, shape (n, 384), unit length each."""

    vectors: NDArray[np.float32]
    model_version: str


class Embedder(Protocol):
    """Makes vectors."""

    def __call__(self, texts: Sequence[str]) -> EmbeddedTexts:
        """Return one vector for each text, or raise a `core.errors.Unavailable`."""
