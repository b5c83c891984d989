"""Searches: what is asked, what is found, and why."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from apps.accounts.types import PersonView
from apps.core.ids import uuid7
from apps.rag.types.kinds import ExpansionKind, LeftOut, RewritingState, SearchPath, SourceType, WordMatchKind
from apps.rag.types.passages import Box, MessageSpan, Span


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What narrows a search; applied inside the statement, before anything is ranked.

    Attributes:
        authors, conversations: any of them; an empty tuple means no restriction. `nothing` is set when a name of the
            query fits nothing the searcher may see: then nothing is found, whether or not it exists.
        before, after: of the content's time; `after` is inclusive, `before` is not.
        sources: kinds of source; file_types: media types.
        file_names, not_file_names: patterns of ILIKE; the title or file of a document, or a file of a message, fits
            each of these and none of those.
        exclude_generated: leave out what agents wrote.
    """

    authors: tuple[UUID, ...] = ()
    conversations: tuple[UUID, ...] = ()
    documents: tuple[UUID, ...] = ()
    before: dt.datetime | None = None
    after: dt.datetime | None = None
    has_file: bool = False
    sources: tuple[SourceType, ...] = ()
    media_types: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    file_names: tuple[str, ...] = ()
    not_file_names: tuple[str, ...] = ()
    exclude_generated: bool = False
    nothing: bool = False

    @property
    def is_empty(self) -> bool:
        """Return whether nothing is narrowed."""
        return self == Filters(exclude_generated=self.exclude_generated)


