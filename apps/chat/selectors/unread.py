"""What counts as unread, as SQL that the list, the totals and the explanation share.

A message is unread for a member when somebody else wrote it after the member's marker in the conversation, it is not
deleted, it was not imported, and no mark of its topic or its thread has passed it. Muted topics do not count, nor do
muted conversations in totals, except for topics the member follows there. A mention counts wherever it is.

Most members have no marks and no wishes about topics in most conversations, so these are looked at only where there
are some (`kept`). What was counted before and is so still need not be counted again (`known`, see `kept_counts`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from apps.accounts.selectors.scopes import visible_scope_clause
from apps.accounts.types import Principal
from apps.chat.selectors import kept_counts
from apps.core.database import planned

NO_LIMIT: tuple[str, dict[str, Any]] = ("true", {})
CAP = 1000  # of one conversation; there may be more
# Conversations where the member keeps marks or wishes about topics, and what waited in some when they were counted.
WITH = """
WITH kept AS MATERIALIZED (
  SELECT p.conversation_id FROM chat_topicpreference p
  WHERE p.organization_id = %(organization)s AND p.principal_id = %(me)s
  UNION SELECT r.conversation_id FROM chat_readmark r
  WHERE r.organization_id = %(organization)s AND r.principal_id = %(me)s
), known AS MATERIALIZED (
  SELECT * FROM unnest(%(known)s::uuid[], %(known_markers)s::bigint[], %(known_heads)s::bigint[],
    %(known_unread)s::bigint[]) k (conversation_id, marker, head, unread)
)
"""
KNOWN = """known k ON k.conversation_id = m.conversation_id AND k.marker = m.last_read_sequence
  AND k.head = s.last_sequence"""
# Of a message `x` and a membership `m`.
NEW = """x.organization_id = %(organization)s AND x.conversation_id = m.conversation_id
  AND x.sequence > m.last_read_sequence AND x.sender_id <> %(me)s AND x.deleted_at IS NULL
  AND NOT x.is_history"""
AHEAD = """EXISTS (SELECT FROM chat_readmark r WHERE r.organization_id = %(organization)s AND r.principal_id = %(me)s
  AND r.conversation_id = x.conversation_id AND r.sequence >= x.sequence
  AND (r.place = coalesce(x.topic_id, x.conversation_id) OR r.place = x.thread_id))"""
WISH = """chat_topicpreference w ON w.organization_id = %(organization)s AND w.principal_id = %(me)s
  AND w.topic_id = x.topic_id"""
_KEEPS = "EXISTS (SELECT FROM kept WHERE kept.conversation_id = m.conversation_id)"
# An array of a membership `m` with what is known of it, `k`: unread, of them in followed topics, mentions, and what is
# unread where that may be known the next time; 0 without a membership. It is a value and no join, since a planner that
# expects one row counted for each pair of a membership and a conversation; without the offset it would count twice.
COUNTS = f"""
(SELECT ARRAY[plain.unread + special.unread, special.followed, named.mentions,
    CASE WHEN {_KEEPS} THEN NULL ELSE plain.unread END]
  FROM (SELECT CASE WHEN k.unread IS NOT NULL AND NOT {_KEEPS} THEN k.unread ELSE (SELECT count(*) FROM (
      SELECT FROM chat_message x WHERE NOT {_KEEPS} AND {NEW} LIMIT {CAP}) a) END AS unread OFFSET 0) plain,
    (SELECT count(*) AS unread, count(*) FILTER (WHERE b.level = 'followed') AS followed FROM (
      SELECT w.level FROM chat_message x LEFT JOIN {WISH}
      WHERE {_KEEPS} AND {NEW} AND NOT {AHEAD} AND w.level IS DISTINCT FROM 'muted' LIMIT {CAP}) b) special,
    (SELECT count(*) AS mentions FROM chat_mention y WHERE y.organization_id = %(organization)s
      AND y.principal_id = %(me)s AND y.conversation_id = m.conversation_id AND y.sequence > m.last_read_sequence
      AND (NOT {_KEEPS} OR EXISTS (SELECT FROM chat_message x WHERE x.id = y.message_id AND NOT {AHEAD}))) named)
