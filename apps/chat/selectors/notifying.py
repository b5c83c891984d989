"""Whom a message may concern, and what a notification of one says to its reader."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import strip_tags
from django.utils.translation import gettext as _

from apps.accounts.selectors import people as people_selectors
from apps.accounts.types import Principal
from apps.chat.models import Message, Reminder
from apps.chat.selectors.messages import visible_messages
from apps.core import tenancy
from apps.core.database import planned
from apps.notify.types import Described, NotificationRow

EXCERPT = 200
_BLOCK = re.compile(r"<(?=/?(?:p|br|li|h[1-6]|tr|td|th|pre|blockquote|div)\b)")
_LOOKED_AT = 8000  # characters of HTML, whatever a message of the greatest length is rendered to
# Everybody in the conversation who could have a reason to hear of this message, with what the reasons are made of.
_CONCERNED = """
SELECT m.principal_id, coalesce(w.level = 'muted', m.is_muted) AS is_muted, coalesce(w.level = 'followed', false),
  m.last_read_sequence >= x.sequence OR EXISTS (SELECT FROM chat_readmark k WHERE k.organization_id = x.organization_id
    AND k.principal_id = m.principal_id AND k.conversation_id = x.conversation_id AND k.sequence >= x.sequence
    AND k.place IN (coalesce(x.topic_id, x.conversation_id), x.thread_id)) AS has_read,
  EXISTS (SELECT FROM chat_mention n WHERE n.organization_id = x.organization_id AND n.message_id = x.id
    AND n.principal_id = m.principal_id) AS is_mentioned,
  m.principal_id = ANY (x.mentions) AS is_named,
  coalesce(f.is_followed, x.thread_id IS NOT NULL AND EXISTS (SELECT FROM chat_message t
    WHERE t.organization_id = x.organization_id AND (t.id = x.thread_id OR t.thread_id = x.thread_id)
      AND t.sender_id = m.principal_id AND t.deleted_at IS NULL AND t.id <> x.id)) AS follows
FROM chat_message x JOIN chat_membership m ON m.organization_id = x.organization_id
  AND m.conversation_id = x.conversation_id AND m.left_at IS NULL AND m.principal_id <> x.sender_id
LEFT JOIN chat_threadfollow f ON f.organization_id = x.organization_id AND f.thread_id = x.thread_id
  AND f.principal_id = m.principal_id
LEFT JOIN chat_topicpreference w ON w.organization_id = x.organization_id AND w.topic_id = x.topic_id
  AND w.principal_id = m.principal_id
WHERE x.organization_id = %(organization)s AND x.id = %(message)s AND (
  %(everybody)s OR m.principal_id = ANY (%(wanted)s) OR f.is_followed OR w.level = 'followed'
  OR EXISTS (SELECT FROM chat_mention n WHERE n.organization_id = x.organization_id AND n.message_id = x.id
    AND n.principal_id = m.principal_id)
  OR (x.thread_id IS NOT NULL AND EXISTS (SELECT FROM chat_message t WHERE t.organization_id = x.organization_id
    AND (t.id = x.thread_id OR t.thread_id = x.thread_id) AND t.sender_id = m.principal_id)))
