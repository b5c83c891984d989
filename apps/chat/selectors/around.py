"""What belongs to messages, in one statement for any number: reactions, files, replies, previews and the topic."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from apps.chat.types import AttachmentView, PreviewView, ReactionView, ThreadSummary, TopicRef
from apps.core import tenancy
from apps.core.database import planned

Row = dict[str, Any]  # a JSON object of the database
# A scan of an index for each part; only messages that have the part come back.
_AROUND = """
SELECT r.message_id, 'reactions', jsonb_agg(jsonb_build_object('emoji', r.emoji, 'principal', r.principal_id)
    ORDER BY r.created_at, r.id)
  FROM chat_reaction r WHERE r.organization_id = %(organization)s AND r.message_id = ANY(%(ids)s) GROUP BY r.message_id
UNION ALL
SELECT a.message_id, 'attachments', jsonb_agg(jsonb_build_object('id', f.id, 'name', f.name,
    'media_type', f.media_type, 'size', f.declared_size_bytes) ORDER BY a.position)
  FROM chat_attachment a JOIN files_storedfile f ON f.organization_id = a.organization_id AND f.id = a.file_id
  WHERE a.organization_id = %(organization)s AND a.message_id = ANY(%(ids)s) GROUP BY a.message_id
UNION ALL
SELECT t.thread_id, 'replies', jsonb_agg(jsonb_build_object('sender', t.sender_id, 'count', t.count,
    'last_at', t.last_at) ORDER BY t.last)
  FROM (
    SELECT x.thread_id, x.sender_id, count(*) AS count, max(x.sent_at) AS last_at, max(x.sequence) AS last
    FROM chat_message x
    WHERE x.organization_id = %(organization)s AND x.thread_id = ANY(%(ids)s) AND x.deleted_at IS NULL
    GROUP BY x.thread_id, x.sender_id) t
  GROUP BY t.thread_id
UNION ALL
SELECT a.message_id, 'acknowledged', jsonb_agg(a.principal_id ORDER BY a.id)
  FROM chat_acknowledgement a WHERE a.organization_id = %(organization)s AND a.message_id = ANY(%(ids)s)
  GROUP BY a.message_id
UNION ALL
SELECT p.message_id, 'previews', jsonb_agg(jsonb_build_object('id', l.id, 'url', l.url, 'title', l.title,
    'description', l.description, 'site', l.site) ORDER BY p.position)
  FROM chat_messagepreview p JOIN chat_linkpreview l ON l.organization_id = p.organization_id AND l.id = p.preview_id
  WHERE p.organization_id = %(organization)s AND p.message_id = ANY(%(ids)s) AND NOT p.is_hidden AND l.state = 'ready'
  GROUP BY p.message_id
UNION ALL
SELECT m.id, 'topic', jsonb_build_array(jsonb_build_object('id', o.id, 'name', o.name))
  FROM chat_message m JOIN chat_topic o ON o.organization_id = m.organization_id AND o.id = m.topic_id
  WHERE m.organization_id = %(organization)s AND m.id = ANY(%(ids)s)
"""


@dataclass(frozen=True)
class Around:
    """What belongs to a message."""

    reactions: tuple[ReactionView, ...] = ()
    attachments: tuple[AttachmentView, ...] = ()
    replies: ThreadSummary | None = None
    acknowledged: tuple[UUID, ...] = ()
    previews: tuple[PreviewView, ...] = ()
    topic: TopicRef | None = None


NOTHING = Around()


def around_of(ids: list[UUID]) -> dict[UUID, Around]:
    """Return what belongs to each of the messages. One query."""
    parts: dict[UUID, dict[str, Any]] = {}
    with connection.cursor() as cursor:
        planned.execute(cursor, _AROUND, {"organization": tenancy.current(), "ids": ids})
        for pk, part, rows in cursor.fetchall():
            parts.setdefault(pk, {})[part] = _READ[part](orjson.loads(rows))
    return {pk: Around(**parts[pk]) if pk in parts else NOTHING for pk in ids}


def _reactions(found: list[Row]) -> tuple[ReactionView, ...]:
    """Return reactions by emoji, in the order of the first of each."""
    grouped: dict[str, list[UUID]] = defaultdict(list)
    for row in found:
        grouped[row["emoji"]].append(UUID(row["principal"]))
    return tuple(ReactionView(emoji, tuple(principals)) for emoji, principals in grouped.items())


def _attachments(found: list[Row]) -> tuple[AttachmentView, ...]:
    return tuple(
        AttachmentView(UUID(row["id"]), row["name"], row["media_type"], row["size"]) for row in found
    )


def _previews(found: list[Row]) -> tuple[PreviewView, ...]:
    return tuple(PreviewView(**{**one, "id": UUID(one["id"])}) for one in found)


def _topic(found: list[Row]) -> TopicRef:
    return TopicRef(UUID(found[0]["id"]), found[0]["name"])


def _thread(found: list[Row]) -> ThreadSummary:
    """Return the count of a thread and who wrote in it, the latest last."""
    return ThreadSummary(
        count=sum(row["count"] for row in found),
        last_at=datetime.fromisoformat(found[-1]["last_at"]),
        people=tuple(UUID(row["sender"]) for row in found),
    )


def _people(found: list[str]) -> tuple[UUID, ...]:
    return tuple(map(UUID, found))


_READ: dict[str, Callable[[Any], Any]] = {  # what the statement calls them, as JSON
    "reactions": _reactions,
    "attachments": _attachments,
    "replies": _thread,
    "acknowledged": _people,
    "previews": _previews,
    "topic": _topic,
}