"""  # noqa: S608 - constants of this module
_IN = """
SELECT q.last_read_sequence, q.last_sequence, q.counts[1], q.counts[CASE WHEN q.is_muted THEN 2 ELSE 1 END], q.counts[3]
FROM (SELECT m.last_read_sequence, coalesce(s.last_sequence, 0) AS last_sequence, m.is_muted, {counts} AS counts
  FROM chat_membership m LEFT JOIN core_stream s ON s.organization_id = m.organization_id AND s.id = m.conversation_id
    LEFT JOIN {known}
  WHERE m.organization_id = %(organization)s AND m.principal_id = %(me)s AND m.left_at IS NULL
    AND m.conversation_id = %(conversation)s OFFSET 0) q
""".format
# And what may be known the next time and is not yet.
_TOTALS = """
SELECT coalesce(sum(q.counts[CASE WHEN q.is_muted THEN 2 ELSE 1 END]), 0), coalesce(sum(q.counts[3]), 0),
  array_agg(q.conversation_id) FILTER (WHERE q.is_new), array_agg(q.last_read_sequence) FILTER (WHERE q.is_new),
  array_agg(q.last_sequence) FILTER (WHERE q.is_new), array_agg(q.counts[4]) FILTER (WHERE q.is_new)
FROM (SELECT r.*, NOT r.is_known AND coalesce(r.counts[4] >= %(known_least)s, false) AS is_new
  FROM (SELECT m.conversation_id, m.last_read_sequence, s.last_sequence, m.is_muted, k.unread IS NOT NULL AS is_known,
      CASE WHEN s.last_sequence > m.last_read_sequence THEN {counts} ELSE '{{0,0,0,0}}' END AS counts
    FROM chat_membership m
    JOIN chat_conversation c ON c.organization_id = m.organization_id AND c.id = m.conversation_id
      AND c.archived_at IS NULL
    LEFT JOIN core_stream s ON s.organization_id = m.organization_id AND s.id = m.conversation_id
    LEFT JOIN {known}
    WHERE m.organization_id = %(organization)s AND m.principal_id = %(me)s AND m.left_at IS NULL AND {where}
    OFFSET 0) r OFFSET 0) q
""".format
# The marks of one conversation, read once: a probe for each of thousands of messages would cost more than the rest.
MARKS = """marks AS MATERIALIZED (
  SELECT r.place, r.sequence FROM chat_readmark r WHERE r.organization_id = %(organization)s
    AND r.principal_id = %(me)s AND r.conversation_id = %(conversation)s
)"""
_PASSED = """EXISTS (SELECT FROM marks r WHERE r.sequence >= x.sequence
  AND (r.place = coalesce(x.topic_id, x.conversation_id) OR r.place = x.thread_id))"""
_SEAT = """m.organization_id = %(organization)s AND m.principal_id = %(me)s AND m.left_at IS NULL
  AND m.conversation_id = %(conversation)s"""
_NAMED = """chat_mention y ON y.organization_id = %(organization)s AND y.principal_id = %(me)s
  AND y.conversation_id = %(conversation)s AND y.message_id = w.id"""
# An array of a topic `t` after `MARKS`: unread in it, muted or not, and mentions.
IN_TOPIC = f"""
(SELECT ARRAY[count(*), count(y.id)] FROM (
    SELECT x.id FROM chat_membership m JOIN chat_message x ON {NEW} AND x.topic_id = t.id
    WHERE {_SEAT} AND NOT {_PASSED} LIMIT {CAP}) w LEFT JOIN {_NAMED})
