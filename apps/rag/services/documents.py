"""Pages of documents in the index."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from apps.documents.selectors.pages import indexable_page, readable_pages
from apps.documents.types import IndexablePage
from apps.rag.services.storing import (
    chunks_of,
    keep_vectors,
    remove_chunks,
    remove_document,
    store_chunks,
)
from apps.rag.types import Box, ChunkDraft, SourceType


def index_page(*, organization_id: UUID, document_id: UUID, number: int, default_language: str) -> int:
    """Replace a page's chunks by what the page says now; return how many were stored.

    Those that say what they said before keep their vectors.

    A document that is deleted meanwhile takes them with it: the key that ties them decides, at the commit.
    """
    with transaction.atomic():
        page = indexable_page(organization_id=organization_id, document_id=document_id, number=number)
        before = chunks_of(organization_id=organization_id, document_id=document_id, page=number)
        stored = [] if page is None else store_chunks(_drafts(page, default_language))
        if before and stored:
            keep_vectors(organization_id=organization_id, before=before, stored=stored)
        remove_chunks(organization_id=organization_id, chunk_ids=before)
        return len(stored)


def forget_pages(*, organization_id: UUID, document_id: UUID) -> None:
    """Take the pages of a document that cannot be read any more out of the index."""
    readable = readable_pages(organization_id=organization_id, document_id=document_id)
    remove_document(organization_id=organization_id, document_id=document_id, keep_pages=readable)


def _drafts(page: IndexablePage, default_language: str) -> list[ChunkDraft]:
    return [
        ChunkDraft(
            organization_id=page.organization_id,
            scope_id=page.scope_id,
            source_type=SourceType.DOCUMENT,
            source_id=page.document_id,
            document_id=page.document_id,
            conversation_id=page.conversation_id,
            author_id=page.author_id,
            has_file=True,
            media_type=page.media_type,
            page=page.number,
            ordinal=ordinal,
            start=chunk.char_start,
            end=chunk.char_end,
            boxes=tuple(Box(box.x0, box.top, box.x1, box.bottom) for box in chunk.boxes),
            title=page.title,
            # A table that goes on repeats its first row: searched with it, but not a part of this place.
            heading="\n".join(
                part for part in (chunk.context, chunk.text[: chunk.prefix_length].strip()) if part
            ),
            body=chunk.text[chunk.prefix_length :],
            language=chunk.language or page.language or default_language,
            time=page.time,
        )
        for ordinal, chunk in enumerate(page.chunks)
    ]
