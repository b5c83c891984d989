"""Leave a line in the audit trail when a program or an agent reads passages: which, and for whom."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from apps.core.services import audit
from apps.rag.actions import READ
from apps.rag.types import Hit


def note_read(
    *,
    organization_id: UUID,
    reader_id: UUID,
    on_behalf_of: UUID | None,
    hits: Sequence[Hit],
    purpose: str,
    object_type: str = "",
    object_id: UUID | None = None,
) -> None:
    """Record which passages were read; a search that found nothing reads nothing.

    Args:
        purpose: `answer` or `search`.
        object_id: what they were read for, such as an answer.
    """
    if not hits:
        return
    with transaction.atomic():
        audit.record(
            organization_id=organization_id,
            action=READ,
            actor_id=reader_id,
            on_behalf_of=on_behalf_of,
            object_type=object_type,
            object_id=object_id,
            details={
                "purpose": purpose,
                "chunks": [hit.chunk for hit in hits if hit.chunk is not None],
                "sources": sorted({f"{hit.source_type.value}:{hit.source}" for hit in hits}),
            },
        )
