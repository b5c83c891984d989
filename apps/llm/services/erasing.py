"""Take a person out of the usage ledger; the sums stay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import QuerySet

from apps.core.data_subjects import Batch, Person
from apps.llm.models import UsageEntry

BATCH = 5000


def usage_of(person: Person) -> QuerySet[UsageEntry]:
    """Return the entries of the person."""
    return UsageEntry.objects.filter(organization_id=person.organization_id, principal_id=person.id)


def export_usage(person: Person) -> Iterator[Mapping[str, Any]]:
    """Yield the model calls made for the person."""
    yield from (
        usage_of(person)
        .order_by("pk")
        .values("purpose", "provider", "model", "tokens_in", "tokens_out", "outcome", "created_at")
    )


def erase_usage_of(person: Person, _cursor: Any) -> Batch:
    """Let the next entries belong to nobody."""
    ids = list(usage_of(person).values_list("pk", flat=True)[:BATCH])
    rows = UsageEntry.objects.filter(organization_id=person.organization_id, pk__in=ids)
    return Batch(rows.update(principal_id=None, run_id=None), "more" if ids else None)
