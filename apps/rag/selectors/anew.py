"""Passages that were stored anew since they were found, under another number: a message joins the passage before it, a
page is read again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from django.db.models import Count, Min, Q

from apps.core import tenancy
from apps.rag.models import Chunk
from apps.rag.types import Hit, SourceType


def stored_anew(hits: Sequence[Hit]) -> dict[int, int]:
    """Return by their chunk in which other one the words of these hits stand now, whoever may see it. One query.

    Those whose words stand nowhere in their source any more are missing.
    """
    wanted = Q(pk__in=())
    for hit in hits:
        wanted |= Q(source_type=hit.source_type, source_id=hit.source, page=hit.page)
    rows = list(
        Chunk.objects.filter(wanted, organization_id=tenancy.current())
        .order_by("pk")
        .values_list("pk", "source_id", "page", "body")
    )
    found: dict[int, int] = {}
    for hit in hits:
        now = (
            pk
            for pk, source, page, body in rows
            if (source, page) == (hit.source, hit.page) and hit.text in body
        )
        if hit.chunk is not None and (chunk := next(now, None)) is not None:
            found[hit.chunk] = chunk
    return found


def chunks_of_messages(messages: Collection[UUID]) -> dict[UUID, int]:
    """Return the one chunk that begins with each of these messages, whoever may see it. One query."""
    rows = Chunk.objects.filter(
        organization_id=tenancy.current(), source_type=SourceType.MESSAGE, source_id__in=messages
    )
    alone = rows.values("source_id").annotate(number=Count("pk"), chunk=Min("pk")).filter(number=1)
    return dict(alone.values_list("source_id", "chunk"))
