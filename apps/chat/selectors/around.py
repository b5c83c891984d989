"""What belongs to messages, in one statement for any number: reactions, files, replies, previews and the topic."""

from __future__ import annotations

from collections import defaultdict
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
_AROUND = """
SELECT m.id,
  (SELECT jsonb_agg(jsonb_build_object('emoji', r.emoji, 'principal', r.principal_id) ORDER BY r.created_at, r.id)
    FROM chat_reaction r WHERE r.message_id = m.id),
  (SELECT jsonb_agg(jsonb_build_object('id', f.id, 'name', f.name, 'media_type', f.media_type,
      'size', f.declared_size_bytes) ORDER BY a.position)
    FROM chat_attachment a JOIN files_storedfile f ON f.id = a.file_id WHERE a.message_id = m.id),
  (SELECT jsonb_agg(to_jsonb(t) ORDER BY t.last) FROM (
    SELECT x.sender_id AS sender, count(*) AS count, max(x.sent_at) AS last_at, max(x.sequence) AS last
    FROM chat_message x WHERE x.thread_id = m.id AND x.deleted_at IS NULL GROUP BY x.sender_id) t),
  CASE WHEN m.priority <> '' THEN (SELECT jsonb_agg(a.principal_id ORDER BY a.id)
    FROM chat_acknowledgement a WHERE a.message_id = m.id) END,
  (SELECT jsonb_agg(jsonb_build_object('id', l.id, 'url', l.url, 'title', l.title, 'description', l.description,
      'site', l.site) ORDER BY p.position)
    FROM chat_messagepreview p JOIN chat_linkpreview l ON l.id = p.preview_id
    WHERE p.message_id = m.id AND NOT p.is_hidden AND l.state = 'ready'),
  (SELECT jsonb_build_object('id', o.id, 'name', o.name) FROM chat_topic o WHERE o.id = m.topic_id)
FROM chat_message m WHERE m.organization_id = %s AND m.id = ANY(%s)
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
    """Return what belongs to each of the messages. One query, an index lookup for each part of each."""
    found = dict.fromkeys(ids, NOTHING)
    with connection.cursor() as cursor:
        planned.execute(cursor, _AROUND, [tenancy.current(), ids])
        for pk, reactions, files, repliers, acknowledged, previews, topic in cursor.fetchall():
            found[pk] = Around(
                reactions=_reactions(_rows(reactions)),
                attachments=_attachments(_rows(files)),
                replies=_thread(_rows(repliers)),
                acknowledged=tuple(map(UUID, orjson.loads(acknowledged))) if acknowledged else (),
                previews=tuple(PreviewView(**{**one, "id": UUID(one["id"])}) for one in _rows(previews)),
                topic=_topic(topic),
            )
    return found


def _rows(found: str | None) -> list[Row]:
    rows: list[Row] = orjson.loads(found) if found else []
    return rows


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


def _topic(found: str | None) -> TopicRef | None:
    topic = orjson.loads(found) if found else None
    return TopicRef(UUID(topic["id"]), topic["name"]) if topic else None


def _thread(found: list[Row]) -> ThreadSummary | None:
    """Return the count of a thread and who wrote in it, the latest last; None without a reply."""
    if not found:
        return None
    return ThreadSummary(
        count=sum(row["count"] for row in found),
        last_at=datetime.fromisoformat(found[-1]["last_at"]),
        people=tuple(UUID(row["sender"]) for row in found),
    )
