"""What a conversation keeps at hand: bookmarks and pinned messages."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from apps.accounts.types import Principal
from apps.chat.errors import ConversationNotFound
from apps.chat.models import Attachment, Bookmark
from apps.chat.selectors.conversations import visible_conversations
from apps.chat.selectors.messages import views_for, visible_messages
from apps.chat.types import MessageView


@dataclass(frozen=True, kw_only=True)
class BookmarkView:
    """A link (`url`) or a file (`file`) with its title."""

    id: UUID
    title: str
    url: str
    file: UUID | None

    def as_json(self) -> dict[str, Any]:
        """Return the shape of API and frames."""
        return dataclasses.asdict(self)


def view_of(row: Bookmark) -> BookmarkView:
    """Return a row as everyone in its conversation sees it."""
    return BookmarkView(id=row.pk, title=row.title, url=row.url, file=row.file_id)


def bookmarks(principal: Principal, conversation_id: UUID) -> list[BookmarkView]:
    """Return the bookmarks of a visible conversation, oldest first; files whose message is gone are left out.

    Raises:
        ConversationNotFound.
    """
    if not visible_conversations(principal).filter(pk=conversation_id).exists():
        raise ConversationNotFound
    carried = Attachment.objects.filter(file_id=OuterRef("file_id"), message__conversation_id=conversation_id)
    rows = Bookmark.objects.filter(Q(file_id=None) | Exists(carried), conversation_id=conversation_id)
    return [view_of(row) for row in rows.order_by("pk")]


def pinned(principal: Principal, conversation_id: UUID) -> list[MessageView]:
    """Return the pinned messages of a conversation that the principal sees, the last pinned first.

    Raises:
        ConversationNotFound.
    """
    if not visible_conversations(principal).filter(pk=conversation_id).exists():
        raise ConversationNotFound
    rows = visible_messages(principal).filter(conversation_id=conversation_id, deleted_at=None)
    return views_for(rows.exclude(pinned_at=None).order_by("-pinned_at"))
