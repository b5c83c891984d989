"""Plain types of search: what is asked, what is found, what is cited."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.types import PersonView
from apps.core.ids import uuid7
from apps.documents.types import Origin

DIMENSIONS: Final = 384  # of the vectors of both embedding models
GENERATED: Final = frozenset({"agent", "bot"})  # kinds of senders whose texts are no source of answers
MOST_HITS: Final = 200  # that one search ranks; pages are cut from these
LEAST_SYNONYMS, MOST_SYNONYMS, MOST_SYNONYM_SETS = 2, 12, 500  # terms of a set; sets of an organization
LONGEST_SYNONYM, MOST_SYNONYM_WORDS = 60, 6  # characters and words of a term
MOST_SUGGESTIONS, MOST_SUGGESTION_WORDS = 6, 4  # terms of a language model for one query; words of a term
SLOW_MS: Final = 250.0  # from here on a search is slow
SET_LANGUAGES: Final = (("de", _("German")), ("en", _("English")))


class SourceType(models.TextChoices):
    """What a chunk was made from."""

    MESSAGE = "message", _("Messages")
    DOCUMENT = "document", _("Documents")


class SearchPath(models.TextChoices):
    """How a search looked for its hits."""

    EXACT = "exact", _("Words, and the meaning of every visible passage")
    INDEX = "index", _("Words, and the nearest meanings from the index")
    WORDS = "words", _("Words only")
    NEWEST = "newest", _("The newest that fit the filters")
    LIST = "list", _("A list of messages")
    NOTHING = "nothing", _("Nothing to look through")


class SearchOrigin(models.TextChoices):
    """Where a search came from."""

    PAGE = "page", _("Search page")
    API = "api", _("API")
    AGENT = "agent", _("Agent")


class RewritingState(models.TextChoices):
    """What came of the wish for other words."""

    REWRITTEN = "rewritten", _("A language model named other words, and they were looked for")
    ENOUGH = "enough", _("What was found is enough, or the search is meant as it is written")
    OFF = "off", _("No language model is asked here")
    FAILED = "failed", _("The language model named no word that fits, or not in time")


class LeftOut(models.TextChoices):
    """Why a passage that was found is not given to an answer."""

    TWICE = "twice", _("says what another one says")
    BUDGET = "budget", _("no room left")
    WEAK = "weak", _("too far behind the best")
    MANY = "many", _("enough passages already")


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of code points."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page, in points from its top left corner."""

    x0: float
    top: float
    x1: float
    bottom: float


@dataclass(frozen=True, slots=True)
class MessageSpan:
    """A message of a passage: where it stands in the passage's text, and the same place in the message's own body."""

    message: UUID
    start: int
    end: int
    message_start: int


@dataclass(frozen=True, slots=True)
class PlacedMessage:
    """A message of a chunk: where its text stands in the chunk's body, and the same place in the message's own."""

    message: UUID
    start: int
    end: int
    message_start: int = 0


@dataclass(frozen=True, kw_only=True)
class ChunkDraft:
    """A chunk before it is stored.

    Attributes:
        heading: what stands above it or tells its place; searched and embedded with it, never cited.
        body: exactly the text from `start` to `end` of its page or message.
        language: de, en, or simple.
        time: of its oldest message, or when the document came in.
        document_id: the row it goes with; `source_id` names it too.
    """

    organization_id: UUID
    scope_id: UUID
    source_type: SourceType
    source_id: UUID
    start: int
    end: int
    body: str
    language: str
    time: dt.datetime
    ordinal: int = 0
    conversation_id: UUID | None = None
    document_id: UUID | None = None
    thread_id: UUID | None = None
    author_id: UUID | None = None
    is_generated: bool = False
    has_file: bool = False
    media_type: str = ""
    page: int | None = None
    boxes: tuple[Box, ...] = ()
    title: str = ""
    heading: str = ""
    messages: tuple[PlacedMessage, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What narrows a search; applied inside the statement, before anything is ranked.

    Attributes:
        authors, conversations: any of them; an empty tuple means no restriction. `nothing` is set when a name of the
            query fits nothing the searcher may see: then nothing is found, whether or not it exists.
        before, after: of the content's time; `after` is inclusive, `before` is not.
        sources: kinds of source; file_types: media types.
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
    """A synonym of words of the query.

    Attributes:
        text: the words as they stand in the query.
        term: the other way to say it.
        is_used: False when the searcher left it out.
        is_suggested: a language model said it, and not the organization.
    """

    text: str
    term: str
    is_used: bool = True
    is_suggested: bool = False


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


class WordMatchKind(models.TextChoices):
    """How a word of a text fits one of the query."""

    WRITTEN = "written", _("as written")
    FORM = "form", _("another form")
    SYNONYM = "synonym", _("a synonym")
    SUGGESTED = "suggested", _("a word of the language model")
    PART = "part", _("a part of a longer word")


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
            a language model suggested.
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
    is_list: bool = False
    filters: Filters = field(default_factory=Filters)
    id: UUID = field(default_factory=uuid7)
    trace: Trace = NO_TRACE

    @property
    def is_rewritten(self) -> bool:
        """Return whether words of a language model were looked for, too."""
        return any(one.is_suggested and one.is_used for one in self.expanded)


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
class Citation:
    """Where a sentence of an answer comes from. Nothing in it opens anything: rights are checked when it is opened.

    Attributes:
        start, end: of the cited passage in the text of the page or message.
        quote: the cited text, to be found again should the source have changed.
    """

    source_type: SourceType
    source: UUID
    page: int | None
    start: int
    end: int
    quote: str
    boxes: tuple[Box, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the stored and published form."""
        return {
            "source_type": self.source_type.value,
            "source": str(self.source),
            "page": self.page,
            "start": self.start,
            "end": self.end,
            "quote": self.quote,
            "boxes": [[box.x0, box.top, box.x1, box.bottom] for box in self.boxes],
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Citation:
        """Restore what `as_json` gave; other keys are left alone."""
        return cls(
            source_type=SourceType(stored["source_type"]),
            source=UUID(stored["source"]),
            page=stored["page"],
            start=stored["start"],
            end=stored["end"],
            quote=stored["quote"],
            boxes=tuple(Box(*box) for box in stored.get("boxes", ())),
        )


@dataclass(frozen=True, kw_only=True)
class OpenedPassage:
    """A cited passage in its surroundings, read with the rights of this moment.

    Attributes:
        text: of the whole page or message; `span` is the passage in it.
        is_changed: the text is not what was cited, or stands elsewhere; `span` is where it stands now, or empty at 0.
        origin: where the document was read from; None for what somebody added.
        renewed_at: when the document's content was replaced the last time; None for never.
        width, height: of the page in points; None for messages and logical pages.
    """

    source_type: SourceType
    source: UUID
    title: str
    page: int | None
    page_count: int | None
    text: str
    span: Span
    boxes: tuple[Box, ...]
    width: float | None = None
    height: float | None = None
    conversation: UUID | None = None
    author_name: str = ""
    time: dt.datetime | None = None
    origin: Origin | None = None
    renewed_at: dt.datetime | None = None
    is_changed: bool = False


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
