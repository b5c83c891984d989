"""The inbox of threads: what one follows, the liveliest first, and what is new in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from apps.accounts.selectors.scopes import visible_scope_clause
from apps.accounts.types import Principal
from apps.chat.models import Message, ThreadFollow
from apps.chat.selectors.messages import views_for
from apps.chat.types import MessageView
from apps.notify.selectors import levels
from apps.notify.selectors.preferences import get_preferences
from apps.notify.types import ALL, MENTIONS

MOST = 50
# The visible replies of each followed thread are an index look-up; a thread without one is no entry.
_FOLLOWED = """
SELECT f.thread_id, f.read_sequence, last.sequence, last.sent_at,
  (SELECT count(*) FROM chat_message x WHERE x.thread_id = f.thread_id AND x.sequence > f.read_sequence
    AND x.deleted_at IS NULL AND NOT x.is_history AND x.sender_id <> f.principal_id)
FROM chat_threadfollow f
JOIN chat_message m ON m.organization_id = f.organization_id AND m.id = f.thread_id
JOIN LATERAL (SELECT x.sequence, x.sent_at FROM chat_message x WHERE x.thread_id = f.thread_id
  AND x.deleted_at IS NULL ORDER BY x.sequence DESC LIMIT 1) last ON true
WHERE f.organization_id = %(organization)s AND f.principal_id = %(me)s AND f.is_followed AND {visible}
  AND (%(before)s::timestamptz IS NULL OR last.sent_at < %(before)s)
  AND (NOT %(unread)s OR EXISTS (SELECT 1 FROM chat_message x WHERE x.thread_id = f.thread_id
    AND x.sequence > f.read_sequence AND x.deleted_at IS NULL AND NOT x.is_history
    AND x.sender_id <> f.principal_id))
ORDER BY last.sent_at DESC, f.thread_id LIMIT %(limit)s
""".format


class _Entry(NamedTuple):
    thread: UUID
    read_sequence: int
    last_sequence: int
    last_at: datetime
    unread: int


@dataclass(frozen=True, kw_only=True)
class ThreadView:
    """A followed thread: its first message, its newest reply, and how many replies of others are new."""

    root: MessageView
    last: MessageView
    unread: int
    read_sequence: int


def inbox(
    principal: Principal, *, only_unread: bool = False, before: datetime | None = None, limit: int = MOST
) -> list[ThreadView]:
    """Return the followed threads with replies, that with the newest reply first.

    Args:
        before: only threads whose newest reply is older.

    Cost: four queries for any number of threads.
    """
    visible = visible_scope_clause(principal, scope="m.scope_id", time="m.sent_at")
    named = {
        "organization": principal.organization_id, "me": principal.id, "before": before, "unread": only_unread,
        "limit": limit,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_FOLLOWED(visible=visible.sql), {**visible.params, **named})
        entries = [_Entry(*row) for row in cursor.fetchall()]
    newest = Message.objects.filter(
        thread_id__in=[entry.thread for entry in entries],
        sequence__in=[entry.last_sequence for entry in entries],
    )
    roots = Message.objects.filter(pk__in=[entry.thread for entry in entries])
    views = {view.id: view for view in views_for([*roots, *newest])}
    last = {(view.thread, view.sequence): view for view in views.values() if view.thread}
    return [
        ThreadView(
            root=views[entry.thread],
            last=last[entry.thread, entry.last_sequence],
            unread=entry.unread,
            read_sequence=entry.read_sequence,
        )
        for entry in entries
    ]


def is_followed(principal: Principal, thread_id: UUID) -> bool:
    """Return whether the principal follows a thread."""
    return ThreadFollow.objects.filter(
        thread_id=thread_id, principal_id=principal.id, is_followed=True
    ).exists()


def standing_level(principal: Principal, thread_id: UUID) -> str:
    """Return what the principal hears of a thread it set no level for. At most six queries."""
    root = Message.objects.select_related("conversation").get(pk=thread_id)
    around = levels.level_of(principal, f"conversation:{root.conversation_id}")
    around = around or get_preferences(principal).level
    if around == MENTIONS and (root.conversation.kind != "channel" or is_followed(principal, thread_id)):
        return ALL
    return around


def followers(*, organization_id: UUID, thread_id: UUID) -> list[UUID]:
    """Return who follows a thread, and whose message it is unless that person left it. One query.

    For those who tell others of a reply: the caller checks whether each still sees it.
    """
    rows = ThreadFollow.objects.filter(organization_id=organization_id, thread_id=thread_id)
    stands = dict(rows.values_list("principal_id", "is_followed"))
    author = (
        Message.objects.filter(organization_id=organization_id, pk=thread_id)
        .values_list("sender_id", flat=True)
        .first()
    )
    if author is not None:
        stands.setdefault(author, True)
    return [principal_id for principal_id, follows in stands.items() if follows]
