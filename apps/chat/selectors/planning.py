"""What one planned: messages that wait, reminders, and texts that were never sent. Nobody else reads any of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from apps.accounts.types import Principal
from apps.chat.errors import DraftNotFound, ReminderNotFound, ScheduledNotFound, failure_text
from apps.chat.models import Draft, Reminder, ScheduledMessage
from apps.chat.selectors.conversations import visible_conversations
from apps.chat.selectors.messages import views_for, visible_messages
from apps.chat.types import MessageView


@dataclass(frozen=True, kw_only=True)
class ScheduledView:
    """A message that waits for its time, was sent lately, or failed: `failure` says why."""

    id: UUID
    conversation: UUID
    thread: UUID | None
    topic: str
    body: str
    priority: str
    attachments: tuple[UUID, ...]
    send_at: datetime
    state: str
    failure_code: str
    failure: str
    message: UUID | None


@dataclass(frozen=True, kw_only=True)
class ReminderView:
    """A reminder; `message` is what it is about as far as its owner still sees it."""

    id: UUID
    message_id: UUID | None
    message: MessageView | None
    note: str
    due_at: datetime
    repeat: str
    fired_at: datetime | None
    is_waiting: bool


@dataclass(frozen=True, kw_only=True)
class DraftView:
    """Unsent text, in a conversation or a thread of it."""

    id: UUID
    conversation: UUID
    thread: UUID | None
    topic: str
    body: str
    updated_at: datetime


def scheduled_of(principal: Principal) -> list[ScheduledView]:
    """Return the principal's scheduled messages: failed first, then by time."""
    rows = sorted(
        _own_scheduled(principal), key=lambda row: (row.state != "failed", row.state == "sent", row.send_at)
    )
    return [_scheduled(row) for row in rows]


def get_scheduled(principal: Principal, scheduled_id: UUID) -> ScheduledView:
    """Return one of the principal's own.

    Raises:
        ScheduledNotFound.
    """
    row = _own_scheduled(principal).filter(pk=scheduled_id).first()
    if row is None:
        raise ScheduledNotFound
    return _scheduled(row)


def _own_scheduled(principal: Principal) -> QuerySet[ScheduledMessage]:
    rows = ScheduledMessage.objects.filter(
        organization_id=principal.organization_id, principal_id=principal.id
    )
    if principal.conversations is not None:
        rows = rows.filter(conversation_id__in=principal.conversations)
    return rows.none() if principal.viewed_by else rows


def _scheduled(row: ScheduledMessage) -> ScheduledView:
    return ScheduledView(
        id=row.pk,
        conversation=row.conversation_id,
        thread=row.thread_id,
        topic=row.topic,
        body=row.body,
        priority=row.priority,
        attachments=tuple(row.attachments),
        send_at=row.send_at,
        state=row.state,
        failure_code=row.failure_code,
        failure=failure_text(row.failure_code, row.failure_fields),
        message=row.message_id,
    )


def reminders_of(principal: Principal) -> list[ReminderView]:
    """Return the principal's reminders: those that came first, then by time."""
    rows = list(_own_reminders(principal))
    return _reminders(principal, sorted(rows, key=lambda row: (row.fired_at is None, row.due_at)))


def get_reminder(principal: Principal, reminder_id: UUID) -> ReminderView:
    """Return one of the principal's own.

    Raises:
        ReminderNotFound.
    """
    found = _reminders(principal, list(_own_reminders(principal).filter(pk=reminder_id)))
    if not found:
        raise ReminderNotFound
    return found[0]


def _own_reminders(principal: Principal) -> QuerySet[Reminder]:
    rows = Reminder.objects.filter(organization_id=principal.organization_id, principal_id=principal.id)
    return rows.none() if principal.viewed_by or principal.conversations is not None else rows


def _reminders(principal: Principal, rows: list[Reminder]) -> list[ReminderView]:
    wanted = [row.message_id for row in rows if row.message_id]
    seen = {
        view.id: view
        for view in views_for(visible_messages(principal).filter(pk__in=wanted, deleted_at=None))
    }
    return [
        ReminderView(
            id=row.pk,
            message_id=row.message_id,
            message=seen.get(row.message_id) if row.message_id else None,
            note=row.note,
            due_at=row.due_at,
            repeat=row.repeat,
            fired_at=row.fired_at,
            is_waiting=row.is_waiting,
        )
        for row in rows
    ]


def drafts_of(principal: Principal) -> list[DraftView]:
    """Return the principal's drafts where it still may write, the last changed first."""
    if principal.viewed_by:
        return []
    rows = Draft.objects.filter(
        organization_id=principal.organization_id,
        principal_id=principal.id,
        conversation__in=visible_conversations(principal),
    )
    return [
        DraftView(
            id=row.pk,
            conversation=row.conversation_id,
            thread=row.thread_id,
            topic=row.topic,
            body=row.body,
            updated_at=row.updated_at,
        )
        for row in rows.order_by("-updated_at")
    ]


def get_draft(principal: Principal, draft_id: UUID) -> DraftView:
    """Return one of the principal's own.

    Raises:
        DraftNotFound.
    """
    found = next((one for one in drafts_of(principal) if one.id == draft_id), None)
    if found is None:
        raise DraftNotFound
    return found
