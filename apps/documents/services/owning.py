"""Who may have sources, and with whose rights one reads."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from apps.accounts.errors import MemberNotFound
from apps.accounts.selectors.principals import principal_of_member
from apps.accounts.services.access import can, require
from apps.accounts.types import Principal
from apps.chat.errors import ConversationNotFound
from apps.chat.selectors.conversations import scope_of
from apps.core import tenancy
from apps.documents.errors import SourceNotFound, SourcePlaceUnseen
from apps.documents.models import Source
from apps.documents.services.collections import library_scope

_NEEDED: Final = ("settings.view", "document.manage")


def owner_of(row: Source) -> Principal | None:
    """Return whoever added a source, with the rights of now; None where the seat is gone."""
    try:
        return principal_of_member(organization_id=row.organization_id, user_id=row.created_by_id)
    except MemberNotFound:
        return None


def require_administrator(principal: Principal) -> None:
    """Refuse who does not administrate, or may not add documents.

    Raises:
        PermissionMissing.
    """
    for permission in _NEEDED:
        require(principal, permission)


def is_administrator(principal: Principal) -> bool:
    """Return whether a principal may have sources."""
    return all(can(principal, permission) for permission in _NEEDED)


def lock_source(source_id: UUID) -> Source:
    """Return a source of the current organization, locked.

    Raises:
        SourceNotFound.
    """
    rows = Source.objects.filter(organization_id=tenancy.current(), pk=source_id)
    row = rows.select_for_update(no_key=True).first()
    if row is None:
        raise SourceNotFound
    return row


def scope_for(principal: Principal, conversation_id: UUID | None) -> UUID:
    """Return whose a source's documents are: the library's, or a conversation's that the principal is in.

    Raises:
        ConversationNotFound.
    """
    return library_scope() if conversation_id is None else scope_of(principal, conversation_id)


def require_place(principal: Principal, conversation_id: UUID | None) -> None:
    """Refuse who does not see whose documents they are: an administrator is not in every conversation.

    Raises:
        SourcePlaceUnseen.
    """
    try:
        scope_for(principal, conversation_id)
    except ConversationNotFound as error:
        raise SourcePlaceUnseen from error
