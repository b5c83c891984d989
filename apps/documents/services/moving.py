"""Give documents another audience, with everything that follows from it, by one commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from apps.core.events import log
from apps.documents import events
from apps.documents.models import Document, Renewal, Source
from apps.documents.types import SUBJECT
from apps.files.services import access as file_access
from apps.runs.services import runs
from apps.runs.types import Subject

BATCH: Final = 50  # so that no statement is long


def move_documents(source: Source, document_ids: Sequence[UUID]) -> None:
    """Give these documents the audience of their locked source, inside the caller's transaction.

    Pages, files and runs follow at once, and so does what is searched, by the event: the key that ties a chunk to its
    document holds the audience too, so that none is stored for the one before either.
    """
    for start in range(0, len(document_ids), BATCH):
        _move(source, document_ids[start : start + BATCH])


def move_document(row: Document, *, scope_id: UUID, conversation_id: UUID) -> None:
    """Give a locked document of a message the audience that the message has now, inside the caller's transaction.

    Its file went there with the message.
    """
    place = _Place(row.organization_id, stream_id=row.pk, scope_id=scope_id, conversation_id=conversation_id)
    _give([row.pk], place)


@dataclass(frozen=True)
class _Place:
    """Where documents go, and the stream that says so."""

    organization_id: UUID
    stream_id: UUID
    scope_id: UUID
    conversation_id: UUID | None


def _move(source: Source, document_ids: Sequence[UUID]) -> None:
    rows = Document.objects.filter(organization_id=source.organization_id, pk__in=document_ids)
    locked = list(rows.order_by("pk").select_for_update().values_list("pk", "file_id", "scope_id"))
    coming = dict(Renewal.objects.filter(document_id__in=document_ids).values_list("document_id", "file_id"))
    place = _Place(
        source.organization_id,
        stream_id=source.pk,
        scope_id=source.scope_id,
        conversation_id=source.conversation_id,
    )
    _give([pk for pk, _, _ in locked], place)
    for scope_id in {scope_id for _, _, scope_id in locked}:
        here = [(pk, file_id) for pk, file_id, scope in locked if scope == scope_id]
        files = [file_id for _, file_id in here] + [coming[pk] for pk, _ in here if pk in coming]
        file_access.move(file_ids=files, scope_id=scope_id, to_scope_id=source.scope_id)


def _give(document_ids: Sequence[UUID], place: _Place) -> None:
    log.record(
        events.DocumentsMoved(
            organization_id=place.organization_id,
            stream_id=place.stream_id,
            scope_id=place.scope_id,
            document_ids=tuple(document_ids),
            conversation_id=place.conversation_id,
        )
    )
    rows = Document.objects.filter(organization_id=place.organization_id, pk__in=document_ids)
    rows.update(scope_id=place.scope_id, conversation_id=place.conversation_id)
    runs.move_runs(
        subjects=[Subject(SUBJECT, pk) for pk in document_ids],
        scope_id=place.scope_id,
        conversation_id=place.conversation_id,
    )
