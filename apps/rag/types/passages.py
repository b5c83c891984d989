"""Passages: what is stored to be found, and what is cited and opened of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from apps.documents.types import Origin
from apps.rag.types.kinds import SourceType


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
