"""Build an organization's index anew from messages and pages; search goes on meanwhile with what is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from apps.chat.selectors.indexing import spoken_after
from apps.documents.selectors.pages import list_indexable_pages
from apps.rag.selectors.languages import default_language
from apps.rag.services import documents, embedding, messages, storing

BATCH = 200


@dataclass(frozen=True)
class Rebuilt:
    """How much was read and stored."""

    messages: int
    pages: int
    chunks: int


def rebuild(*, organization_id: UUID, report: Callable[[str], object]) -> Rebuilt:
    """Replace every chunk of the current organization, part by part, and count the words; vectors follow by a run.

    Those of pages that say what they said before stay.
    """
    language = default_language(organization_id)
    read = stored = 0
    after: UUID | None = None
    while batch := spoken_after(organization_id=organization_id, after=after, limit=BATCH):
        after = batch[-1].id
        with transaction.atomic():
            storing.remove_messages(organization_id=organization_id, message_ids=[one.id for one in batch])
            stored += messages.index_batch(
                organization_id=organization_id, messages=batch, default_language=language
            )
        read += len(batch)
        report(f"{read} messages")
    pages = list_indexable_pages(organization_id=organization_id)
    for number, (document_id, page) in enumerate(pages, 1):
        stored += documents.index_page(
            organization_id=organization_id, document_id=document_id, number=page, default_language=language
        )
        if number % BATCH == 0:
            report(f"{number} pages")
    embedding.refresh_terms()
    return Rebuilt(read, len(pages), stored)