"""  # noqa: S608 - constants of this module
_PLACES = f"""
WITH {MARKS}, waiting AS (
  SELECT {{place}} AS place, x.id FROM chat_membership m JOIN chat_message x ON {NEW}
  WHERE {_SEAT} AND {{place}} IS NOT NULL AND NOT {_PASSED}
)
SELECT w.place, count(*), count(y.id) FROM waiting w LEFT JOIN {_NAMED}
GROUP BY 1
""".format  # noqa: S608 - constants of this module


@dataclass(frozen=True)
class Counts:
    """What waits in one conversation.

    Attributes:
        last_read_sequence: the marker. up_to: the head; both and the counts are of one moment.
        counted: what totals count of `unread`.
    """

    last_read_sequence: int
    up_to: int
    unread: int
    counted: int
    mentions: int


@dataclass(frozen=True)
class Totals:
    """What waits in all conversations that are not archived."""

    unread: int
    mentions: int


@dataclass(frozen=True)
class PlaceCounts:
    """What waits in a topic or a thread, muted or not."""

    place: UUID
    unread: int
    mentions: int


def counts_in(*, organization_id: UUID, principal_id: UUID, conversation_id: UUID) -> Counts | None:
    """Return what waits for a member in a conversation; None for who is no member. One query."""
    named = {
        "organization": organization_id, "me": principal_id, "conversation": conversation_id,
        **kept_counts.known_to(principal_id, only=conversation_id),
    }  # fmt: skip
    with connection.cursor() as cursor:
        planned.execute(cursor, WITH + _IN(counts=COUNTS, known=KNOWN), named)
        row = cursor.fetchone()
    return Counts(*row) if row else None


def totals(principal: Principal) -> Totals:
    """Return what waits in all of the principal's conversations, each counted up to `CAP`. One query."""
    with connection.cursor() as cursor:
        planned.execute(cursor, *totals_statement(principal))
        unread, mentions, *fresh = cursor.fetchone()
    kept_counts.keep(principal.id, zip(*(column or () for column in fresh), strict=True))
    return Totals(int(unread), int(mentions))


def totals_statement(principal: Principal) -> tuple[str, dict[str, Any]]:
    """Return the statement of `totals` and its parameters."""
    limit, values = own_limit(principal)
    named = {
        "organization": principal.organization_id, "me": principal.id, **kept_counts.known_to(principal.id), **values,
    }  # fmt: skip
    return WITH + _TOTALS(counts=COUNTS, known=KNOWN, where=limit), named


def topics_in(principal: Principal, conversation_id: UUID) -> dict[UUID, PlaceCounts]:
    """Return what waits in each topic of a conversation with something; its own id is the general topic. One query."""
    return _places(principal, conversation_id, "coalesce(x.topic_id, x.conversation_id)")


def threads_in(principal: Principal, conversation_id: UUID) -> dict[UUID, PlaceCounts]:
    """Return what waits in each thread of a conversation with something, by the thread's first message. One query."""
    return _places(principal, conversation_id, "x.thread_id")


def _places(principal: Principal, conversation_id: UUID, place: str) -> dict[UUID, PlaceCounts]:
    named = {"organization": principal.organization_id, "me": principal.id, "conversation": conversation_id}
    with connection.cursor() as cursor:
        planned.execute(cursor, _PLACES(place=place), named)
        return {pk: PlaceCounts(pk, unread, mentions) for pk, unread, mentions in cursor.fetchall()}


def own_limit(principal: Principal) -> tuple[str, dict[str, Any]]:
    """Return what narrows the principal's own conversations further, as SQL over `c`; nothing for most."""
    if principal.data_classes is not None or principal.viewed_by:
        clause = visible_scope_clause(principal, scope="c.scope_id")
        return clause.sql, clause.params
    if principal.conversations is not None:
        return "c.id = ANY(%(bound)s)", {"bound": sorted(principal.conversations)}
    return NO_LIMIT
