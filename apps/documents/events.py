"""Events of documents. Stream: the document. Nobody hears of them over the socket; the run's progress does that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from apps.core.events.types import DomainEvent


@dataclass(frozen=True, kw_only=True)
class DocumentEvent(DomainEvent):
    """What all events of documents say; `scope_id` is the audience."""

    document_id: UUID
    version: int


@dataclass(frozen=True, kw_only=True)
class DocumentAdded(DocumentEvent):
    """A file became a document; its pages follow."""

    type: ClassVar[str] = "document.added"
    personal: ClassVar[tuple[str, ...]] = ("title",)
    file_id: UUID
    title: str


@dataclass(frozen=True, kw_only=True)
class PageParsed(DocumentEvent):
    """A page can be read, for the first time or anew. `selectors.pages.indexable_page` has its chunks."""

    type: ClassVar[str] = "document.page_parsed"
    page: int


@dataclass(frozen=True, kw_only=True)
class DocumentParsed(DocumentEvent):
    """All pages are settled; again after failed ones were tried again."""

    type: ClassVar[str] = "document.parsed"
    state: str
    page_count: int
    pages_failed: int


@dataclass(frozen=True, kw_only=True)
class DocumentRenewed(DocumentEvent):
    """The content was replaced: only its new pages can be read. `document.page_parsed` follows for each of them."""

    type: ClassVar[str] = "document.renewed"


@dataclass(frozen=True, kw_only=True)
class DocumentRenamed(DocumentEvent):
    """Somebody called it something else. `document.page_parsed` follows for each page, which is found by it, too."""

    type: ClassVar[str] = "document.renamed"
    personal: ClassVar[tuple[str, ...]] = ("title",)
    title: str


@dataclass(frozen=True, kw_only=True)
class DocumentsMoved(DomainEvent):
    """Documents have another audience now: `scope_id`. Stream: the source they are of, or the document of a message.

    Attributes:
        conversation_id: whose documents they are; None for the library.
    """

    type: ClassVar[str] = "document.moved"
    document_ids: tuple[UUID, ...]
    conversation_id: UUID | None


@dataclass(frozen=True, kw_only=True)
class DocumentDeleted(DocumentEvent):
    """The document is gone with its pages; copies go in the same transaction."""

    type: ClassVar[str] = "document.deleted"
