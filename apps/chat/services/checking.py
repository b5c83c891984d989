"""The self-check of the read state: counts are made again, one message at a time, and compared with what people see."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from prometheus_client import Gauge

from apps.chat.models import Membership
from apps.chat.selectors import unread

drift = Gauge(
    "chatsystem_unread_drift",
    "Wrong unread counts and broken rows at the last self-check",
    ["organization", "kind"],
)
AT_ONCE = 200  # memberships compared in one run
# The definition, written once more and without the shortcuts of `selectors.unread`.
_RECOUNT = """
SELECT c.id,
  count(x.id) FILTER (WHERE w.level IS DISTINCT FROM 'muted'),
  count(x.id) FILTER (WHERE w.level = 'followed' OR (w.level IS NULL AND NOT m.is_muted)),
  count(x.id) FILTER (WHERE EXISTS (SELECT FROM chat_mention y WHERE y.organization_id = x.organization_id
    AND y.message_id = x.id AND y.principal_id = m.principal_id))
FROM chat_membership m
JOIN chat_conversation c ON c.organization_id = m.organization_id AND c.id = m.conversation_id
LEFT JOIN chat_message x ON x.organization_id = m.organization_id AND x.conversation_id = m.conversation_id
  AND x.sender_id <> m.principal_id AND x.deleted_at IS NULL AND NOT x.is_history AND x.sequence > greatest(
    m.last_read_sequence,
    (SELECT max(r.sequence) FROM chat_readmark r WHERE r.organization_id = m.organization_id
      AND r.principal_id = m.principal_id AND r.conversation_id = m.conversation_id
      AND r.place IN (coalesce(x.topic_id, x.conversation_id), x.thread_id)))
LEFT JOIN chat_topicpreference w ON w.organization_id = m.organization_id AND w.principal_id = m.principal_id
  AND w.topic_id = x.topic_id
WHERE m.organization_id = %(organization)s AND m.principal_id = %(me)s AND m.left_at IS NULL
  AND c.archived_at IS NULL AND (%(only)s::uuid[] IS NULL OR c.id = ANY (%(only)s::uuid[]))
GROUP BY c.id
"""
# Rows that cannot be, each with what is wrong with it.
_BROKEN = {
    "marker_ahead": """SELECT count(*) FROM chat_membership m JOIN core_stream s
  ON s.organization_id = m.organization_id AND s.id = m.conversation_id
  WHERE m.organization_id = %(organization)s AND m.left_at IS NULL AND m.last_read_sequence > s.last_sequence""",
    "mark_behind": """SELECT count(*) FROM chat_readmark r JOIN chat_membership m
  ON m.organization_id = r.organization_id AND m.principal_id = r.principal_id
  AND m.conversation_id = r.conversation_id AND m.left_at IS NULL
  WHERE r.organization_id = %(organization)s AND r.sequence <= m.last_read_sequence""",
    "mention_misplaced": """SELECT count(*) FROM chat_mention y JOIN chat_message x ON x.id = y.message_id
  WHERE y.organization_id = %(organization)s AND (y.sequence <> x.sequence
    OR y.conversation_id <> x.conversation_id OR x.deleted_at IS NOT NULL)""",
    "reply_misplaced": """SELECT count(*) FROM chat_message x JOIN chat_message r ON r.id = x.thread_id
  WHERE x.organization_id = %(organization)s AND x.thread_id IS NOT NULL
    AND (r.conversation_id <> x.conversation_id OR r.topic_id IS DISTINCT FROM x.topic_id)""",
}
Count = tuple[int, int, int]


@dataclass(frozen=True)
class Checked:
    """What a self-check of one organization found: how many memberships, and what was wrong by kind."""

    memberships: int
    wrong: dict[str, int]


def recount(
    *, organization_id: UUID, principal_id: UUID, only: Collection[UUID] | None = None
) -> dict[UUID, Count]:
    """Return (unread, counted, mentions) of a member's open conversations, or of some. One query."""
    named = {
        "organization": organization_id, "me": principal_id, "only": None if only is None else list(only),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_RECOUNT, named)
        return {
            conversation: (unread, counted, mentions) for conversation, unread, counted, mentions in cursor
        }


def check_read_state(*, organization_id: UUID, most: int = AT_ONCE) -> Checked:
    """Compare the counts of some members with a recount, look for rows that cannot be, and set the metric.

    The caller has opened the organization.

    Args:
        most: memberships that are compared, chosen by chance, so that many runs go through all.
    """
    wrong: Counter[str] = Counter()
    open_ones = Membership.objects.filter(organization_id=organization_id, left_at=None)
    chosen: dict[UUID, list[UUID]] = defaultdict(list)
    for who, conversation_id in open_ones.order_by("?").values_list("principal_id", "conversation_id")[:most]:
        chosen[who].append(conversation_id)
    for who, conversations in chosen.items():
        exact = recount(organization_id=organization_id, principal_id=who, only=conversations)
        wrong["count"] += sum(_differs(organization_id, who, pk, counts) for pk, counts in exact.items())
    with connection.cursor() as cursor:
        for kind, statement in _BROKEN.items():
            cursor.execute(statement, {"organization": organization_id})
            wrong[kind] = cursor.fetchone()[0]
    for kind in ("count", *_BROKEN):
        drift.labels(str(organization_id), kind).set(wrong[kind])
    return Checked(sum(map(len, chosen.values())), {kind: number for kind, number in wrong.items() if number})


def _differs(organization_id: UUID, principal_id: UUID, conversation_id: UUID, exact: Count) -> bool:
    shown = unread.counts_in(
        organization_id=organization_id, principal_id=principal_id, conversation_id=conversation_id
    )
    if shown is None:
        return False  # left meanwhile
    capped = tuple(min(number, unread.CAP) for number in exact[:2])
    return (shown.unread, shown.counted, shown.mentions) != (*capped, exact[2])
