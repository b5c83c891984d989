"""Bookmarks: links and files that a conversation keeps at hand."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from django.db import transaction

from apps.accounts.services import access
from apps.accounts.types import Principal
from apps.chat import events
from apps.chat.errors import AddressInvalid, AttachmentNotFound, BookmarkNotFound, TooManyBookmarks
from apps.chat.models import Attachment, Bookmark, Conversation
from apps.chat.selectors.bookmarks import view_of
from apps.chat.services.messages import require_open
from apps.chat.services.standing import lock_visible
from apps.core.events import log

MOST_BOOKMARKS = 50
LONGEST_ADDRESS = 2000


def add_link(*, principal: Principal, conversation_id: UUID, url: str, title: str = "") -> UUID:
    """Put an address at hand for everyone in a conversation; return the bookmark's id.

    Args:
        title: empty takes the address's host.

    Raises:
        ConversationNotFound, ConversationArchived, NotAMember, PermissionMissing, AddressInvalid, TooManyBookmarks.
    """
    cleaned = clean_address(url)
    host = urlsplit(cleaned).hostname or cleaned
    return _add(principal, conversation_id, title=(title.strip() or host)[:100], url=cleaned)


def add_file(*, principal: Principal, conversation_id: UUID, file_id: UUID, title: str) -> UUID:
    """Put a file at hand that hangs on a message of the conversation; return the bookmark's id.

    Raises:
        ConversationNotFound, ConversationArchived, NotAMember, PermissionMissing, AttachmentNotFound,
        TooManyBookmarks.
    """
    return _add(principal, conversation_id, title=title.strip()[:100], file_id=file_id)


def clean_address(url: str) -> str:
    """Return an address that a link may lead to.

    Raises:
        AddressInvalid.
    """
    trimmed = url.strip()
    try:
        parts = urlsplit(trimmed)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError as error:
        raise AddressInvalid from error
    if (
        not is_web
        or len(trimmed) > LONGEST_ADDRESS
        or any(char.isspace() or ord(char) < 32 for char in trimmed)
    ):
        raise AddressInvalid
    return trimmed


def _add(
    principal: Principal, conversation_id: UUID, *, title: str, url: str = "", file_id: UUID | None = None
) -> UUID:
    with transaction.atomic():
        conversation = _lock_writable(principal, conversation_id)
        if file_id is not None and not _carries(conversation, file_id):
            raise AttachmentNotFound
        if Bookmark.objects.filter(conversation_id=conversation_id).count() >= MOST_BOOKMARKS:
            raise TooManyBookmarks(limit=MOST_BOOKMARKS)
        row = Bookmark.objects.create(
            organization_id=principal.organization_id,
            conversation_id=conversation_id,
            title=title,
            url=url,
            file_id=file_id,
            created_by_id=principal.id,
        )
        log.record(
            events.BookmarkAdded(
                organization_id=principal.organization_id,
                stream_id=conversation_id,
                scope_id=conversation.scope_id,
                actor_id=principal.id,
                bookmark=view_of(row).as_json(),
            )
        )
    return row.pk


def remove_bookmark(*, principal: Principal, conversation_id: UUID, bookmark_id: UUID) -> None:
    """Take a bookmark away for everyone.

    Raises:
        ConversationNotFound, BookmarkNotFound, ConversationArchived, NotAMember, PermissionMissing.
    """
    with transaction.atomic():
        conversation = _lock_writable(principal, conversation_id)
        removed, _ = Bookmark.objects.filter(pk=bookmark_id, conversation_id=conversation_id).delete()
        if not removed:
            raise BookmarkNotFound
        log.record(
            events.BookmarkRemoved(
                organization_id=principal.organization_id,
                stream_id=conversation_id,
                scope_id=conversation.scope_id,
                actor_id=principal.id,
                bookmark_id=bookmark_id,
            )
        )


def _lock_writable(principal: Principal, conversation_id: UUID) -> Conversation:
    conversation = lock_visible(principal, conversation_id)
    access.require(principal, "message.send")
    require_open(principal=principal, conversation_id=conversation_id)
    return conversation


def _carries(conversation: Conversation, file_id: UUID) -> bool:
    return Attachment.objects.filter(file_id=file_id, message__conversation_id=conversation.pk).exists()
