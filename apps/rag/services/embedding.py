"""Vectors for chunks that have none yet, and the count of words. Text is searchable long before."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from apps.elyza.services import encoder
from apps.rag.models import Chunk, IndexStat

BATCH = 64
_FORGET_BATCH = 2000
_LEAST_CHANGE = 50
_LEAST_SHARE = 0.1
_STORE = """
UPDATE rag_chunk c SET embedding = v.embedding::halfvec(384), model_version = %s
FROM unnest(%s::bigint[], %s::text[]) AS v (id, embedding)
WHERE c.organization_id = %s AND c.id = v.id AND c.model_version = ''
"""


def embed_pending(*, organization_id: UUID, most: int, check: Callable[[], object]) -> int:
    """Give up to `most` chunks their vectors, the newest first; return how many were read.

    No transaction is open while the encoder works; a chunk that went meanwhile no longer matches.

    Args:
        check: called before each batch; raises to leave.

    Raises:
        EncoderUnavailable: what was stored stays.
    """
    done = 0
    pending = Chunk.objects.filter(organization_id=organization_id, model_version="").order_by("-pk")
    while done < most:
        check()
        rows = list(pending.values_list("pk", "title", "heading", "body")[: min(BATCH, most - done)])
        if not rows:
            break
        embeddings = encoder.embed_bulk(texts=[text_of(*texts) for _, *texts in rows])
        values = [vector_text(row) for row in embeddings.vectors.tolist()]
        with connection.cursor() as cursor:
            cursor.execute(
                _STORE, [embeddings.model_version, [row[0] for row in rows], values, organization_id]
            )
        done += len(rows)
    return done


def has_pending(*, organization_id: UUID) -> bool:
    """Return whether chunks of the organization wait for their vectors."""
    return Chunk.objects.filter(organization_id=organization_id, model_version="").exists()


def forget_other_versions(*, organization_id: UUID, model_version: str) -> int:
    """Drop vectors of other models, so that they are made anew; return how many. Words stay searchable."""
    others = Chunk.objects.filter(
        Q(model_version__lt=model_version) | Q(model_version__gt=model_version),
        organization_id=organization_id,
        model_version__gt="",
    )
    forgotten = 0
    while True:
        with transaction.atomic():
            ids = list(others.order_by("pk").values_list("pk", flat=True)[:_FORGET_BATCH])
            forgotten += Chunk.objects.filter(pk__in=ids).update(embedding=None, model_version="")
        if len(ids) < _FORGET_BATCH:
            return forgotten


def refresh_terms_if_stale(*, organization_id: UUID) -> bool:
    """Count the organization's words anew when its index has grown or shrunk by a tenth; return whether it did."""
    stat = IndexStat.objects.filter(pk=organization_id).first()
    chunks = Chunk.objects.filter(organization_id=organization_id).count()
    if stat is not None and abs(chunks - stat.chunks) < max(_LEAST_CHANGE, _LEAST_SHARE * stat.chunks):
        return False
    refresh_terms()
    return True


def refresh_terms() -> int:
    """Count the words of the current organization; return how many chunks it has."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT rag_refresh_terms()")
        return int(cursor.fetchone()[0])


def text_of(title: str, heading: str, body: str) -> str:
    """Return what the encoder reads of a chunk: where it stands, then what it says."""
    return "\n".join(part for part in (heading or title, body) if part)


def vector_text(vector: list[float]) -> str:
    """Return a vector as PostgreSQL reads it; half precision has three to four digits."""
    return f"[{','.join(f'{number:.5g}' for number in vector)}]"
