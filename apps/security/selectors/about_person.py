"""What the audit trail of an organization says about one person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Q, QuerySet

from apps.core.data_subjects import Person
from apps.core.models import AuditEntry


def entries_of(person: Person) -> QuerySet[AuditEntry, AuditEntry]:
    """Return the entries of what the person did, of what was done on its behalf, and of what was done to it."""
    named = Q(actor_id=person.id) | Q(on_behalf_of=person.id) | Q(object_id=str(person.id))
    return AuditEntry.objects.filter(named, organization_id=person.organization_id)


def export_entries(person: Person) -> Iterator[dict[str, Any]]:
    """Yield the entries, oldest first; who else acted, and from where, is that person's own and left out."""
    for row in entries_of(person).order_by("id").iterator(chunk_size=1000):
        is_own = row.actor_id == person.id
        yield {
            "key": row.key,
            "created_at": row.created_at,
            "action": row.action,
            "outcome": row.outcome,
            "by": "you" if is_own else "another",
            "object_type": row.object_type,
            "object_id": row.object_id,
            "address": row.address if is_own else None,
        }
