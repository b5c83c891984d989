"""An organization's own emoji."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from apps.accounts.types import Principal
from apps.chat.models import CustomEmoji


@dataclass(frozen=True, kw_only=True)
class EmojiView:
    """An emoji; reactions hold `:code:`."""

    id: UUID
    code: str
    file: UUID


def custom_emoji(principal: Principal) -> list[EmojiView]:
    """Return the organization's own emoji by name. One query."""
    rows = CustomEmoji.objects.filter(organization_id=principal.organization_id).order_by("code")
    return [EmojiView(id=row.pk, code=row.code, file=row.file_id) for row in rows]


def find_emoji(principal: Principal, code: str) -> EmojiView | None:
    """Return one by its name."""
    row = CustomEmoji.objects.filter(organization_id=principal.organization_id, code=code).first()
    return EmojiView(id=row.pk, code=row.code, file=row.file_id) if row else None
