"""Topics of a channel as one principal sees them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Value
from django.db.models.functions import Lower

from apps.accounts.types import Principal
from apps.chat.errors import ConversationNotFound, TopicNotFound
from apps.chat.models import Topic
from apps.chat.selectors import unread
from apps.chat.selectors.conversations import visible_conversations
from apps.chat.types import TopicView
from apps.core import tenancy
from apps.core.database import planned

_LIST = """
WITH {marks}
SELECT t.id, t.name, t.resolved_at, t.created_by_id, coalesce(w.level, 'default') AS level, {messages} AS messages,
  newest.sent_at AS last_at, {waiting} AS waiting
FROM chat_topic t
LEFT JOIN chat_topicpreference w ON w.organization_id = t.organization_id AND w.principal_id = %(me)s
  AND w.topic_id = t.id
LEFT JOIN LATERAL (SELECT x.sent_at, x.sequence FROM chat_message x WHERE {said}
  ORDER BY x.sequence DESC LIMIT 1) newest ON true
WHERE t.organization_id = %(organization)s AND t.conversation_id = %(conversation)s {where}
ORDER BY (t.resolved_at IS NOT NULL), newest.sequence DESC NULLS LAST, t.id LIMIT %(limit)s
""".format
_SAID = """x.organization_id = t.organization_id AND x.topic_id = t.id AND x.thread_id IS NULL
  AND x.deleted_at IS NULL"""
_COUNTED = f"(SELECT count(*) FROM chat_message x WHERE {_SAID})"  # noqa: S608 - constants of this module
_LEVELS = """
SELECT conversation_id, topic_id, level FROM chat_topicpreference
WHERE organization_id = %s AND principal_id = %s ORDER BY topic_id
"""
MOST = 500


@dataclass(frozen=True)
class Levels:
    """Topics of one conversation that a principal muted, and those it follows."""

    muted: tuple[UUID, ...] = ()
    followed: tuple[UUID, ...] = ()


def list_topics(principal: Principal, conversation_id: UUID, *, limit: int = MOST) -> list[TopicView]:
    """Return the topics of a visible channel: open ones first, then by their newest message. Two queries.

    Raises:
        ConversationNotFound.
    """
    _require_visible(principal, conversation_id)
    return _load(principal, conversation_id, limit=limit)


def topics_of(principal: Principal, conversation_id: UUID, *, limit: int = MOST) -> list[TopicView]:
    """Return `list_topics` without the numbers of messages, for who has found the channel visible. One query."""
    return _load(principal, conversation_id, limit=limit, messages="NULL")


def get_topic(principal: Principal, topic_id: UUID) -> TopicView:
    """Return one topic of a visible channel. Three queries.

    Raises:
        TopicNotFound: missing, or its channel is not visible.
    """
    row = Topic.objects.filter(organization_id=principal.organization_id, pk=topic_id)
    conversation_id = row.values_list("conversation_id", flat=True).first()
    if conversation_id is None:
        raise TopicNotFound
    try:
        _require_visible(principal, conversation_id)
    except ConversationNotFound as error:
        raise TopicNotFound from error
    return _load(principal, conversation_id, topic=topic_id, limit=1)[0]


def resolved_among(topic_ids: Collection[UUID]) -> set[UUID]:
    """Return those topics that are resolved; for callers that decided about rights. One query, none for none."""
    if not topic_ids:
        return set()
    rows = Topic.objects.filter(organization_id=tenancy.current(), pk__in=topic_ids)
    return set(rows.exclude(resolved_at=None).values_list("pk", flat=True))


def has_topics(conversation_id: UUID) -> bool:
    """Return whether a conversation has any topic beside its general one. One query."""
    return Topic.objects.filter(organization_id=tenancy.current(), conversation_id=conversation_id).exists()


def levels_of(principal: Principal) -> dict[UUID, Levels]:
    """Return what the principal wants of topics, by conversation. One query."""
    found: dict[UUID, tuple[list[UUID], list[UUID]]] = defaultdict(lambda: ([], []))
    with connection.cursor() as cursor:
        planned.execute(cursor, _LEVELS, [principal.organization_id, principal.id])
        for conversation_id, topic_id, level in cursor.fetchall():
            found[conversation_id][level != "muted"].append(topic_id)
    return {pk: Levels(tuple(muted), tuple(followed)) for pk, (muted, followed) in found.items()}


def find_by_name(conversation_id: UUID, name: str) -> Topic | None:
    """Return the topic of a channel with this name, letter case aside; for callers that decided about rights."""
    rows = Topic.objects.filter(conversation_id=conversation_id).annotate(lower_name=Lower("name"))
    return rows.filter(lower_name=Lower(Value(name))).first()


def find_visible(principal: Principal, prefix: str, *, limit: int) -> list[tuple[UUID, str, str]]:
    """Return topics whose name begins so, of visible channels: id, name, channel; by name. One query."""
    rows = Topic.objects.filter(
        organization_id=principal.organization_id,
        conversation__in=visible_conversations(principal),
        name__istartswith=prefix,
    )
    return list(rows.order_by("name", "pk").values_list("pk", "name", "conversation__name")[:limit])


def _require_visible(principal: Principal, conversation_id: UUID) -> None:
    if not visible_conversations(principal).filter(pk=conversation_id).exists():
        raise ConversationNotFound


def _load(
    principal: Principal,
    conversation_id: UUID,
    *,
    topic: UUID | None = None,
    limit: int,
    messages: str = _COUNTED,
) -> list[TopicView]:
    named: dict[str, Any] = {
        "organization": principal.organization_id, "me": principal.id, "conversation": conversation_id,
        "topic": topic, "limit": limit,
    }  # fmt: skip
    with connection.cursor() as cursor:
        planned.execute(
            cursor,
            _LIST(
                marks=unread.MARKS,
                waiting=unread.IN_TOPIC,
                messages=messages,
                said=_SAID,
                where="" if topic is None else "AND t.id = %(topic)s",
            ),
            named,
        )
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return [_view(conversation_id, row) for row in rows]


def _view(conversation_id: UUID, row: dict[str, Any]) -> TopicView:
    waiting, mentions = row["waiting"]
    return TopicView(
        id=row["id"],
        conversation=conversation_id,
        name=row["name"],
        resolved_at=row["resolved_at"],
        level=row["level"],
        unread=waiting,
        mentions=mentions,
        messages=row["messages"],
        last_message_at=row["last_at"],
        created_by=row["created_by_id"],
    )
