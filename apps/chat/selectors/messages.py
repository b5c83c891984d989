"""Pages of messages, threads and single messages, as their readers may see them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject

from apps.accounts.selectors import people as people_selectors
from apps.accounts.selectors.scopes import visible_content
from apps.accounts.types import Principal
from apps.chat.errors import ConversationNotFound, MessageNotFound
from apps.chat.models import Attachment, Membership, Mention, Message, MessageRevision, Reaction
from apps.chat.selectors.conversations import ref, visible_conversations
from apps.chat.types import (
    AttachmentView,
    Card,
    MessagePage,
    MessageView,
    PersonRef,
    ReactionView,
    ThreadSummary,
)
from apps.core.models import Stream

Row = dict[str, Any]  # a JSON object of the database
Anchor = UUID | datetime | Literal["first_unread", "newest", "oldest"]
MOST = 200
_OLDEST, _NEWEST = 0, 1 << 62  # no message has the number of either end


@dataclass(frozen=True)
class _Around:
    """What belongs to a message, as the database writes it."""

    reactions: list[Row]
    files: list[Row]
    repliers: list[Row]


def visible_messages(principal: Principal) -> QuerySet[Message]:
    """Messages the principal may read now: a seat in the scope, and sent after `visible_from` if the seat has one."""
    return Message.objects.filter(
        visible_content(principal, scope="scope_id", time="sent_at"),
        organization_id=principal.organization_id,
    )


def message_page(
    *,
    principal: Principal,
    conversation_id: UUID,
    anchor: Anchor = "first_unread",
    before: int = 30,
    after: int = 30,
    thread: UUID | None = None,
) -> MessagePage:
    """Return messages around an anchor, oldest first; replies are left out unless `thread` names theirs.

    Args:
        anchor: a message, a time, or a named place; the anchor itself is in the page.
        before, after: how many on each side, together at most 200.

    Raises:
        ConversationNotFound, MessageNotFound: the anchor or the thread is not in this conversation.

    Cost, whatever the number of messages: 4 queries with nothing unread, at most 7.
    """
    marker, head = _standing(principal, conversation_id)
    before, after = max(0, min(before, MOST)), max(0, min(after, MOST))
    rows = visible_messages(principal).filter(conversation_id=conversation_id)
    rows = rows.filter(thread_id=thread) if thread else rows.filter(thread_id=None)
    has_news = thread is None and marker is not None and marker < head
    first_unread = _first_unread(rows, principal, marker) if has_news else None
    pivot = _pivot(rows, anchor, first_unread)
    older, newer = [], []  # of the two ends only one side has anything
    if pivot > _OLDEST:
        older = list(rows.filter(sequence__lt=pivot).order_by("-sequence")[: before + 1])
    if pivot < _NEWEST:
        newer = list(rows.filter(sequence__gte=pivot).order_by("sequence")[: after + 1])
    window = [*reversed(older[:before]), *newer[:after]]
    return MessagePage(
        messages=tuple(_views(window)),
        anchor=anchor if isinstance(anchor, UUID) else None,
        found_oldest=len(older) <= before,
        found_newest=len(newer) <= after,
        first_unread=first_unread.pk if first_unread else None,
        last_sequence=head,
    )


def thread_page(
    *, principal: Principal, message_id: UUID, limit: int = MOST
) -> tuple[MessageView, list[MessageView]]:
    """Return a message and the newest replies to it, oldest first.

    Raises:
        MessageNotFound.
    """
    root = visible_messages(principal).filter(pk=message_id, thread_id=None).first()
    if root is None:
        raise MessageNotFound
    replies = visible_messages(principal).filter(thread_id=message_id).order_by("-sequence")[:limit]
    views = _views([root, *reversed(replies)])
    return views[0], views[1:]


def get_message(principal: Principal, message_id: UUID) -> MessageView:
    """Return one visible message.

    Raises:
        MessageNotFound.
    """
    return get_messages(principal, [message_id])[0]


def get_messages(principal: Principal, message_ids: list[UUID]) -> list[MessageView]:
    """Return visible messages in the asked order.

    Raises:
        MessageNotFound: one of them is missing or not visible.
    """
    found = {row.pk: row for row in visible_messages(principal).filter(pk__in=message_ids)}
    if any(pk not in found for pk in message_ids):
        raise MessageNotFound
    return _views([found[pk] for pk in message_ids])


def revisions(principal: Principal, message_id: UUID) -> list[tuple[int, str, datetime]]:
    """Return (version, body, replaced at) of a visible message's older texts, newest first.

    Raises:
        MessageNotFound.
    """
    if not visible_messages(principal).filter(pk=message_id, deleted_at=None).exists():
        raise MessageNotFound
    rows = MessageRevision.objects.filter(message_id=message_id).order_by("-version")
    return list(rows.values_list("version", "body", "created_at"))


def mentions_of(principal: Principal, *, limit: int = 50) -> list[MessageView]:
    """Return the newest messages that mention the principal and are visible to it."""
    ids = list(
        Mention.objects.filter(organization_id=principal.organization_id, principal_id=principal.id)
        .order_by("-id")
        .values_list("message_id", flat=True)[:limit]
    )
    found = {row.pk: row for row in visible_messages(principal).filter(pk__in=ids, deleted_at=None)}
    return _views([found[pk] for pk in ids if pk in found])


def find_unread_reply_to(
    principal: Principal, *, conversation_id: UUID, after: int
) -> tuple[UUID, int] | None:
    """Return (thread, sequence) of the first reply after a sequence that mentions the principal. One query.

    The window of a conversation does not show replies, so reading it must not settle this one.
    """
    mentioned = Mention.objects.filter(
        organization_id=principal.organization_id, principal_id=principal.id, conversation_id=conversation_id
    )
    rows = visible_messages(principal).filter(
        pk__in=mentioned.values("message_id"), conversation_id=conversation_id, sequence__gt=after
    )
    found = rows.exclude(thread_id=None).order_by("sequence").values_list("thread_id", "sequence").first()
    return (found[0], found[1]) if found and found[0] else None


def views_for(rows: Iterable[Message]) -> list[MessageView]:
    """Return rows of this app as views; the caller selected only visible ones."""
    return _views(list(rows))


def _standing(principal: Principal, conversation_id: UUID) -> tuple[int | None, int]:
    """Return how far the principal has read (None without a membership), and the last sequence. One query.

    Raises:
        ConversationNotFound: missing, or not visible.
    """
    membership = Membership.objects.filter(
        conversation_id=OuterRef("pk"), principal_id=principal.id, left_at=None
    )
    found = (
        visible_conversations(principal)
        .filter(pk=conversation_id)
        .values_list(
            Subquery(membership.values("last_read_sequence")),
            Subquery(Stream.objects.filter(pk=OuterRef("pk")).values("last_sequence")),
        )
        .first()
    )
    if found is None:
        raise ConversationNotFound
    marker, head = found
    return marker, head or 0


def _first_unread(rows: QuerySet[Message], principal: Principal, marker: int | None) -> Message | None:
    unread = rows.filter(sequence__gt=marker, deleted_at=None).exclude(sender_id=principal.id)
    return unread.order_by("sequence").first()


def _pivot(rows: QuerySet[Message], anchor: Anchor, first_unread: Message | None) -> int:
    """Return the sequence the page turns around; the message with it belongs to the newer half."""
    if isinstance(anchor, UUID):
        sequence = rows.filter(pk=anchor).values_list("sequence", flat=True).first()
        if sequence is None:
            raise MessageNotFound
        return sequence
    if isinstance(anchor, datetime):
        sequence = (
            rows.filter(sent_at__gte=anchor).order_by("sequence").values_list("sequence", flat=True).first()
        )
        return sequence if sequence is not None else _NEWEST
    if anchor == "oldest":
        return _OLDEST
    if anchor == "first_unread" and first_unread is not None:
        return first_unread.sequence
    return _NEWEST


def _views(rows: list[Message]) -> list[MessageView]:
    """Return views with senders, reactions, files and thread counts: two queries for any number of rows."""
    if not rows:
        return []
    ids = [row.pk for row in rows]
    people = {
        pk: ref(person) for pk, person in people_selectors.people({row.sender_id for row in rows}).items()
    }
    around = _around(ids)
    nothing = _Around([], [], [])
    return [
        MessageView(
            id=row.pk,
            conversation=row.conversation_id,
            sequence=row.sequence,
            sender=people.get(row.sender_id) or _gone(row.sender_id),
            body=row.body,
            html=row.html,
            sent_at=row.sent_at,
            version=row.version,
            edited_at=row.edited_at,
            deleted_at=row.deleted_at,
            thread=row.thread_id,
            client_key=row.client_key,
            mentions=tuple(row.mentions),
            attachments=_attachments(around.get(row.pk, nothing).files),
            reactions=_reactions(around.get(row.pk, nothing).reactions),
            replies=_thread(around.get(row.pk, nothing).repliers),
            card=Card(**row.card) if row.card else None,
        )
        for row in rows
    ]


def _gone(principal_id: UUID) -> PersonRef:
    """A sender without a seat in the organization any more."""
    return PersonRef(principal_id, "?", "person", "?", principal_id.int % 6 + 1)


def _around(ids: list[UUID]) -> dict[UUID, _Around]:
    """Return what belongs to messages, as JSON beside each. One query, an index lookup for each part of each."""
    reactions = Reaction.objects.filter(message_id=OuterRef("pk")).order_by("created_at", "pk")
    files = Attachment.objects.filter(message_id=OuterRef("pk")).order_by("position")
    replies = Message.objects.filter(thread_id=OuterRef("pk"), deleted_at=None).order_by()
    repliers = replies.values("sender_id").annotate(
        count=Count("pk"), last_at=Max("sent_at"), last=Max("sequence")
    )
    rows = Message.objects.filter(pk__in=ids).values_list(
        "pk",
        ArraySubquery(reactions.values(json=JSONObject(emoji="emoji", principal="principal_id"))),
        ArraySubquery(
            files.values(
                json=JSONObject(
                    id="file_id", name="file__name", media_type="file__media_type",
                    size="file__declared_size_bytes",
                )
            )
        ),
        ArraySubquery(
            repliers.order_by("last").values(
                json=JSONObject(sender="sender_id", count="count", last_at="last_at")
            )
        ),
    )  # fmt: skip
    return {pk: _Around(*parts) for pk, *parts in rows}


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


def _thread(found: list[Row]) -> ThreadSummary | None:
    """Return the count of a thread and who wrote in it, the latest last; None without a reply."""
    if not found:
        return None
    return ThreadSummary(
        count=sum(row["count"] for row in found),
        last_at=datetime.fromisoformat(found[-1]["last_at"]),
        people=tuple(UUID(row["sender"]) for row in found),
    )
