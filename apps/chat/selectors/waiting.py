"""Why a badge shows what it shows: the messages behind it, and what keeps others out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from django.db import connection

from apps.accounts.types import Principal
from apps.chat.errors import ConversationNotFound
from apps.chat.models import Membership
from apps.chat.selectors import unread
from apps.chat.selectors.conversations import is_reached
from apps.chat.selectors.messages import views_for, visible_messages
from apps.chat.types import MessageView

Reason = Literal["mention", "followed_topic", "unread", "topic_muted", "conversation_muted"]
REASONS: tuple[Reason, ...] = ("mention", "followed_topic", "unread", "topic_muted", "conversation_muted")
SHOWN, MOST = 50, 100
# The newest of each conversation are enough for the newest of all.
_WAITING = """
SELECT x.id, x.is_mention, x.level, m.is_muted
FROM chat_membership m
JOIN chat_conversation c ON c.organization_id = m.organization_id AND c.id = m.conversation_id
  AND c.archived_at IS NULL
CROSS JOIN LATERAL (
  SELECT x.id, x.sent_at, x.sequence, w.level,
    EXISTS (SELECT FROM chat_mention y WHERE y.message_id = x.id AND y.principal_id = %(me)s) AS is_mention
  FROM chat_message x LEFT JOIN {wish}
  WHERE {new} AND NOT {ahead} AND {place} ORDER BY x.sequence DESC LIMIT %(limit)s
) x
WHERE m.organization_id = %(organization)s AND m.principal_id = %(me)s AND m.left_at IS NULL AND {where}
ORDER BY x.sent_at DESC, x.sequence DESC LIMIT %(limit)s
""".format


@dataclass(frozen=True)
class Waiting:
    """A message that was not read.

    Attributes:
        reason: why it counts in the totals, or for `topic_muted` and `conversation_muted` why it does not.
    """

    message: MessageView
    reason: Reason

    @property
    def is_counted(self) -> bool:
        """It is behind the totals."""
        return self.reason not in ("topic_muted", "conversation_muted")


def explain(
    principal: Principal,
    *,
    conversation_id: UUID | None = None,
    place: UUID | None = None,
    limit: int = SHOWN,
) -> list[Waiting]:
    """Return the newest messages that wait, of all conversations or of one, or of a topic or thread in it.

    Four queries, whatever their number.

    Args:
        place: a topic, a thread by its first message, or by the conversation's own id its general topic.
        limit: at most 100.

    Raises:
        ConversationNotFound: the principal is not in it.
    """
    if conversation_id is not None:
        _require_inside(principal, conversation_id)
    where, values = unread.own_limit(principal)
    if conversation_id is not None:
        where += " AND m.conversation_id = %(conversation)s"
    named: dict[str, Any] = {
        "organization": principal.organization_id, "me": principal.id, "conversation": conversation_id,
        "place": place, "limit": min(limit, MOST), **values,
    }  # fmt: skip
    inside = "true" if place is None else (
        "(x.thread_id = %(place)s OR coalesce(x.topic_id, x.conversation_id) = %(place)s)"
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            _WAITING(wish=unread.WISH, new=unread.NEW, ahead=unread.AHEAD, place=inside, where=where), named
        )
        found = {pk: _reason(*rest) for pk, *rest in cursor.fetchall()}
    rows = {row.pk: row for row in visible_messages(principal).filter(pk__in=found)}
    views = views_for(rows[pk] for pk in found if pk in rows)
    return [Waiting(view, found[view.id]) for view in views]


def _require_inside(principal: Principal, conversation_id: UUID) -> None:
    inside = Membership.objects.filter(
        organization_id=principal.organization_id,
        conversation_id=conversation_id,
        principal_id=principal.id,
        left_at=None,
    )
    if not is_reached(principal, conversation_id) or not inside.exists():
        raise ConversationNotFound


def _reason(is_mention: bool, level: str | None, is_muted: bool) -> Reason:
    if is_mention:
        return "mention"
    if level == "muted":
        return "topic_muted"
    if level == "followed":
        return "followed_topic"
    return "conversation_muted" if is_muted else "unread"
