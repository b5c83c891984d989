"""The documents and sources a person added."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from apps.core.data_subjects import Person
from apps.documents.models import Document, Source


def documents_of(person: Person) -> QuerySet[Document]:
    """Return the person's documents."""
    return Document.objects.filter(organization_id=person.organization_id, created_by_id=person.id)


def export_documents(person: Person) -> Iterator[Mapping[str, Any]]:
    """Yield the person's documents; their content is in its files."""
    yield from (
        documents_of(person)
        .order_by("pk")
        .values(
            "id", "file_id", "title", "name", "media_type", "language", "page_count", "state", "conversation_id",
            "message_id", "created_at",
        )
    )  # fmt: skip


def added_by(*, person: Person, among: Collection[UUID]) -> set[UUID]:
    """Return those of these documents that the person added."""
    return set(documents_of(person).filter(pk__in=among).values_list("pk", flat=True))


def sources_of(person: Person) -> QuerySet[Source]:
    """Return the sources the person added."""
    return Source.objects.filter(organization_id=person.organization_id, created_by_id=person.id)


def export_sources(person: Person) -> Iterator[Mapping[str, Any]]:
    """Yield the sources the person added."""
    yield from (
        sources_of(person)
        .order_by("pk")
        .values("id", "kind", "name", "settings", "conversation_id", "interval", "is_paused", "created_at")
    )