"""
_TOLD = """
SELECT m.conversation_id, c.kind, m.sequence, m.sender_id, m.body, m.thread_id, m.priority = %s
FROM chat_message m JOIN chat_conversation c ON c.organization_id = m.organization_id AND c.id = m.conversation_id
WHERE m.organization_id = %s AND m.id = %s AND m.deleted_at IS NULL
"""


@dataclass(frozen=True)
class Concerned:
    """A member a message may concern.

    Attributes:
        is_muted: the conversation is, unless its topic is followed; or the topic itself.
        is_named: mentioned by name, not as one of a group or of all.
        follows: follows the thread, or wrote in it and never said anything about following.
    """

    principal_id: UUID
    is_muted: bool
    follows_topic: bool
    has_read: bool
    is_mentioned: bool
    is_named: bool
    follows: bool


@dataclass(frozen=True)
class Told:
    """What is needed of a message to tell people of it."""

    conversation_id: UUID
    kind: str
    sequence: int
    sender_id: UUID
    body: str
    thread_id: UUID | None
    is_urgent: bool


def find_told(message_id: UUID) -> Told | None:
    """Return a message of the current organization that still stands, or None. One query."""
    with connection.cursor() as cursor:
        planned.execute(cursor, _TOLD, [Message.Priority.URGENT, tenancy.current(), message_id])
        row = cursor.fetchone()
    return None if row is None else Told(*row)


def concerned(message_id: UUID, *, everybody: bool, wanted: Sequence[UUID]) -> list[Concerned]:
    """Return the members a message may concern. One query.

    Args:
        everybody: all members, of a direct or group conversation.
        wanted: more people, where they are members.
    """
    with connection.cursor() as cursor:
        planned.execute(
            cursor,
            _CONCERNED,
            {
                "organization": tenancy.current(),
                "message": message_id,
                "everybody": everybody,
                "wanted": list(wanted),
            },
        )
        return [Concerned(*row) for row in cursor.fetchall()]


def describe(principal: Principal, rows: Sequence[NotificationRow]) -> Mapping[UUID, Described]:
    """Return what notifications of messages say; those of messages their reader cannot see are absent. Two queries."""
    wanted = {row.message_id for row in rows if row.message_id is not None}
    visible = visible_messages(principal).filter(pk__in=wanted, deleted_at=None)
    found = {message.pk: message for message in visible.select_related("conversation")}
    senders = people_selectors.people({message.sender_id for message in found.values()})
    return {
        row.id: _described(principal, message, senders[message.sender_id].name)
        for row in rows
        if row.message_id is not None
        and (message := found.get(row.message_id)) is not None
        and message.sender_id in senders
    }


def describe_reminders(principal: Principal, rows: Sequence[NotificationRow]) -> Mapping[UUID, Described]:
    """Return what reminders say; those that were put away are absent. At most three queries."""
    keys = {row.id: UUID(row.subject.split(":")[1]) for row in rows}
    known = Reminder.objects.filter(
        organization_id=principal.organization_id, principal_id=principal.id, pk__in=set(keys.values())
    ).in_bulk()
    messages = describe(principal, rows)
    home = reverse("chat:home", kwargs={"slug": principal.organization_slug})
    said: dict[UUID, Described] = {}
    for row in rows:
        reminder, message = known.get(keys[row.id]), messages.get(row.id)
        gone = _("Its message is gone.") if reminder is not None and reminder.message_id else ""
        if reminder is not None:
            said[row.id] = Described(
                title=_("Reminder"),
                text=reminder.note or (message.text if message else gone),
                url=message.url if message else home,
                place=message.place if message else "",
            )
    return said


def find_hidden(message_id: UUID) -> tuple[UUID, UUID] | None:
    """Return conversation and sender of a message of the current organization that is hidden, or None. One query."""
    rows = Message.objects.filter(organization_id=tenancy.current(), pk=message_id).exclude(hidden_at=None)
    return rows.values_list("conversation_id", "sender_id").first()


def describe_hidden(principal: Principal, rows: Sequence[NotificationRow]) -> Mapping[UUID, Described]:
    """Return what notifications of hidden messages say to their authors; without what the messages say. One query."""
    return _of_own(
        principal,
        rows,
        _own(principal, rows).exclude(hidden_at=None),
        title=_("Your message is hidden"),
        text=_("Moderators have hidden it while they look at it. Only you and they can read it."),
    )


def find_removed(message_id: UUID) -> tuple[UUID, UUID] | None:
    """Return conversation and sender of a message of the current organization that is deleted, or None. One query."""
    rows = Message.objects.filter(organization_id=tenancy.current(), pk=message_id, hidden_at=None)
    return rows.exclude(deleted_at=None).values_list("conversation_id", "sender_id").first()


def describe_removed(principal: Principal, rows: Sequence[NotificationRow]) -> Mapping[UUID, Described]:
    """Return what notifications of removed messages say to their authors. One query."""
    return _of_own(
        principal,
        rows,
        _own(principal, rows).exclude(deleted_at=None),
        title=_("Your message was removed"),
        text=_("Moderators have taken it away for everyone."),
    )


def _own(principal: Principal, rows: Sequence[NotificationRow]) -> QuerySet[Message]:
    """Return the messages of notifications that the principal wrote."""
    wanted = {row.message_id for row in rows if row.message_id is not None}
    own = visible_messages(principal).filter(pk__in=wanted, sender_id=principal.id)
    return own.select_related("conversation")


def _of_own(
    principal: Principal,
    rows: Sequence[NotificationRow],
    among: QuerySet[Message],
    *,
    title: str,
    text: str,
) -> Mapping[UUID, Described]:
    """Return the same words for each notification whose message is among these. One query."""
    found = {message.pk: message for message in among}
    return {
        row.id: Described(
            title=title,
            text=text,
            url=message_url(principal, found[row.message_id]),
            place=found[row.message_id].conversation.name,
        )
        for row in rows
        if row.message_id in found
    }


def _described(principal: Principal, message: Message, sender: str) -> Described:
    """Only channels have a name of their own; elsewhere the sender says where."""
    place = message.conversation.name
    title = _("%(name)s in #%(place)s") % {"name": sender, "place": place} if place else sender
    url = message_url(principal, message)
    return Described(title=title, text=excerpt(message.html), url=url, actor_name=sender, place=place)


def message_url(principal: Principal, message: Message) -> str:
    """Return the address of a message for its reader."""
    return reverse(
        "chat:message",
        kwargs={
            "slug": principal.organization_slug,
            "conversation_id": message.conversation_id,
            "message_id": message.pk,
        },
    )


def excerpt(html: str) -> str:
    """Return the beginning of a rendered body as one line of plain text."""
    beginning = _BLOCK.sub(" <", html[:_LOOKED_AT])
    text = re.sub(r"\s+", " ", unescape(strip_tags(beginning))).strip()
    return text if len(text) <= EXCERPT else f"{text[: EXCERPT - 1].rstrip()}…"
