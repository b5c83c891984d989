"""Vectors for chunks that have none yet, of them and of their tokens, and the count of words. Text is searchable long
before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q

from apps.elyza.services import encoder
from apps.elyza.types import Embeddings
from apps.rag.models import Chunk, ChunkTokens, IndexStat

_Texts = tuple[int, str, str, str]  # a chunk's id, title, heading and body
BATCH = 64
_FORGET_BATCH = 2000
_LEAST_CHANGE = 50
_LEAST_SHARE = 0.1
# The tokens' part is NULL where the model gives none.
_STORE = """
WITH v AS MATERIALIZED (
  SELECT * FROM unnest(%(ids)s::bigint[], %(vectors)s::text[], %(bits)s::bytea[]) AS v (id, embedding, bits)
), filled AS (
  UPDATE rag_chunk c SET embedding = v.embedding::halfvec(384), model_version = %(version)s FROM v
  WHERE c.organization_id = %(organization)s AND c.id = v.id AND c.model_version = '' RETURNING c.id
)
INSERT INTO rag_chunktokens (organization_id, chunk_id, bits)
SELECT %(organization)s, v.id, v.bits FROM filled JOIN v USING (id) WHERE v.bits IS NOT NULL
"""
# A chunk that went, or lost its vector, meanwhile gets none.
_STORE_TOKENS = """
INSERT INTO rag_chunktokens (organization_id, chunk_id, bits)
SELECT c.organization_id, c.id, v.bits FROM unnest(%s::bigint[], %s::bytea[]) AS v (id, bits)
JOIN rag_chunk c ON c.organization_id = %s AND c.id = v.id AND c.model_version = %s
FOR SHARE OF c ON CONFLICT (chunk_id) DO NOTHING
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
        _store(organization_id, [row[0] for row in rows], _embedded(rows))
        done += len(rows)
    return done


def complete_tokens(
    *, organization_id: UUID, model_version: str, most: int, check: Callable[[], object]
) -> int:
    """Give up to `most` chunks whose vectors are older than those of tokens theirs, the newest first; return how many
    were read. None left is noted, so that nobody looks again.

    Args:
        model_version: of the model; chunks with vectors of another one are left alone.
        check: called before each batch; raises to leave.

    Raises:
        EncoderUnavailable: what was stored stays.
    """
    if not lacks_tokens(organization_id=organization_id, model_version=model_version):
        return 0
    done, lowest = 0, None
    while done < most:
        check()
        rows = _without_tokens(organization_id, model_version, below=lowest, most=min(BATCH, most - done))
        if not rows:
            IndexStat.objects.filter(pk=organization_id).update(tokens_version=model_version)
            break
        embeddings = _embedded(rows)
        if embeddings.tokens is None or embeddings.model_version != model_version:
            break  # the model process is another one by now: the next run sees
        ids = [row[0] for row in rows]
        with connection.cursor() as cursor:
            cursor.execute(_STORE_TOKENS, [ids, embeddings.tokens, organization_id, model_version])
        done, lowest = done + len(rows), rows[-1][0]
    return done


def lacks_tokens(*, organization_id: UUID, model_version: str) -> bool:
    """Return whether chunks of the organization may be without the vectors of their tokens that the model gives."""
    if not model_version or not encoder.gives_tokens():
        return False
    return not IndexStat.objects.filter(pk=organization_id, tokens_version=model_version).exists()


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
            tokens = ChunkTokens.objects.filter(organization_id=organization_id, chunk__in=ids)
            tokens._raw_delete(tokens.db)  # noqa: SLF001 - nothing hangs on them
        if len(ids) < _FORGET_BATCH:
            return forgotten


def _embedded(rows: Sequence[_Texts]) -> Embeddings:
    return encoder.embed_bulk(texts=[text_of(*texts) for _, *texts in rows], tokens=True)


def _without_tokens(
    organization_id: UUID, model_version: str, *, below: int | None, most: int
) -> list[_Texts]:
    chunks = Chunk.objects.filter(
        ~Exists(ChunkTokens.objects.filter(organization_id=organization_id, chunk=OuterRef("pk"))),
        organization_id=organization_id,
        model_version=model_version,
    )
    if below is not None:
        chunks = chunks.filter(pk__lt=below)
    return list(chunks.order_by("-pk").values_list("pk", "title", "heading", "body")[:most])


def _store(organization_id: UUID, ids: list[int], embeddings: Embeddings) -> None:
    none: list[bytes | None] = [None] * len(ids)
    with connection.cursor() as cursor:
        cursor.execute(
            _STORE,
            {
                "organization": organization_id,
                "version": embeddings.model_version,
                "ids": ids,
                "vectors": [vector_text(row) for row in embeddings.vectors.tolist()],
                "bits": embeddings.tokens or none,
            },
        )
    if embeddings.tokens is None:  # with them, once there are some, all are to be looked at again
        IndexStat.objects.filter(pk=organization_id, tokens_version__gt="").update(tokens_version="")


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
