"""Messages that wait for their time: written, changed, taken back, and sent through the one write path."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from apps.accounts.errors import MemberNotFound
from apps.accounts.selectors.principals import principal_of_member
from apps.accounts.services import access
from apps.accounts.types import Principal
from apps.chat import events
from apps.chat.errors import (
    CommandNotScheduled,
    ScheduledNotFound,
    ScheduleMissed,
    TimeNotPossible,
    TooManyScheduled,
)
from apps.chat.models import ScheduledMessage
from apps.chat.services import composing
from apps.chat.services.commands import is_command
from apps.chat.services.messages import require_open, require_parts, send_message
from apps.chat.services.standing import lock_streams
from apps.chat.types import Priority
from apps.core import tenancy
from apps.core.errors import DomainError, Unavailable
from apps.core.events import log
from apps.files.services import access as file_access

MOST_WAITING = 200
FARTHEST = timedelta(days=366)
CATCH_UP = timedelta(hours=24)  # what a downtime delayed longer is no longer what its sender meant
BATCH = 100
State = ScheduledMessage.State
CHANGED = ("body", "topic", "priority", "send_at", "confirm_mass_mention", "state", "failure_code")


def schedule_message(
    *,
    principal: Principal,
    conversation_id: UUID,
    body: str,
    send_at: datetime,
    thread: UUID | None = None,
    topic: str = "",
    attachments: tuple[UUID, ...] = (),
    priority: Priority = "",
    confirm_mass_mention: bool = False,
) -> UUID:
    """Keep a message until its time; return its id. What would refuse it now refuses it here.

    Args:
        topic: name of a topic of the channel. Renamed or merged meanwhile it takes the message along, and so does its
            last message that moves; where that goes to another channel this one goes to the general topic.

    Raises:
        TimeNotPossible: past, or more than a year away; TooManyScheduled, and what `compose`, `require_open` and
            `require_parts` raise.
    """
    access.require(principal, "message.send")
    require_open(principal=principal, conversation_id=conversation_id)
    if is_command(body):
        raise CommandNotScheduled
    _require_possible(send_at)
    draft = composing.compose(
        principal=principal,
        conversation_id=conversation_id,
        body=body,
        client_key="scheduled",
        thread=thread,
        topic=topic,
        attachments=attachments,
        confirm_mass_mention=confirm_mass_mention,
    )
    require_parts(draft)
    with transaction.atomic():
        _require_room(principal)
        row = ScheduledMessage.objects.create(
            organization_id=principal.organization_id,
            principal_id=principal.id,
            conversation_id=conversation_id,
            thread_id=thread,
            topic=draft.topic,
            body=draft.body,
            attachments=list(draft.attachments),
            priority=priority,
            confirm_mass_mention=confirm_mass_mention,
            send_at=send_at,
        )
        _keep_files(row)
        _tell(principal, row)
    return row.pk


def change_scheduled(
    *,
    principal: Principal,
    scheduled_id: UUID,
    body: str | None = None,
    topic: str | None = None,
    priority: Priority | None = None,
    send_at: datetime | None = None,
    confirm_mass_mention: bool | None = None,
) -> None:
    """Change what is given of what was not sent; a failed one waits again.

    Raises:
        ScheduledNotFound, TimeNotPossible, and what `compose` and `require_parts` raise.
    """
    with transaction.atomic():
        row = _lock_own(principal, scheduled_id)
        row.send_at = row.send_at if send_at is None else send_at
        row.body = row.body if body is None else body
        row.priority = row.priority if priority is None else priority
        if confirm_mass_mention is not None:
            row.confirm_mass_mention = confirm_mass_mention
        _require_possible(row.send_at)
        draft = composing.compose(
            principal=principal,
            conversation_id=row.conversation_id,
            body=row.body,
            client_key="scheduled",
            thread=row.thread_id,
            topic=row.topic if topic is None else topic,
            attachments=tuple(row.attachments),
            confirm_mass_mention=row.confirm_mass_mention,
        )
        require_parts(draft)
        row.body, row.topic = draft.body, draft.topic
        row.state, row.failure_code = State.WAITING, ""
        row.save(update_fields=CHANGED)
        _keep_files(row)
        _tell(principal, row)


def cancel_scheduled(*, principal: Principal, scheduled_id: UUID) -> None:
    """Take back what was not sent, or put a failed one away.

    Raises:
        ScheduledNotFound.
    """
    with transaction.atomic():
        row = _lock_own(principal, scheduled_id)
        pk = row.pk
        row.delete()
        row.pk = pk
        _tell(principal, row, state="cancelled")


def send_scheduled_now(*, principal: Principal, scheduled_id: UUID) -> None:
    """Send a waiting or failed one at once.

    Raises:
        ScheduledNotFound, and what `send_message` raises; then it stays as it was.
    """
    with transaction.atomic():
        lock_streams(*_own(principal, scheduled_id).values_list("conversation_id", flat=True))
        _send(principal, _lock_own(principal, scheduled_id))


def send_due() -> int:
    """Send what is due in all organizations, each in a transaction of its own; return how many were looked at."""
    due = list(
        ScheduledMessage.objects.filter(state=State.WAITING, send_at__lte=Now())
        .order_by("send_at")
        .values_list("organization_id", "conversation_id", "pk")[:BATCH]
    )
    for organization_id, conversation_id, pk in due:
        with tenancy.use(organization_id), transaction.atomic():
            lock_streams(conversation_id)  # before the row, as who changes topics takes them
            row = (
                ScheduledMessage.objects.select_for_update(skip_locked=True, no_key=True)
                .filter(pk=pk, state=State.WAITING)
                .first()
            )
            if row is not None:
                _settle(row)
    return len(due)


def _settle(row: ScheduledMessage) -> None:
    """Send a due one, or say why not. A database that is away leaves it waiting; the client key keeps it single."""
    try:
        principal = principal_of_member(organization_id=row.organization_id, user_id=row.principal_id)
    except MemberNotFound:
        row.delete()  # nobody is there any more who would want to know
        return
    try:
        if row.send_at < timezone.now() - CATCH_UP:
            raise ScheduleMissed
        with transaction.atomic():
            _send(principal, row)
    except Unavailable:
        return
    except DomainError as refused:
        row.state, row.failure_code = State.FAILED, refused.code
        row.failure_fields = {name: str(value) for name, value in refused.fields.items()}
        row.save(update_fields=["state", "failure_code", "failure_fields"])
        _tell(principal, row)


def _send(principal: Principal, row: ScheduledMessage) -> None:
    sent = send_message(
        principal=principal,
        conversation_id=row.conversation_id,
        body=row.body,
        client_key=f"scheduled:{row.pk}",
        thread=row.thread_id,
        topic=row.topic,
        attachments=tuple(row.attachments),
        priority=row.priority,  # type: ignore[arg-type]  # one of the words, checked when it was stored
        confirm_mass_mention=row.confirm_mass_mention,
    )
    row.state, row.failure_code, row.message_id = State.SENT, "", sent.id
    row.save(update_fields=["state", "failure_code", "message_id"])
    _tell(principal, row)


def forget_sent(*, older_than: timedelta) -> int:
    """Delete the rows of what was sent some time ago, in all organizations; the messages stay."""
    rows = ScheduledMessage.objects.filter(state=State.SENT, send_at__lt=Now() - older_than)
    done = 0
    for organization_id in list(rows.values_list("organization_id", flat=True).distinct()[:BATCH]):
        with tenancy.use(organization_id):
            done += rows.filter(organization_id=organization_id).delete()[0]
    return done


def _own(principal: Principal, scheduled_id: UUID) -> QuerySet[ScheduledMessage]:
    return ScheduledMessage.objects.filter(
        organization_id=principal.organization_id, principal_id=principal.id, pk=scheduled_id
    ).exclude(state=State.SENT)


def _lock_own(principal: Principal, scheduled_id: UUID) -> ScheduledMessage:
    row = _own(principal, scheduled_id).select_for_update(no_key=True).first()
    if row is None or not principal.reaches(row.conversation_id):
        raise ScheduledNotFound
    return row


def _require_possible(send_at: datetime) -> None:
    now = timezone.now()
    if not now < send_at <= now + FARTHEST:
        raise TimeNotPossible


def _require_room(principal: Principal) -> None:
    waiting = ScheduledMessage.objects.filter(
        organization_id=principal.organization_id, principal_id=principal.id, state=State.WAITING
    )
    if waiting.count() >= MOST_WAITING:
        raise TooManyScheduled(limit=MOST_WAITING)


def _keep_files(row: ScheduledMessage) -> None:
    if row.attachments:
        file_access.keep(file_ids=row.attachments, until=row.send_at + CATCH_UP)


def _tell(principal: Principal, row: ScheduledMessage, *, state: str = "") -> None:
    log.record(
        events.ScheduledChanged(
            organization_id=principal.organization_id,
            stream_id=principal.member_id,
            actor_id=principal.id,
            scheduled=row.pk,
            conversation=row.conversation_id,
            state=state or row.state,
            send_at=row.send_at,
            failure_code=row.failure_code,
            message_id=row.message_id,
        )
    )
