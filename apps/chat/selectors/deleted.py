"""Deleted messages that can still be brought back, for those who may."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from apps.accounts.selectors import people as people_selectors
from apps.accounts.types import Principal
from apps.chat.models import DeletedMessage
from apps.chat.selectors.conversations import may_here, ref
from apps.chat.selectors.messages import visible_messages
from apps.chat.types import PersonRef

MOST = 100


@dataclass(frozen=True, kw_only=True)
class Restorable:
    """A deleted message, what it said, and until when it can come back."""

    id: UUID
    sender: PersonRef
    body: str
    deleted_at: datetime
    purge_at: datetime


def list_restorable(principal: Principal, conversation_id: UUID) -> list[Restorable]:
    """Return what the principal may bring back in a conversation, the newest first: its own, a moderator everyone's."""
    rows = DeletedMessage.objects.filter(
        message__in=visible_messages(principal).filter(conversation_id=conversation_id),
        purge_at__gt=timezone.now(),
    )
    if not may_here(principal, "message.moderate", conversation_id):
        rows = rows.filter(message__sender_id=principal.id, by_author=True)
    found = list(rows.select_related("message").order_by("-message__sequence")[:MOST])
    people = people_selectors.people({row.message.sender_id for row in found})
    return [
        Restorable(
            id=row.message_id,
            sender=ref(people[row.message.sender_id]),
            body=row.body,
            deleted_at=row.message.deleted_at,
            purge_at=row.purge_at,
        )
        for row in found
        if row.purge_at is not None and row.message.deleted_at is not None and row.message.sender_id in people
    ]
