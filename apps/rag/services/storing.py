"""Put chunks into the index and take them out again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, transaction

from apps.core.database import arrays, planned
from apps.rag.models import Chunk, ChunkMessage
from apps.rag.text.folding import fold
from apps.rag.types import ChunkDraft, SourceType

BATCH = 200
# The words come from the folded text, so the column is written here and not generated.
_STORE = """
WITH d AS MATERIALIZED (
  SELECT * FROM jsonb_to_recordset(%s::jsonb) AS x (
    k int, organization uuid, scope uuid, source_type text, source uuid, conversation uuid, document uuid,
    thread uuid, author uuid, generated boolean, file boolean, media_type text, page int, ordinal int,
    char_start int, char_end int, boxes jsonb, language text, title text, heading text, body text, folded text,
    hash text, moment timestamptz)
)
INSERT INTO rag_chunk (organization_id, scope_id, source_type, source_id, conversation_id, document_id, thread_id,
  author_id, is_generated, has_file, media_type, page, ordinal, char_start, char_end, boxes, language, title,
  heading, body, tsv, model_version, content_hash, content_time)
SELECT d.organization, d.scope, d.source_type, d.source, d.conversation, d.document, d.thread,
  d.author, d.generated, d.file, d.media_type, d.page, d.ordinal, d.char_start, d.char_end, d.boxes, d.language,
  d.title, d.heading, d.body, to_tsvector(rag_config(d.language), d.folded), '', decode(d.hash, 'hex'), d.moment
FROM d ORDER BY d.k RETURNING id
"""
_HOLDS = "SELECT EXISTS (SELECT FROM rag_chunkmessage WHERE organization_id = %s AND message_id = %s)"
_HOLDING = "SELECT DISTINCT chunk_id FROM rag_chunkmessage WHERE organization_id = %s AND message_id = ANY (%s::uuid[])"
_KEEP_VECTORS = """
UPDATE rag_chunk c SET embedding = b.embedding, model_version = b.model_version FROM rag_chunk b
WHERE c.organization_id = %s AND c.id = ANY (%s::bigint[]) AND b.organization_id = %s AND b.id = ANY (%s::bigint[])
  AND b.content_hash = c.content_hash AND b.model_version > ''
"""
_REMOVE = "DELETE FROM rag_chunk WHERE organization_id = %s AND id = ANY (%s::bigint[])"


def store_chunks(drafts: Sequence[ChunkDraft]) -> list[int]:
    """Store chunks, findable by their words at once, and return their ids in order; vectors follow by a run."""
    stored: list[int] = []
    with transaction.atomic():
        for start in range(0, len(drafts), BATCH):
            stored += _store_some(drafts[start : start + BATCH])
    return stored


def chunks_of(*, organization_id: UUID, document_id: UUID, page: int) -> list[int]:
    """Return the chunks of a page. One query."""
    rows = Chunk.objects.filter(
        organization_id=organization_id, source_type=SourceType.DOCUMENT, source_id=document_id, page=page
    )
    return list(rows.values_list("pk", flat=True))


def keep_vectors(*, organization_id: UUID, before: Sequence[int], stored: Sequence[int]) -> None:
    """Give chunks that say the same as one of those before its vector. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            _KEEP_VECTORS,
            [organization_id, list(stored), organization_id, list(before)],
        )


def remove_chunks(*, organization_id: UUID, chunk_ids: Sequence[int]) -> None:
    """Take these chunks out of the index. At most one statement."""
    if chunk_ids:
        with connection.cursor() as cursor:
            cursor.execute(_REMOVE, [organization_id, list(chunk_ids)])


def move_documents(
    *, organization_id: UUID, document_ids: Sequence[UUID], scope_id: UUID, conversation_id: UUID | None
) -> None:
    """Give the chunks of documents another audience. One statement.

    Their vectors are made anew by a run: putting one into the index of vectors again takes longer than everything else
    together (measured: 3 ms a chunk), and whoever moves documents waits.
    """
    Chunk.objects.filter(organization_id=organization_id, document_id__in=document_ids).update(
        scope_id=scope_id, conversation_id=conversation_id, embedding=None, model_version=""
    )


def remove_document(*, organization_id: UUID, document_id: UUID, keep_pages: Sequence[int] = ()) -> int:
    """Take a document out of the index, but not these pages; return how many chunks went. One statement."""
    rows = Chunk.objects.filter(
        organization_id=organization_id, source_type=SourceType.DOCUMENT, source_id=document_id
    )
    if keep_pages:
        rows = rows.exclude(page__in=keep_pages)
    return rows._raw_delete(rows.db)  # noqa: SLF001 - the database cascades; no need to read the rows first


def holds_message(*, organization_id: UUID, message_id: UUID) -> bool:
    """Return whether a chunk holds text of the message. One query."""
    with connection.cursor() as cursor:
        planned.execute(cursor, _HOLDS, [organization_id, message_id])
        return bool(cursor.fetchone()[0])


def remove_messages(*, organization_id: UUID, message_ids: Sequence[UUID]) -> int:
    """Take every chunk that holds text of these messages out of the index.

    Two statements, each by its index: joined, a plan made before there were statistics reads the whole organization.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HOLDING, [organization_id, arrays.written(message_ids)])
        found = [chunk for (chunk,) in cursor.fetchall()]
        if not found:
            return 0
        cursor.execute(_REMOVE, [organization_id, arrays.written(found)])
        return int(cursor.rowcount)


def _store_some(drafts: Sequence[ChunkDraft]) -> list[int]:
    rows = [_row(number, draft) for number, draft in enumerate(drafts)]
    with connection.cursor() as cursor:
        cursor.execute(_STORE, [orjson.dumps(rows).decode()])
        ids = sorted(pk for (pk,) in cursor.fetchall())
    ChunkMessage.objects.bulk_create(
        ChunkMessage(
            organization_id=draft.organization_id,
            chunk_id=pk,
            message_id=placed.message,
            char_start=placed.start,
            char_end=placed.end,
            message_start=placed.message_start,
        )
        for pk, draft in zip(ids, drafts, strict=True)
        for placed in draft.messages
    )
    return ids


def _row(number: int, draft: ChunkDraft) -> dict[str, Any]:
    title, heading, body = (_storable(text) for text in (draft.title, draft.heading, draft.body))
    return {
        "k": number,
        "organization": draft.organization_id,
        "scope": draft.scope_id,
        "source_type": draft.source_type.value,
        "source": draft.source_id,
        "conversation": draft.conversation_id,
        "document": draft.document_id,
        "thread": draft.thread_id,
        "author": draft.author_id,
        "generated": draft.is_generated,
        "file": draft.has_file,
        "media_type": draft.media_type,
        "page": draft.page,
        "ordinal": draft.ordinal,
        "char_start": draft.start,
        "char_end": draft.end,
        "boxes": [[box.x0, box.top, box.x1, box.bottom] for box in draft.boxes],
        "language": draft.language,
        "title": title,
        "heading": heading,
        "body": body,
        "folded": fold(f"{title}\n{heading}\n{body}", draft.language),
        "hash": hashlib.sha256(f"{draft.language}\x00{title}\x00{heading}\x00{body}".encode()).hexdigest(),
        "moment": draft.time,
    }


def _storable(text: str) -> str:
    """Replace what PostgreSQL or UTF-8 refuse, one character for one: offsets stay."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
