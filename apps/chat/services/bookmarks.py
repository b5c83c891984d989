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
from apps.core import tenancy
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
    return _add(principal, conversation_id, title=_title(title, cleaned), url=cleaned)


def add_history_link(*, conversation_id: UUID, url: str, title: str, actor_id: UUID) -> bool:
    """Put an address at hand that an imported conversation had; return whether it is there now.

    The caller has cleaned the address, decided about rights and holds a transaction. An address that is there already
    stays as it is; False: there is no room.
    """
    conversation = Conversation.objects.select_for_update(no_key=True).get(
        organization_id=tenancy.current(), pk=conversation_id
    )
    if Bookmark.objects.filter(conversation_id=conversation_id, url=url).exists():
        return True
    if not _has_room(conversation_id):
        return False
    _store(conversation, title=_title(title, url), url=url, file_id=None, actor_id=actor_id)
    return True


def _title(title: str, url: str) -> str:
    return (title.strip() or urlsplit(url).hostname or url)[:100]


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
        if not _has_room(conversation_id):
            raise TooManyBookmarks(limit=MOST_BOOKMARKS)
        row = _store(conversation, title=title, url=url, file_id=file_id, actor_id=principal.id)
    return row.pk


def _store(
    conversation: Conversation, *, title: str, url: str, file_id: UUID | None, actor_id: UUID
) -> Bookmark:
    row = Bookmark.objects.create(
        organization_id=conversation.organization_id,
        conversation_id=conversation.pk,
        title=title,
        url=url,
        file_id=file_id,
        created_by_id=actor_id,
    )
    log.record(
        events.BookmarkAdded(
            organization_id=conversation.organization_id,
            stream_id=conversation.pk,
            scope_id=conversation.scope_id,
            actor_id=actor_id,
            bookmark=view_of(row).as_json(),
        )
    )
    return row


def _has_room(conversation_id: UUID) -> bool:
    return Bookmark.objects.filter(conversation_id=conversation_id).count() < MOST_BOOKMARKS


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
