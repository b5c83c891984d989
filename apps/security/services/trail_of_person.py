"""A person in the audit trail: exported, and emptied of addresses and names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import Q, QuerySet

from apps.core.data_subjects import Batch, Person
from apps.core.models import AuditEntry
from apps.core.services.audit import PLATFORM
from apps.security.services.emptying import empty_person


def entries_of(person: Person) -> QuerySet[AuditEntry]:
    """Return the entries of acts of the person, and of acts done to it."""
    own = Q(actor_id=person.id) | Q(on_behalf_of=person.id) | Q(object_id=str(person.id))
    return AuditEntry.objects.filter(own, organization_id=person.organization_id)


def export_entries(person: Person) -> Iterator[Mapping[str, Any]]:
    """Yield the entries; address and session only of the person's own acts, of others only that it was another."""
    for row in entries_of(person).order_by("id").iterator():
        is_own = row.actor_id == person.id
        yield {
            "key": row.key,
            "at": row.created_at,
            "action": row.action,
            "outcome": row.outcome,
            "by": "you" if is_own else "another",
            "object_type": row.object_type,
            "object_id": row.object_id,
            "address": row.address if is_own else None,
        }


def empty_entries(person: Person, _cursor: Any) -> Batch:
    """Take addresses and names of the person out of the trail, and out of the installation's where the account goes.

    The chain stays whole: it holds keyed references, and how many values went is an entry of its own.
    """
    trails = [person.organization_id, *([PLATFORM] if person.leaves_for_good else [])]
    return Batch(
        sum(
            empty_person(
                organization_id=trail,
                person_id=person.id,
                spellings=(person.name, person.email),
                actor_id=None,
            )
            for trail in trails
        )
    )
