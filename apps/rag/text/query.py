"""What a search asks of texts: words, phrases and exclusions, without its operators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from apps.chat.selectors.search.grammar import Query, clean
from apps.chat.selectors.search.understanding import read_query
from apps.rag.types import ExpansionKind

MOST_WORDS: Final = 32
MOST_PHRASES: Final = 6
_EDGES: Final = " \t\r\n.,;:!?()[]{}<>*_~`'’‘“”„«»|/\\"


@dataclass(frozen=True, slots=True)
class Synonyms:
    """What else is looked for where a query says some words.

    Attributes:
        words: those of the query, in their order.
        terms: the other ways to say it.
        language: of the texts that may say it so; empty is every one.
    """

    words: tuple[str, ...]
    terms: tuple[str, ...]
    language: str = ""
    kind: ExpansionKind = ExpansionKind.SYNONYM

    def holds_for(self, language: str) -> bool:
        """Return whether texts of a language are looked through."""
        return self.language in ("", language) or language == "simple"


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """The texts of a query.

    Attributes:
        words: without the excluded ones, each once, in order; the words of phrases too.
        phrases, excluded: must, and must not, stand in a passage.
        text: what is asked for, without operators and exclusions: for the encoder.
        runs: the words outside of phrases, as they stand side by side: what may have synonyms.
        synonyms: of them, once they were looked up.
        related: words that the searcher added, and that stand for none of the query.
    """

    words: tuple[str, ...]
    phrases: tuple[str, ...]
    excluded: tuple[str, ...]
    text: str
    runs: tuple[tuple[str, ...], ...] = ()
    synonyms: tuple[Synonyms, ...] = ()
    related: tuple[str, ...] = ()

    def written_in(self, language: str) -> list[str]:
        """Return the words that texts of a language may hold: of the query, of its synonyms, and related ones."""
        others = [
            word
            for one in self.synonyms
            if one.holds_for(language)
            for term in one.terms
            for word in words_of(term)
        ]
        return [*self.words, *others, *self.related]

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
    runs: list[list[str]] = [[]]
    for term in query.terms:
        if term.kind != "word" or term.is_negated:
            runs.append([])
        else:
            runs[-1] += words_of(term.value)
        if term.kind == "operator":
            continue
        if term.is_negated:
            excluded.append(term.value.strip(_EDGES))
            continue
        if term.kind == "phrase":
            phrases.append(term.value)
        asked.append(term.value)
        words.update(dict.fromkeys(words_of(term.value)))
    return ParsedQuery(
        words=tuple(words)[:MOST_WORDS],
        phrases=tuple(phrases)[:MOST_PHRASES],
        excluded=tuple(word for word in excluded if word)[:MOST_PHRASES],
        text=" ".join(asked).strip(),
        runs=tuple(tuple(run) for run in runs if run),
    )


def parse(text: str) -> ParsedQuery:
    """Return what the text of a search asks of texts."""
    return texts_of(read_query(text))


def parse_plain(text: str) -> ParsedQuery:
    """Return a text, such as a question to an agent, as words: nothing in it is an operator or an exclusion."""
    cleaned = clean(text)
    words = tuple(dict.fromkeys(words_of(cleaned.replace('"', " "))))
    runs = [tuple(words_of(part)) for part in cleaned.split('"')[::2]]  # what stands in quotes is meant so
    return ParsedQuery(
        words[:MOST_WORDS], (), (), " ".join(cleaned.split()), runs=tuple(run for run in runs if run)
    )


def words_of(value: str) -> list[str]:
    """Return the words of a text, without the signs around them."""
    return [word for piece in value.split() if (word := piece.strip(_EDGES))]
