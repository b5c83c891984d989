"""A poll as one viewer stands to it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from apps.accounts.services import access
from apps.accounts.types import InScope, Principal
from apps.chat.models import Poll, PollVote
from apps.chat.selectors.messages import visible_messages


@dataclass(frozen=True, kw_only=True)
class OwnPoll:
    """What the viewer chose, and whether it may end the poll."""

    message_id: UUID
    conversation_id: UUID
    mine: frozenset[int]
    may_close: bool


def find_poll(viewer: Principal, poll_id: UUID) -> OwnPoll | None:
    """Return the viewer's stand to a poll whose message it sees. Two queries."""
    row = (
        Poll.objects.filter(pk=poll_id, message__in=visible_messages(viewer).filter(deleted_at=None))
        .values("message_id", "message__conversation_id", "message__sender_id", "message__scope_id")
        .first()
    )
    if row is None:
        return None
    votes = PollVote.objects.filter(poll_id=poll_id, principal_id=viewer.id).values_list("option", flat=True)
    is_author = row["message__sender_id"] == viewer.id
    return OwnPoll(
        message_id=row["message_id"],
        conversation_id=row["message__conversation_id"],
        mine=frozenset() if viewer.viewed_by else frozenset(votes),
        may_close=is_author
        or bool(access.can(viewer, "message.moderate", InScope(row["message__scope_id"]))),
    )
