"""What the content index holds of one person beside its texts: for exports and erasures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import QuerySet

from apps.core.data_subjects import Person
from apps.rag.models import SearchThumb, SearchTrace, SynonymSet


def synonyms_by(person: Person) -> QuerySet[SynonymSet]:
    """Return the sets the person added."""
    return SynonymSet.objects.filter(organization_id=person.organization_id, created_by_id=person.id)


def export_synonyms(person: Person) -> Iterator[Mapping[str, Any]]:
    """Yield the sets the person added."""
    yield from synonyms_by(person).order_by("pk").values("terms", "language", "created_at")


def traces_of(person: Person) -> QuerySet[SearchTrace]:
    """Return the searches of the person, with those that agents made for it."""
    return SearchTrace.objects.filter(organization_id=person.organization_id, searcher_id=person.id)


def export_traces(person: Person) -> Iterator[Mapping[str, Any]]:
    """Yield what the person searched for, and what it said about hits."""
    said: dict[Any, dict[int, bool]] = {}
    thumbs = SearchThumb.objects.filter(trace__in=traces_of(person))
    for trace, number, is_good in thumbs.values_list("trace_id", "number", "is_good"):
        said.setdefault(trace, {})[number] = is_good
    for row in traces_of(person).order_by("pk").values("id", "query", "origin", "created_at", "hit_count"):
        given = said.get(row["id"], {})
        yield {**row, "id": str(row["id"]), "thumbs": {str(number): good for number, good in given.items()}}