@dataclass(frozen=True, slots=True)
class Chip:
    """An operator of the query as it was understood.

    Attributes:
        kind: its name, `in`, `from`, `before` and so on.
        text: as written in the query; it stands there from `start` to `end`.
        is_known: False when the name fits nothing the searcher may see.
    """

    kind: str
    text: str
    label: str
    is_known: bool = True
    is_negated: bool = False
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Expansion:
    """What is looked for beside the words of the query.

    Attributes:
        text: the words as they stand in the query, for which it is another way to say it; empty for a related word.
        term: the other way to say it.
        is_used: False when the searcher left it out.
    """

    text: str
    term: str
    is_used: bool = True
    kind: ExpansionKind = ExpansionKind.SYNONYM


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a language model says for words of a query.

    Attributes:
        text: the words as they stand in the query.
        term: the other way to say it.
    """

    text: str
    term: str


@dataclass(frozen=True, kw_only=True)
class SynonymSetView:
    """Terms that mean the same, in their order; `language` empty is every one."""

    id: UUID
    terms: tuple[str, ...]
    language: str
    created_at: dt.datetime


@dataclass(frozen=True, kw_only=True)
class Trace:
    """What a search did. Every number counts passages that the searcher may see.

    Attributes:
        language: of the query; empty where it could not be told.
        visible: that fit the filters; `is_more` when there are more than were counted.
        with_words: hold a word of the query, at most 10,000; near: were taken for their meaning.
        candidates: both of them together, `ranked` of which were kept.
        collapsed: of a document that stands on the page already.
        withheld: went or were hidden between ranking and reading.
        offset: hits on the pages before.
        stages: milliseconds by the stage's name, in their order.
    """

    path: SearchPath
    language: str = ""
    visible: int = 0
    is_more: bool = False
    with_words: int = 0
    near: int = 0
    candidates: int = 0
    ranked: int = 0
    collapsed: int = 0
    withheld: int = 0
    offset: int = 0
    stages: tuple[tuple[str, float], ...] = ()


NO_TRACE: Final = Trace(path=SearchPath.NOTHING)


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A passage that was found, as the searcher may see it.

    Attributes:
        chunk: internal, never published; None for a message of a list.
        source: the message or the document.
        page: of a document; None for messages.
        span: of the passage in the text of its page or message.
        snippet: a part of the passage; `highlights` are spans in it. Plain text, to be escaped by whoever shows it.
        snippet_start: where the snippet begins in the text of its page or message.
        messages: which messages the passage holds.
        score: 0 to 1, from `words_score` (share of the best hit) and `meaning_score` (cosine; None without vectors).
        words: words of the query that occur, as they stand in the text.
        more_in_source: further hits in the same document or conversation that this one stands for.
        words_rank, meaning_rank: its place by words alone and by meaning alone, from 1; None where it was not found so.
        face: the author, where it is still known.
    """

    chunk: int | None
    source_type: SourceType
    source: UUID
    scope: UUID
    conversation: UUID | None
    conversation_name: str
    title: str
    heading: str
    page: int | None
    span: Span
    boxes: tuple[Box, ...]
    text: str
    snippet: str
    snippet_start: int
    highlights: tuple[Span, ...]
    messages: tuple[MessageSpan, ...]
    thread: UUID | None
    author: UUID | None
    author_name: str
    time: dt.datetime
    language: str
    media_type: str
    is_generated: bool
    score: float
    words_score: float
    meaning_score: float | None
    words: tuple[str, ...]
    more_in_source: int = 0
    words_rank: int | None = None
    meaning_rank: int | None = None
    face: PersonView | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WordMatch:
    """A word of a passage that fits one of the query.

    Attributes:
        word: as it stands in the passage, in small letters; `asked` is that of the query.
        weight: what it counts, 1 for the word itself.
        in_title: it stands in the title or a heading.
    """

    word: str
    asked: str
    kind: WordMatchKind
    weight: float
    in_title: bool = False


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Why a hit is where it is.

    Attributes:
        rank: its place among all hits, from 1; `words_rank` by words alone, `meaning_rank` by meaning alone, None where
            it was not found so.
        words: the strongest first, those of the title last.
    """

    rank: int
    path: SearchPath
    words: tuple[WordMatch, ...]
    score: float
    words_score: float
    meaning_score: float | None
    words_rank: int | None
    meaning_rank: int | None


@dataclass(frozen=True, kw_only=True)
class SearchResult:
    """One page of hits.

    Attributes:
        words_only: no meaning was compared: no vector in time, or none asked for.
        total_hint: how many passages of those the searcher may open contain a word of the query or are near to it; at
            most `MOST_HITS`.
        next_cursor: opaque; empty on the last page.
        took_ms: on the server.
        expanded: synonyms that were looked for beside the words of the query, and those that were left out; then what
            a language model suggested, and related words that the searcher added.
        related: words that the best hits share, to be added; where nobody asks for an offer there are none.
        is_list: messages that fulfil every operator and hold every word, newest first; else a ranking.
        id: of this page of this search: what the console shows of it, and thumbs are given under it.
    """

    hits: tuple[Hit, ...]
    words_only: bool
    total_hint: int
    next_cursor: str
    took_ms: float
    chips: tuple[Chip, ...] = ()
    expanded: tuple[Expansion, ...] = ()
    related: tuple[str, ...] = ()
    is_list: bool = False
    filters: Filters = field(default_factory=Filters)
    id: UUID = field(default_factory=uuid7)
    trace: Trace = NO_TRACE

    @property
    def is_rewritten(self) -> bool:
        """Return whether words of a language model were looked for, too."""
        return any(one.is_used for one in self.expanded_by(ExpansionKind.SUGGESTED))

    def expanded_by(self, kind: ExpansionKind) -> list[Expansion]:
        """Return the expansions of a kind; those that were left out, too."""
        return [one for one in self.expanded if one.kind == kind]


@dataclass(frozen=True, kw_only=True)
class Rewriting:
    """What came of the wish for other words.

    Attributes:
        suggestions: that fit; empty unless the state is `rewritten`.
        reason: of a failure: the gateway's word, `nothing` where no word fits, `often` where somebody asks too often.
        took_ms: of the question to the model.
    """

    state: RewritingState
    suggestions: tuple[Suggestion, ...] = ()
    reason: str = ""
    took_ms: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Given:
    """What of a search was given to an answer.

    Attributes:
        left_out: why a passage was not, by its chunk.
        neighbours: passages beside those that were found, given with them.
        tokens: of all of it, at most the budget.
    """

    left_out: dict[int, LeftOut]
    passages: int
    neighbours: int
    tokens: int
    budget_tokens: int


@dataclass(frozen=True, kw_only=True)
class ExplainedHit:
    """A hit of an earlier search with why it was there.

    Attributes:
        number: on its page, from 1.
        is_good: what the searcher said about it; None is nothing.
        counts: passages by stage of the search.
    """

    search_id: UUID
    number: int
    query: str
    hit: Hit
    is_good: bool | None
    counts: dict[str, Any]
    explanation: Explanation
