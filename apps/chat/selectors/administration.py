"""Conversations as those who run an organization see them: names of channels and numbers, never what was said.

Who talks with whom directly is nobody's business: direct and group conversations have no names here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from apps.accounts.selectors.scopes import visible_scope_clause
from apps.accounts.services import access
from apps.accounts.types import Principal
from apps.chat.types import ConversationKind
from apps.core import tenancy
from apps.core.ids import first_of

MESSAGE_CAP = 10_000
_ROWS = """
SELECT c.id, c.kind, CASE WHEN c.kind = 'channel' THEN c.name ELSE '' END AS name,
  CASE WHEN c.kind = 'channel' THEN c.description ELSE '' END AS description, c.is_private, c.archived_at, c.created_at,
  (SELECT s.data_class FROM accounts_scope s WHERE s.organization_id = c.organization_id AND s.id = c.scope_id)
    AS data_class,
  (SELECT count(*) FROM chat_membership m WHERE m.conversation_id = c.id AND m.left_at IS NULL) AS members,
  (SELECT count(*) FROM (SELECT FROM chat_message x WHERE x.conversation_id = c.id LIMIT {cap}) counted) AS messages,
  (SELECT x.sent_at FROM chat_message x WHERE x.conversation_id = c.id ORDER BY x.sequence DESC LIMIT 1)
    AS last_message_at
FROM chat_conversation c WHERE c.organization_id = %(organization)s AND {where}
ORDER BY c.kind, lower(c.name) COLLATE "C", c.id LIMIT %(limit)s OFFSET %(offset)s
""".format  # the caller puts constants in, values travel as parameters
# A key is made moments before its message is sent (of imported history long after), and keys have an index.
# Which day a message belongs to is looked up among the midnights: several times faster than its date in a zone.
_PER_DAY = """
SELECT width_bucket(sent_at, %(midnights)s::timestamptz[]) AS day, count(*) FROM chat_message
WHERE organization_id = %(organization)s AND id >= %(first)s AND sent_at >= %(since)s GROUP BY 1
"""
_CLOCKS = timedelta(hours=1)  # how far the clocks of two machines may be apart
_COUNTS = """
SELECT count(*) FILTER (WHERE kind = 'channel' AND archived_at IS NULL),
  count(*) FILTER (WHERE kind = 'channel' AND archived_at IS NOT NULL), count(*) FILTER (WHERE kind <> 'channel')
FROM chat_conversation WHERE organization_id = %s
"""


@dataclass(frozen=True, kw_only=True)
class ConversationRecord:
    """A conversation in the console's list.

    Attributes:
        name, description: of a channel; empty for direct and group conversations.
        messages: at most `MESSAGE_CAP`; there may be more.
    """

    id: UUID
    kind: ConversationKind
    name: str
    description: str
    is_private: bool
    archived_at: datetime | None
    created_at: datetime
    members: int
    messages: int
    last_message_at: datetime | None
    data_class: str

    @property
    def is_capped(self) -> bool:
        """There are more messages than were counted."""
        return self.messages >= MESSAGE_CAP


@dataclass(frozen=True)
class ConversationCounts:
    """How many conversations an organization has."""

    channels: int
    archived: int
    direct: int


def list_records(
    principal: Principal,
    *,
    query: str = "",
    kind: str = "",
    state: str = "",
    offset: int = 0,
    limit: int = 50,
) -> list[ConversationRecord]:
    """Return a page of conversations: channels by name, then direct and group ones. One query.

    All of the organization's with `conversation.manage_any`, otherwise those the principal sees anyway.

    Args:
        query: part of a channel's name.
        kind: `channel`, `direct` or `group`; empty for all. state: `active` or `archived`; empty for both.
    """
    where, parameters = (
        ["true"],
        {"organization": principal.organization_id, "limit": limit, "offset": offset},
    )
    named: dict[str, Any] = {**parameters}
    if not access.can(principal, "conversation.manage_any"):
        clause = visible_scope_clause(principal, scope="c.scope_id")
        where.append(clause.sql)
        named |= clause.params
    if wanted := query.replace("\x00", "").strip():
        where.append("c.kind = 'channel' AND strpos(lower(c.name), lower(%(query)s)) > 0")
        named["query"] = wanted
    if kind:
        where.append("c.kind = %(kind)s")
        named["kind"] = kind
    if state:
        where.append("c.archived_at IS NOT NULL" if state == "archived" else "c.archived_at IS NULL")
    with connection.cursor() as cursor:
        cursor.execute(_ROWS(cap=MESSAGE_CAP, where=" AND ".join(where)), named)
        names = [column.name for column in cursor.description]
        return [ConversationRecord(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]


def messages_per_day(*, days: int) -> list[tuple[date, int]]:
    """Return how many messages were sent on each of the last days in the reader's zone, oldest first. One query."""
    today = timezone.localdate()
    every = [today - timedelta(days=ago) for ago in reversed(range(days))]
    midnights = [timezone.make_aware(datetime.combine(day, datetime.min.time())) for day in every]
    with connection.cursor() as cursor:
        cursor.execute(
            _PER_DAY,
            {
                "midnights": midnights,
                "organization": tenancy.current(),
                "first": first_of(midnights[0] - _CLOCKS),
                "since": midnights[0],
            },
        )
        counted = dict(cursor.fetchall())
    return [(day, counted.get(place, 0)) for place, day in enumerate(every, start=1)]


def count_conversations() -> ConversationCounts:
    """Return the numbers of the current organization. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, [tenancy.current()])
        return ConversationCounts(*cursor.fetchone())
