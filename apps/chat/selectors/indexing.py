"""Messages for the content index: what they say and where, without asking who looks.

For consumers that keep a copy under the same scope; whoever shows that copy decides about rights.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import OuterRef, QuerySet

from apps.accounts.selectors.people import people
from apps.accounts.selectors.scopes import visible_content, visible_scope_clause
from apps.accounts.types import Principal
from apps.chat.models import Attachment, Message
from apps.core import tenancy
from apps.core.database import planned

_IN_DIRECT = """
SELECT m.principal_id FROM chat_conversation c
JOIN chat_membership m ON m.organization_id = c.organization_id AND m.conversation_id = c.id AND m.left_at IS NULL
WHERE c.organization_id = %s AND c.id = %s AND c.kind = 'direct'
"""
_NAMES = """
SELECT c.id, c.name, CASE WHEN c.name <> '' THEN '{{}}' ELSE ARRAY(SELECT o.principal_id FROM chat_membership o
  WHERE o.organization_id = c.organization_id AND o.conversation_id = c.id AND o.left_at IS NULL
    AND o.principal_id <> %(me)s ORDER BY o.joined_at, o.id) END
FROM chat_conversation c
WHERE c.organization_id = %(organization)s AND c.id = ANY(%(wanted)s) AND {visible}
""".format  # the clause is made of constants, values travel as parameters


@dataclass(frozen=True, slots=True)
class SpokenMessage:
    """A message that is not deleted, as it stands now; `files` are the names of what hangs on it."""

    id: UUID
    conversation_id: UUID
    scope_id: UUID
    thread_id: UUID | None
    sender_id: UUID
    sender_kind: str
    body: str
    sequence: int
    sent_at: datetime
    files: tuple[str, ...]


def find_scopes(*, organization_id: UUID, message_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Return the audiences of those of these messages that there are, deleted ones too. At most one query."""
    if not message_ids:
        return {}
    rows = Message.objects.filter(organization_id=organization_id, pk__in=message_ids)
    return dict(rows.values_list("pk", "scope_id"))


def other_carriers(
    *, organization_id: UUID, file_ids: Collection[UUID], scope_id: UUID, message_id: UUID | None
) -> dict[UUID, UUID]:
    """Return for those of a message's files that others of this audience carry, too, the first that does. One query.

    Args:
        message_id: None for files of no message, which any one carries.
    """
    rows = Attachment.objects.filter(
        organization_id=organization_id,
        file_id__in=file_ids,
        message__scope_id=scope_id,
        message__deleted_at=None,
    )
    others = rows.exclude(message_id=message_id) if message_id else rows
    return dict(others.order_by("-message__sequence").values_list("file_id", "message_id"))


def spoken_around(
    *, organization_id: UUID, conversation_id: UUID, sequence: int, width: int
) -> list[SpokenMessage]:
    """Return the messages at most `width` numbers away from a sequence, oldest first. One query."""
    rows = _rows(organization_id).filter(
        conversation_id=conversation_id, sequence__gte=sequence - width, sequence__lte=sequence + width
    )
    return [_spoken(row) for row in rows.order_by("sequence")]


def lock_spoken(*, organization_id: UUID, message_ids: Sequence[UUID]) -> list[SpokenMessage]:
    """Return the messages as they are now, oldest first, and keep them so until the transaction ends. One query.

    An edit or deletion waits; whoever copies the text in this transaction cannot keep one that is gone.
    """
    rows = _rows(organization_id).filter(pk__in=message_ids).select_for_update(no_key=True, of=("self",))
    return [_spoken(row) for row in rows.order_by("sequence")]


def spoken_after(*, organization_id: UUID, after: UUID | None, limit: int) -> list[SpokenMessage]:
    """Return messages of an organization in the order of their ids, for building the index anew. One query."""
    rows = _rows(organization_id)
    if after is not None:
        rows = rows.filter(pk__gt=after)
    return [_spoken(row) for row in rows.order_by("pk")[:limit]]


def visible_spoken(*, principal: Principal, message_ids: Sequence[UUID]) -> list[SpokenMessage]:
    """Return those of the messages that the principal may read. One query."""
    readable = visible_content(principal, scope="scope_id", time="sent_at")
    return [_spoken(row) for row in _rows(principal.organization_id).filter(readable, pk__in=message_ids)]


def find_spoken(*, organization_id: UUID, message_id: UUID) -> SpokenMessage | None:
    """Return a message as it stands now; None for one that is deleted. One query."""
    row = _rows(organization_id).filter(pk=message_id).first()
    return _spoken(row) if row else None


def find_sequence(*, organization_id: UUID, message_id: UUID) -> int | None:
    """Return the sequence of a message, deleted ones too. One query."""
    rows = Message.objects.filter(organization_id=organization_id, pk=message_id)
    return rows.values_list("sequence", flat=True).first()


def _rows(organization_id: UUID) -> QuerySet[Message]:
    names = Attachment.objects.filter(message_id=OuterRef("pk")).order_by("position").values("file__name")
    return (
        Message.objects.filter(organization_id=organization_id, deleted_at=None)
        .annotate(file_names=ArraySubquery(names))
        .select_related("sender")
    )


def _spoken(row: Message) -> SpokenMessage:
    return SpokenMessage(
        id=row.pk,
        conversation_id=row.conversation_id,
        scope_id=row.scope_id,
        thread_id=row.thread_id,
        sender_id=row.sender_id,
        sender_kind=row.sender.kind,
        body=row.body,
        sequence=row.sequence,
        sent_at=row.sent_at,
        files=tuple(row.file_names),  # type: ignore[attr-defined]  # annotated above
    )


def members_of_direct(conversation_id: UUID) -> frozenset[UUID]:
    """Return who is in a direct conversation of the current organization; nobody for any other. One query."""
    with connection.cursor() as cursor:
        planned.execute(cursor, _IN_DIRECT, [tenancy.current(), conversation_id])
        return frozenset(person for (person,) in cursor.fetchall())


def conversation_names(*, principal: Principal, conversation_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return the names of those the principal sees; of direct and group ones the other people's. Two queries."""
    visible = visible_scope_clause(principal, scope="c.scope_id", few=True)
    named = {"organization": principal.organization_id, "wanted": list(conversation_ids), "me": principal.id}
    with connection.cursor() as cursor:
        planned.execute(cursor, _NAMES(visible=visible.sql), {**visible.params, **named})
        rows = cursor.fetchall()
    known = people({person for _, _, others in rows for person in others})
    return {
        pk: name or ", ".join(known[person].name for person in others if person in known)
        for pk, name, others in rows
    }
