"""What an organization decided about messages."""

from __future__ import annotations

from uuid import UUID

from apps.chat.models import MessagePolicy


def has_link_previews(organization_id: UUID) -> bool:
    """Return whether links are looked at; without a decision they are. One query."""
    found = MessagePolicy.objects.filter(organization_id=organization_id).values_list(
        "link_previews", flat=True
    )
    return found.first() is not False
