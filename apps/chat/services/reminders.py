"""Reminders: of a message or of a note, once or again and again by somebody's own clock."""

from __future__ import annotations

import calendar
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from apps.accounts.errors import MemberNotFound
from apps.accounts.selectors.principals import principal_of_member
from apps.accounts.types import Principal
from apps.chat import events
from apps.chat.errors import MessageNotFound, NoteTooLong, ReminderNotFound, TimeNotPossible, TooManyReminders
from apps.chat.models import Reminder
from apps.chat.selectors.messages import visible_messages
from apps.core import tenancy
from apps.core.events import log

MOST_WAITING = 500
FARTHEST = timedelta(days=3 * 366)
BATCH = 200
LONGEST_NOTE = 500
_FRIDAY = 4


def remind(
    *,
    principal: Principal,
    due_at: datetime,
    message_id: UUID | None = None,
    note: str = "",
    repeat: str = "",
) -> UUID:
    """Remind the principal at a time, of a visible message or of a note; return the reminder's id.

    Args:
        repeat: empty, `daily`, `weekdays`, `weekly` or `monthly`, by the clock of the current time zone.

    Raises:
        MessageNotFound, TimeNotPossible: past, or more than three years away; NoteTooLong, TooManyReminders.
    """
    cleaned = _clean_note(note)
    if message_id is not None:
        found = visible_messages(principal).filter(pk=message_id, deleted_at=None)
        if not found.exists():
            raise MessageNotFound
    _require_possible(due_at)
    with transaction.atomic():
        if _own(principal).filter(is_waiting=True).count() >= MOST_WAITING:
            raise TooManyReminders(limit=MOST_WAITING)
        row = Reminder.objects.create(
            organization_id=principal.organization_id,
            principal_id=principal.id,
            message_id=message_id,
            note=cleaned,
            due_at=due_at,
            repeat=repeat,
            zone=timezone.get_current_timezone_name(),
        )
        _tell_changed(principal, row)
    return row.pk


def change_reminder(
    *,
    principal: Principal,
    reminder_id: UUID,
    due_at: datetime | None = None,
    note: str | None = None,
    repeat: str | None = None,
) -> None:
    """Change a reminder; a new time lets it come again.

    Raises:
        ReminderNotFound, TimeNotPossible, NoteTooLong.
    """
    with transaction.atomic():
        row = _lock_own(principal, reminder_id)
        if note is not None:
            row.note = _clean_note(note)
        if repeat is not None:
            row.repeat = repeat
        if due_at is not None:
            _require_possible(due_at)
            row.due_at, row.is_waiting, row.fired_at = due_at, True, None
            row.zone = timezone.get_current_timezone_name()
        row.save(update_fields=["note", "repeat", "due_at", "is_waiting", "fired_at", "zone"])
        _tell_changed(principal, row)


def finish(*, principal: Principal, reminder_id: UUID) -> None:
    """Put a reminder that came away; one that repeats comes again at its next time.

    Raises:
        ReminderNotFound.
    """
    with transaction.atomic():
        row = _lock_own(principal, reminder_id)
        if not row.is_waiting:
            _delete(principal, row)
            return
        row.fired_at = None
        row.save(update_fields=["fired_at"])
        _tell_changed(principal, row)


def delete_reminder(*, principal: Principal, reminder_id: UUID) -> None:
    """Forget a reminder.

    Raises:
        ReminderNotFound.
    """
    with transaction.atomic():
        _delete(principal, _lock_own(principal, reminder_id))


def remind_due() -> int:
    """Remind of what is due in all organizations; return how many. After a downtime late ones come once."""
    due = list(
        Reminder.objects.filter(is_waiting=True, due_at__lte=Now())
        .order_by("due_at")
        .values_list("organization_id", "pk")[:BATCH]
    )
    for organization_id, pk in due:
        with tenancy.use(organization_id), transaction.atomic():
            rows = Reminder.objects.select_for_update(skip_locked=True, no_key=True)
            row = rows.filter(pk=pk, is_waiting=True, due_at__lte=timezone.now()).first()
            if row is not None:
                _come(row)
    return len(due)


def _come(row: Reminder) -> None:
    try:
        principal = principal_of_member(organization_id=row.organization_id, user_id=row.principal_id)
    except MemberNotFound:
        row.delete()
        return
    came_at, row.fired_at = row.due_at, timezone.now()
    following = next_time(row.due_at, row.repeat, zone=row.zone, after=row.fired_at)
    row.is_waiting, row.due_at = following is not None, following or row.due_at
    row.save(update_fields=["fired_at", "due_at", "is_waiting"])
    place = None
    if row.message_id is not None:
        place = (
            visible_messages(principal)
            .filter(pk=row.message_id)
            .values_list("conversation_id", flat=True)
            .first()
        )
    log.record(
        events.ReminderDue(
            organization_id=principal.organization_id,
            stream_id=principal.member_id,
            actor_id=principal.id,
            reminder=row.pk,
            conversation=place,
            message_id=row.message_id if place else None,
            note=row.note,
            due_at=came_at,
        )
    )


def next_time(due_at: datetime, repeat: str, *, zone: str, after: datetime) -> datetime | None:
    """Return the first repetition later than `after`, at the same time on that zone's clock; None without one."""
    if not repeat:
        return None
    first = due_at.astimezone(ZoneInfo(zone))
    number = 0
    while True:
        number += 1
        following = _repetition(first, repeat, number)
        if following is not None and following > after:
            return following


def _repetition(first: datetime, repeat: str, number: int) -> datetime | None:
    if repeat == Reminder.Repeat.MONTHLY:
        months = first.month - 1 + number
        year, month = first.year + months // 12, months % 12 + 1
        return first.replace(year=year, month=month, day=min(first.day, calendar.monthrange(year, month)[1]))
    days = 7 * number if repeat == Reminder.Repeat.WEEKLY else number
    following = first + timedelta(days=days)
    if repeat == Reminder.Repeat.WEEKDAYS and following.weekday() > _FRIDAY:
        return None
    return following


def _own(principal: Principal) -> QuerySet[Reminder]:
    return Reminder.objects.filter(organization_id=principal.organization_id, principal_id=principal.id)


def _lock_own(principal: Principal, reminder_id: UUID) -> Reminder:
    row = _own(principal).select_for_update(no_key=True).filter(pk=reminder_id).first()
    if row is None:
        raise ReminderNotFound
    return row


def _clean_note(note: str) -> str:
    cleaned = note.strip()
    if len(cleaned) > LONGEST_NOTE:
        raise NoteTooLong(limit=LONGEST_NOTE)
    return cleaned


def _require_possible(due_at: datetime) -> None:
    now = timezone.now()
    if not now < due_at <= now + FARTHEST:
        raise TimeNotPossible


def _delete(principal: Principal, row: Reminder) -> None:
    pk = row.pk
    row.delete()
    row.pk = pk
    _tell_changed(principal, row, is_gone=True)


def _tell_changed(principal: Principal, row: Reminder, *, is_gone: bool = False) -> None:
    log.record(
        events.ReminderChanged(
            organization_id=principal.organization_id,
            stream_id=principal.member_id,
            actor_id=principal.id,
            reminder=row.pk,
            due_at=None if is_gone else row.due_at,
        )
    )
