"""The messages one saved, the last saved first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.accounts.types import Principal
from apps.chat.models import SavedMessage
from apps.chat.selectors.messages import views_for, visible_messages
from apps.chat.types import MessageView
from apps.core.api.paging import NEWEST_FIRST, Page, Position, paginate


@dataclass(frozen=True, kw_only=True)
class SavedView:
    """A saved message."""

    id: UUID
    created_at: datetime
    message: MessageView


def is_saved(principal: Principal, message_id: UUID) -> bool:
    """Return whether the principal saved a message; a view as somebody else does not know. One query."""
    rows = SavedMessage.objects.filter(
        organization_id=principal.organization_id, principal_id=principal.id, message_id=message_id
    )
    return principal.viewed_by is None and rows.exists()


def saved(principal: Principal, *, position: Position, limit: int) -> Page[SavedView]:
    """Return a page of what the principal saved and still sees; nobody else reads it, nor a view as somebody else."""
    rows = SavedMessage.objects.filter(
        organization_id=principal.organization_id,
        principal_id=principal.id,
        message__in=visible_messages(principal).filter(deleted_at=None),
    )
    if principal.viewed_by:
        rows = rows.none()
    page = paginate(rows.select_related("message"), order=NEWEST_FIRST, position=position, limit=limit)
    views = dict(zip((row.pk for row in page.rows), views_for(row.message for row in page.rows), strict=True))
    return page.map(lambda row: SavedView(id=row.pk, created_at=row.created_at, message=views[row.pk]))
