"""What an organization decided about searches."""

from __future__ import annotations

from uuid import UUID

from apps.rag.models import SearchPolicy


def has_other_words(organization_id: UUID) -> bool:
    """Return whether weak searches may ask a language model; without a decision they may. One query."""
    found = SearchPolicy.objects.filter(organization_id=organization_id).values_list("other_words", flat=True)
    return found.first() is not False
