"""What the audit trail of an organization says about one person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Q, QuerySet

from apps.core.data_subjects import Person
from apps.core.models import AuditEntry


def count_entries(person: Person) -> int:
    """Return how many entries name the person as who did it or whom it was done to."""
    here = AuditEntry.objects.filter(organization_id=person.organization_id)
    return here.filter(Q(actor_id=person.id) | Q(object_id=str(person.id))).count()


def export_entries(person: Person) -> Iterator[dict[str, Any]]:
    """Yield what the person did, oldest first, with the address it came from."""
    rows = _own(person).values(
        "key", "created_at", "action", "outcome", "object_type", "object_id", "address"
    )
    for row in rows.iterator(chunk_size=1000):
        yield dict(row)


def _own(person: Person) -> QuerySet[AuditEntry, AuditEntry]:
    return AuditEntry.objects.filter(organization_id=person.organization_id, actor_id=person.id).order_by(
        "id"
    )
