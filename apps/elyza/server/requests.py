"""Checks a request's header and gives back what it asks for: all that comes from outside, once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from apps.elyza.protocol import MAX_TEXT_CHARACTERS, MAX_TEXTS
from apps.elyza.types import Span, SplitPassage

if TYPE_CHECKING:
    from apps.elyza.protocol import Header

MAX_PASSAGES = 16
MAX_SENTENCES = 500  # of one passage
MAX_TERMS = 64
MAX_QUESTION_CHARACTERS = 2000


class BadRequest(Exception):
    """A value is missing or wrong; the text names it."""


@dataclass(frozen=True, slots=True)
class Embed:
    """Vectors of texts: one query at once, or many behind the queries; those of their tokens, too."""

    kind: Literal["query", "bulk"]
    texts: list[str]
    tokens: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    """Scores of the sentences of some passages for one question."""

    question: str
    terms: list[Span]
    passages: list[SplitPassage]


def parse_embed(header: Header) -> Embed:
    """Return the checked request.

    Raises:
        BadRequest.
    """
    kind = header.get("kind")
    if kind not in {"query", "bulk"}:
        raise BadRequest("kind is neither query nor bulk")
    texts = _list(header, "texts", most=1 if kind == "query" else MAX_TEXTS)
    tokens = header.get("tokens", False)
    if not isinstance(tokens, bool):
        raise BadRequest("tokens is neither true nor false")
    return Embed(kind, [_text(text, most=MAX_TEXT_CHARACTERS) for text in texts], tokens)


def parse_score(header: Header) -> Score:
    """Return the checked request.

    Raises:
        BadRequest.
    """
    question = _text(header.get("question"), most=MAX_QUESTION_CHARACTERS)
    terms = _spans(_list(header, "terms", most=MAX_TERMS, least=0), within=len(question))
    return Score(question, terms, [_passage(value) for value in _list(header, "passages", most=MAX_PASSAGES)])


def _passage(value: Any) -> SplitPassage:  # Any: JSON from the socket
    if not isinstance(value, dict):
        raise BadRequest("a passage is not an object")
    text = _text(value.get("text"), most=MAX_TEXT_CHARACTERS)
    sentences = _spans(_list(value, "sentences", most=MAX_SENTENCES), within=len(text))
    if any(later.start < earlier.end for earlier, later in pairwise(sentences)):
        raise BadRequest("sentences overlap or are out of order")
    return SplitPassage(text, tuple(sentences))


def _list(header: Header, name: str, *, most: int, least: int = 1) -> list[Any]:
    value = header.get(name)
    if not isinstance(value, list) or not least <= len(value) <= most:
        raise BadRequest(f"{name} is no list of {least} to {most}")
    return value


def _text(value: Any, *, most: int) -> str:  # Any: JSON from the socket
    if not isinstance(value, str) or len(value) > most:
        raise BadRequest(f"a text is missing or longer than {most} characters")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise BadRequest("a text holds half a surrogate pair")
    return value


def _spans(values: list[Any], *, within: int) -> list[Span]:
    spans = []
    for value in values:
        match value:
            case [int(start), int(end)] if 0 <= start <= end <= within:
                spans.append(Span(start, end))
            case _:
                raise BadRequest("a range is not two numbers inside its text")
    return spans
