"""Shortcuts for tests of search: let the index catch up, put documents in, ask."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.utils import timezone

from apps.accounts.types import Principal
from apps.chat.selectors.indexing import find_sequence
from apps.core.ids import uuid7
from apps.rag.selectors.search import search
from apps.rag.services import embedding, messages, storing
from apps.rag.text.chunking import cut
from apps.rag.types import ChunkDraft, Filters, Hit, SearchResult, SourceType


def index_message(organization_id: UUID, conversation_id: UUID, message_id: UUID) -> int:
    """Index a message as the consumer does after the commit."""
    sequence = find_sequence(organization_id=organization_id, message_id=message_id)
    assert sequence is not None
    return messages.index_around(
        organization_id=organization_id,
        conversation_id=conversation_id,
        sequence=sequence,
        default_language="en",
    )


def add_document(
    *, organization_id: UUID, scope_id: UUID, title: str, pages: Sequence[str], language: str = "en"
) -> UUID:
    """Put a document of some pages into the index, as the documents' handler does."""
    document_id = uuid7()
    storing.store_chunks(
        [
            ChunkDraft(
                organization_id=organization_id,
                scope_id=scope_id,
                source_type=SourceType.DOCUMENT,
                source_id=document_id,
                page=number,
                ordinal=ordinal,
                start=piece.start,
                end=piece.end,
                title=title,
                body=text[piece.start : piece.end],
                language=language,
                media_type="application/pdf",
                time=timezone.now(),
            )
            for number, text in enumerate(pages, 1)
            for ordinal, piece in enumerate(cut(text, language=language))
        ]
    )
    return document_id


def embed_all(organization_id: UUID) -> int:
    """Give every chunk its vector and count the words."""
    embedding.refresh_terms()
    return embedding.embed_pending(organization_id=organization_id, most=100_000, check=lambda: None)


def ask(principal: Principal, query: str, **options: object) -> SearchResult:
    """Search with the largest page."""
    options.setdefault("limit", 50)
    return search(principal=principal, query=query, **options)  # type: ignore[arg-type]


def texts(found: SearchResult) -> list[str]:
    """Return what was found, best first."""
    return [hit.text for hit in found.hits]


__all__ = ["Filters", "Hit", "add_document", "ask", "embed_all", "index_message", "texts"]
