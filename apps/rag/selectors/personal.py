"""What the content index holds of one person beside its texts: for exports and erasures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import QuerySet

from apps.core.data_subjects import Person
from apps.rag.models import SynonymSet


def synonyms_by(person: Person) -> QuerySet[SynonymSet]:
    """Return the sets the person added."""
    return SynonymSet.objects.filter(organization_id=person.organization_id, created_by_id=person.id)


def export_synonyms(person: Person) -> Iterator[Mapping[str, Any]]:
    """Yield the sets the person added."""
    yield from synonyms_by(person).order_by("pk").values("terms", "language", "created_at")
