"""Erase the documents a person added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from apps.core.data_subjects import Batch, Person
from apps.core.database import arrays
from apps.documents.models import Document, Renewal
from apps.documents.selectors.personal import documents_of, sources_of
from apps.documents.services import renewing
from apps.documents.services.documents import remove
from apps.runs.selectors.runs import find_run
from apps.runs.services import runs

_OF_MESSAGES = (
    "SELECT id FROM documents_document WHERE organization_id = %s AND message_id = ANY (%s::uuid[])"
)
BATCH = 50  # each goes with its pages and its part of the index


def erase_documents_of(person: Person, _cursor: Any) -> Batch:
    """Delete the next documents of the person, with their pages and their part of the index."""
    rows = list(documents_of(person).order_by("pk").select_for_update()[:BATCH])
    for row in rows:
        remove(row)
    dropped = _drop_renewals_of(person) if not rows else 0
    return Batch(len(rows) + dropped, "more" if rows or dropped else None)


def _drop_renewals_of(person: Person) -> int:
    """Forget what the person's sources were about to put in the place of others' documents."""
    renewals = Renewal.objects.filter(organization_id=person.organization_id, created_by_id=person.id)
    found = list(renewals.order_by("pk").values_list("document_id", flat=True)[:BATCH])
    for document in Document.objects.filter(pk__in=found).order_by("pk").select_for_update(no_key=True):
        renewing.drop_of(document)
    return len(found)


def erase_sources_of(person: Person, _cursor: Any) -> Batch:
    """Forget the sources the person added; what was read of them is among the person's documents."""
    rows = list(sources_of(person).order_by("pk").select_for_update()[:BATCH])
    for row in rows:
        if row.run_id is not None and find_run(organization_id=row.organization_id, run_id=row.run_id):
            runs.cancel_as_house(run_id=row.run_id)
        row.delete()
    return Batch(len(rows), "more" if rows else None)


def remove_of_messages(*, organization_id: UUID, message_ids: Sequence[UUID]) -> None:
    """Delete the documents of messages inside the transaction that erases them."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_MESSAGES, [organization_id, arrays.written(message_ids)])
        found = [pk for (pk,) in cursor.fetchall()]
    if not found:
        return
    rows = Document.objects.filter(organization_id=organization_id, pk__in=found)
    for row in rows.select_for_update():
        remove(row)
