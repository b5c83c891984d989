"""What imports keep about a person: who it was elsewhere, places that wait for it, imports it started."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import QuerySet

from apps.chat.models import HistoryImport, ImportedPerson, ImportedSeat
from apps.core.data_subjects import Person


def identities_of(person: Person) -> QuerySet[ImportedPerson]:
    """Return who the person was in other systems."""
    return ImportedPerson.objects.filter(organization_id=person.organization_id, principal_id=person.id)


def seats_of(person: Person) -> QuerySet[ImportedSeat]:
    """Return the places that wait for the person."""
    return ImportedSeat.objects.filter(organization_id=person.organization_id, principal_id=person.id)


def imports_of(person: Person) -> QuerySet[HistoryImport]:
    """Return the imports the person started."""
    return HistoryImport.objects.filter(organization_id=person.organization_id, requested_by_id=person.id)


def count_imported(person: Person) -> int:
    """Return how many rows there are."""
    return identities_of(person).count() + seats_of(person).count() + imports_of(person).count()


def export_imported(person: Person) -> Iterator[Mapping[str, Any]]:
    """Yield who the person was elsewhere, and which imports it started."""
    yield from identities_of(person).order_by("pk").values("source", "external_id", "created_at")
    yield from imports_of(person).order_by("pk").values("id", "kind", "file_name", "state", "created_at")
