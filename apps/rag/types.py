"""Plain types of search: what is asked, what is found, what is cited."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.types import PersonView
from apps.documents.types import Origin

DIMENSIONS: Final = 384  # of the vectors of both embedding models
GENERATED: Final = frozenset({"agent", "bot"})  # kinds of senders whose texts are no source of answers
MOST_HITS: Final = 200  # that one search ranks; pages are cut from these
LEAST_SYNONYMS, MOST_SYNONYMS, MOST_SYNONYM_SETS = 2, 12, 500  # terms of a set; sets of an organization
LONGEST_SYNONYM, MOST_SYNONYM_WORDS = 60, 6  # characters and words of a term
SET_LANGUAGES: Final = (("de", _("German")), ("en", _("English")))


class SourceType(models.TextChoices):
    """What a chunk was made from."""

    MESSAGE = "message", _("Messages")
    DOCUMENT = "document", _("Documents")


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
    """

    text: str
    term: str
    is_used: bool = True


@dataclass(frozen=True, kw_only=True)
class SynonymSetView:
    """Terms that mean the same, in their order; `language` empty is every one."""

    id: UUID
    terms: tuple[str, ...]
    language: str
    created_at: dt.datetime


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
    face: PersonView | None = None


@dataclass(frozen=True, kw_only=True)
class SearchResult:
    """One page of hits.

    Attributes:
        words_only: no meaning was compared: no vector in time, or none asked for.
        total_hint: how many passages of those the searcher may open contain a word of the query or are near to it; at
            most `MOST_HITS`.
        next_cursor: opaque; empty on the last page.
        took_ms: on the server.
        expanded: synonyms that were looked for beside the words of the query, and those that were left out.
        is_list: messages that fulfil every operator and hold every word, newest first; else a ranking.
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
