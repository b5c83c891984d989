"""What an organization decided about messages."""

from __future__ import annotations

from uuid import UUID

from apps.chat.models import MessagePolicy
from apps.chat.types import MessageRules


def rules_of(organization_id: UUID) -> MessageRules:
    """Return what holds; without a decision the defaults. One query."""
    found = MessagePolicy.objects.filter(organization_id=organization_id)
    row = found.values_list("link_previews", "edit_minutes").first()
    return MessageRules(*row) if row else MessageRules()
