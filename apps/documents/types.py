"""What others see of documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.documents.parsing import sniff
from apps.documents.parsing.chunking import Chunk

SUBJECT, SOURCE_SUBJECT = "documents.document", "documents.source"
INGEST, SYNC = "documents.ingest", "documents.sync"


class DocumentState(models.TextChoices):
    """Where a document is. `ready`: at least one page can be read; `failed`: none can."""

    QUEUED = "queued", _("queued")
    READING = "reading", _("reading")
    READY = "ready", _("ready")
    FAILED = "failed", _("failed")


class DocumentKind(models.TextChoices):
    """What kind of file a document is, as people say it."""

    PDF = "pdf", "PDF"
    WORD = "word", "Word"
    EXCEL = "excel", "Excel"
    TEXT = "text", _("Text")
    MARKDOWN = "markdown", "Markdown"
    HTML = "html", _("Web page")
    CSV = "csv", _("CSV table")
    OTHER = "other", _("Other file")


_KINDS: Final = {
    sniff.PDF: DocumentKind.PDF,
    sniff.DOCX: DocumentKind.WORD,
    sniff.XLSX: DocumentKind.EXCEL,
    sniff.TEXT: DocumentKind.TEXT,
    sniff.MARKDOWN: DocumentKind.MARKDOWN,
    sniff.HTML: DocumentKind.HTML,
    sniff.CSV: DocumentKind.CSV,
}
READABLE: Final = frozenset(_KINDS)  # media types


def media_types_of(kind: DocumentKind) -> frozenset[str]:
    """Return the media types of a kind; none for every other one."""
    return frozenset(media_type for media_type, one in _KINDS.items() if one == kind)


class SourceKind(models.TextChoices):
    """What a source is read from."""

    URL = "url", _("Web addresses")
    FOLDER = "folder", _("Folder")
    GIT = "git", _("Git repository")
    S3 = "s3", _("S3 bucket")
    IMAP = "imap", _("Mailbox")


class SourceInterval(models.TextChoices):
    """How often a source is looked at by itself."""

    MANUAL = "manual", _("Only when asked")
    HOURLY = "hourly", _("Every hour")
    DAILY = "daily", _("Every day")


class SourceState(models.TextChoices):
    """How the last synchronization went. `held`: so much would go that somebody is asked first."""

    NEW = "new", _("not synchronized yet")
    SYNCING = "syncing", _("synchronizing")
    READY = "ready", _("up to date")
    FAILED = "failed", _("failed")
    HELD = "held", _("waits for you")
    REMOVING = "removing", _("being removed")


class PageState(models.TextChoices):
    """Whether a page could be read."""

    PARSED = "parsed", _("read")
    FAILED = "failed", _("failed")


@dataclass(frozen=True, kw_only=True)
class DocumentView:
    """A document as those who see its scope see it.

    Attributes:
        page_count: None until the file was opened; formats without pages have logical ones.
        pages_parsed, pages_failed: settled so far.
        language: "de", "en" or empty for unknown.
        conversation_id: where it was attached; None for the library.
        error: one sentence for people, translated; empty when all is well.
        version: grows when the content is replaced, the last time at `renewed_at`.
        is_renewing: a newer content is being read; the one before is shown until then.
        renewal_error: why the newer content could not be read, in one sentence; empty when all is well.
    """

    id: UUID
    organization_id: UUID
    scope_id: UUID
    file_id: UUID
    conversation_id: UUID | None
    message_id: UUID | None
    created_by_id: UUID
    title: str
    name: str
    media_type: str
    language: str
    page_count: int | None
    pages_parsed: int
    pages_failed: int
    state: DocumentState
    error_code: str
    error: str
    version: int
    run_id: UUID | None
    created_at: datetime
    renewed_at: datetime | None = None
    is_renewing: bool = False
    renewal_error: str = ""

    @property
    def kind(self) -> DocumentKind:
        """Return what kind of file it is; `other` for one that could not be read as what its name says."""
        return _KINDS.get(self.media_type, DocumentKind.OTHER)

    @property
    def percent(self) -> int | None:
        """Return how much of the pages is settled, 0 to 100; None before the file was opened."""
        if not self.page_count:
            return None
        return round(100 * (self.pages_parsed + self.pages_failed) / self.page_count)


@dataclass(frozen=True, kw_only=True)
class SourceView:
    """A source as administrators see it.

    Attributes:
        settings: as the kind asks for; `about` says them in one line.
        has_secret: whether a password or key is kept, which nobody sees again.
        place: the conversation its documents belong to; empty for the library and for one the reader does not see.
        documents, unread: how many things became documents, and how many could not be read.
        percent: of the running synchronization; None when unknown.
        error: one sentence for people, translated; empty when all is well.
    """

    id: UUID
    kind: SourceKind
    name: str
    settings: Mapping[str, Any]
    has_secret: bool
    about: str
    conversation_id: UUID | None
    place: str
    interval: SourceInterval
    is_paused: bool
    state: SourceState
    error_code: str
    error: str
    held_count: int
    documents: int
    unread: int
    run_id: UUID | None
    percent: int | None
    synced_at: datetime | None
    due_at: datetime | None
    created_at: datetime


@dataclass(frozen=True)
class Origin:
    """Where a document was read from: an address to open, or a path as plain text.

    Attributes:
        source: the name of the source it came by.
    """

    address: str
    is_link: bool
    source: str = ""


@dataclass(frozen=True)
class UnreadItem:
    """A thing of a source that could not be read, and why in one sentence."""

    external_id: str
    error_code: str
    error: str


@dataclass(frozen=True)
class PageStatus:
    """A settled page in a document's details."""

    number: int
    state: PageState
    error_code: str
    error: str


@dataclass(frozen=True)
class MarkedBox:
    """A rectangle to mark, in shares of the page's width and height (0 to 1), origin at the top left."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, kw_only=True)
class PageView:
    """A page to read.

    Attributes:
        width, height: in points; None for a logical page, which has no picture.
        has_picture: whether `page_picture` can show it.
    """

    document_id: UUID
    number: int
    state: PageState
    error_code: str
    error: str
    width: float | None
    height: float | None
    text: str
    blocks: tuple[BlockView, ...]
    has_picture: bool


@dataclass(frozen=True)
class BlockView:
    """A heading, paragraph, table, list or piece of code: `text[char_start:char_end]` of its page."""

    kind: str
    level: int
    char_start: int
    char_end: int


@dataclass(frozen=True, kw_only=True)
class IndexablePage:
    """A page for the content index, without asking who looks; it is kept under the same scope.

    Attributes:
        chunks: in order; empty where the page has no text.
        time: when the document came in.
    """

    document_id: UUID
    organization_id: UUID
    scope_id: UUID
    conversation_id: UUID | None
    author_id: UUID
    title: str
    media_type: str
    language: str
    version: int
    number: int
    chunks: tuple[Chunk, ...]
    time: datetime
