"""What a search asks of texts: words, phrases and exclusions, without its operators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from apps.chat.selectors.search.grammar import Query, clean
from apps.chat.selectors.search.understanding import read_query

MOST_WORDS: Final = 32
MOST_PHRASES: Final = 6
_EDGES: Final = " \t\r\n.,;:!?()[]{}<>*_~`'’‘“”„«»|/\\"


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """The texts of a query.

    Attributes:
        words: without the excluded ones, each once, in order; the words of phrases too.
        phrases, excluded: must, and must not, stand in a passage.
        text: what is asked for, without operators and exclusions: for the encoder.
    """

    words: tuple[str, ...]
    phrases: tuple[str, ...]
    excluded: tuple[str, ...]
    text: str

    @property
    def is_empty(self) -> bool:
        """Return whether no text is asked for at all."""
        return not (self.words or self.phrases or self.excluded)


def texts_of(query: Query) -> ParsedQuery:
    """Return what a query asks of texts."""
    words: dict[str, None] = {}
    phrases: list[str] = []
    excluded: list[str] = []
    asked: list[str] = []
    for term in query.terms:
        if term.kind == "operator":
            continue
        if term.is_negated:
            excluded.append(term.value.strip(_EDGES))
            continue
        if term.kind == "phrase":
            phrases.append(term.value)
        asked.append(term.value)
        words.update(dict.fromkeys(_words(term.value)))
    return ParsedQuery(
        words=tuple(words)[:MOST_WORDS],
        phrases=tuple(phrases)[:MOST_PHRASES],
        excluded=tuple(word for word in excluded if word)[:MOST_PHRASES],
        text=" ".join(asked).strip(),
    )


def parse(text: str) -> ParsedQuery:
    """Return what the text of a search asks of texts."""
    return texts_of(read_query(text))


def parse_plain(text: str) -> ParsedQuery:
    """Return a text, such as a question to an agent, as words: nothing in it is an operator or an exclusion."""
    cleaned = clean(text)
    words = tuple(dict.fromkeys(_words(cleaned.replace('"', " "))))
    return ParsedQuery(words[:MOST_WORDS], (), (), " ".join(cleaned.split()))


def _words(value: str) -> list[str]:
    return [word for piece in value.split() if (word := piece.strip(_EDGES))]
