"""Tell people: rows, lines of the log and events in one go; take it back; mark it read. Twice is harmless."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from apps.accounts.selectors import people as people_selectors
from apps.accounts.types import PersonView, Principal
from apps.core import tenancy
from apps.core.events import log
from apps.core.ids import uuid7
from apps.notify.events import NotificationAdded
from apps.notify.models import Delivery, Notification, PushSubscription
from apps.notify.selectors.levels import Chosen, levels_at
from apps.notify.selectors.preferences import preferences_of
from apps.notify.services import deciding, settling
from apps.notify.services.metrics import decided_total
from apps.notify.types import Notice, PreferencesView, Recipient

# Nobody asks why it did not hear of every message of a place it does not want to hear everything of.
_PASSED_OVER = frozenset({"conversation"})
_TOLD = """
SELECT id FROM notify_notification WHERE organization_id = %s AND cancelled_at IS NULL
  AND subject IN (SELECT jsonb_array_elements_text(%s::jsonb))
"""
REPEAT_EVERY, REPEAT_FOR = timedelta(minutes=5), timedelta(minutes=30)
# A row that was taken back comes to life again; any other stays as it is, so that a second run tells nobody twice.
_STORE = """
INSERT INTO notify_notification AS n (id, created_at, organization_id, recipient_id, actor_id, kind, reason, subject,
  conversation_id, thread_id, message_id, sequence, held_by, is_urgent, repeat_at, repeat_until)
SELECT t.id, %(now)s, %(organization)s, t.recipient, %(actor)s, %(kind)s, t.reason, %(subject)s, %(conversation)s,
  %(thread)s, %(message)s, %(sequence)s, t.held_by, %(urgent)s, %(repeat_at)s, %(repeat_until)s
FROM unnest(%(ids)s::uuid[], %(recipients)s::uuid[], %(reasons)s::text[], %(held)s::text[])
  AS t (id, recipient, reason, held_by)
ON CONFLICT (organization_id, subject, recipient_id, reason) DO UPDATE SET cancelled_at = NULL, read_at = NULL,
  seen_at = NULL, held_by = excluded.held_by WHERE n.cancelled_at IS NOT NULL
RETURNING n.id, n.recipient_id, n.reason, n.held_by, n.created_at, n.xmax <> 0
"""


@dataclass(frozen=True)
class _Stored:
    """A row that was made, or came to life again."""

    id: UUID
    recipient: UUID
    reason: str
    held_by: str
    created_at: datetime
    is_revived: bool


def notify(notice: Notice, recipients: Iterable[Recipient]) -> list[UUID]:
    """Tell people, each once for each subject and reason; return the notifications that are new.

    Who acts is never told of it. About eight statements, however many people. The organization is open.
    """
    wanted = {one.principal_id: one for one in recipients if one.principal_id != notice.actor_id}
    people = {
        pk: person
        for pk, person in people_selectors.people(wanted).items()
        if person.kind == "person" and person.is_active
    }
    if not people:
        return []
    wishes = preferences_of(people)
    chosen = levels_at(notice.places, among=people.keys())
    judged = {pk: _judge(notice, wanted[pk], chosen.get(pk), wishes[pk]) for pk in people}
    kept = [wanted[pk] for pk in people if not (judged[pk] and wanted[pk].reason in _PASSED_OVER)]
    if not kept:
        return []
    with transaction.atomic():
        stored = _store(notice, kept, judged)
        told = [row for row in stored if not row.held_by]
        _plan(notice, told, wishes)
        _keep_why(notice, [row for row in stored if row.held_by])
        _announce(notice, told, people)
    return [row.id for row in told]


def _judge(notice: Notice, one: Recipient, chosen: Chosen | None, wishes: PreferencesView) -> str:
    """Return why a person is not told, or nothing."""
    level = chosen.level if chosen else wishes.level
    is_threads_own = chosen is not None and chosen.place == f"thread:{notice.thread_id}"
    return deciding.held_by(
        reason=one.reason, level=level, is_muted=one.is_muted, thread=level if is_threads_own else ""
    )


def _store(notice: Notice, recipients: Sequence[Recipient], judged: dict[UUID, str]) -> list[_Stored]:
    now = timezone.now()
    values: dict[str, Any] = {  # a statement's, of every kind
        "now": now, "organization": notice.organization_id, "actor": notice.actor_id, "kind": notice.kind,
        "subject": notice.subject, "conversation": notice.conversation_id, "thread": notice.thread_id,
        "message": notice.message_id, "sequence": notice.sequence, "urgent": notice.is_urgent,
        "repeat_at": now + REPEAT_EVERY if notice.is_urgent else None,
        "repeat_until": now + REPEAT_FOR if notice.is_urgent else None,
        "ids": [uuid7() for _ in recipients],
        "recipients": [one.principal_id for one in recipients],
        "reasons": [one.reason for one in recipients],
        "held": [judged[one.principal_id] for one in recipients],
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_STORE, values)
        stored = [_Stored(*row) for row in cursor.fetchall()]
    if revived := [row.id for row in stored if row.is_revived]:
        Delivery.objects.filter(organization_id=notice.organization_id, notification_id__in=revived).delete()
    return stored


def _plan(notice: Notice, told: Sequence[_Stored], wishes: dict[UUID, PreferencesView]) -> None:
    """Write down by which ways each is told, and when."""
    browsers: dict[UUID, list[UUID]] = defaultdict(list)
    subscriptions = PushSubscription.objects.filter(
        organization_id=notice.organization_id, principal_id__in=[row.recipient for row in told]
    )
    for pk, person in subscriptions.values_list("pk", "principal_id"):
        browsers[person].append(pk)
    mail, now = settings.CONFIGURATION.notification, timezone.now()
    lines = [
        _line(notice, row.id, way)
        for row in told
        for way in deciding.ways(
            wishes[row.recipient],
            now=now,
            browsers=browsers[row.recipient],
            mail_wait=timedelta(seconds=mail.mail_wait_seconds),
            push_wait=timedelta(seconds=mail.push_wait_seconds),
        )
    ]
    Delivery.objects.bulk_create(lines, batch_size=1000)


def _line(notice: Notice, notification_id: UUID, way: deciding.Way) -> Delivery:
    state = Delivery.State.SUPPRESSED
    if way.outcome == "sent":
        state = Delivery.State.SENT
    elif way.is_waiting:
        state = Delivery.State.WAITING
    decided_total.labels(way.channel, way.outcome or "waiting").inc()
    return Delivery(
        organization_id=notice.organization_id,
        notification_id=notification_id,
        channel=way.channel,
        target_id=way.target_id,
        state=state,
        outcome=way.outcome,
        due_at=way.due_at,
        settled_at=None if way.is_waiting else way.due_at,
    )


def _keep_why(notice: Notice, held: Sequence[_Stored]) -> None:
    """One line for what is not told at all, so that the person can ask why."""
    now = timezone.now()
    Delivery.objects.bulk_create(
        [
            _line(notice, row.id, deciding.Way(channel="in_app", due_at=now, outcome=row.held_by))
            for row in held
        ]
    )


def _announce(notice: Notice, told: Sequence[_Stored], people: dict[UUID, PersonView]) -> None:
    counts = settling.counts([row.recipient for row in told])
    log.record_last(
        [
            NotificationAdded(
                organization_id=notice.organization_id,
                stream_id=people[row.recipient].member_id,
                actor_id=notice.actor_id,
                notification=row.id,
                kind=notice.kind,
                reason=row.reason,
                conversation=notice.conversation_id,
                thread=notice.thread_id,
                message=notice.message_id,
                is_urgent=notice.is_urgent,
                created_at=row.created_at,
                unread=counts[row.recipient],
            )
            for row in told
        ]
    )


def cancel(
    *,
    subjects: Collection[str],
    organization_id: UUID,
    reasons: Collection[str] | None = None,
    but_not: Collection[UUID] = (),
) -> int:
    """Take back what was told of these subjects: gone from lists, and never sent. Returns how many.

    Args:
        reasons: only these; None is all.
        but_not: people who keep theirs.
    """
    rows = Notification.objects.filter(
        organization_id=organization_id, subject__in=list(subjects), cancelled_at=None
    ).exclude(recipient_id__in=list(but_not))
    if reasons is not None:
        rows = rows.filter(reason__in=list(reasons))
    return settling.settle(rows, state="cancelled")


def carry(
    *, organization_id: UUID, conversation_id: UUID, subjects: Mapping[str, int], readers: Collection[UUID]
) -> None:
    """Let what was told of subjects belong to another conversation; it is taken back from who does not read there.

    Args:
        subjects: with their places there, so that reading up to there reads them.
    """
    cancel(subjects=subjects, organization_id=organization_id, but_not=readers)
    rows = Notification.objects.filter(organization_id=organization_id, subject__in=list(subjects))
    for subject in set(rows.values_list("subject", flat=True)):
        rows.filter(subject=subject).update(conversation_id=conversation_id)
        rows.filter(subject=subject).exclude(sequence=None).update(sequence=subjects[subject])


def cancel_all(*, organization_id: UUID, subjects: Collection[str]) -> int:
    """The same for the thousands of subjects of an erasure, of which most were told to nobody."""
    with connection.cursor() as cursor:
        cursor.execute(_TOLD, [organization_id, orjson.dumps(list(subjects)).decode()])
        found = [pk for (pk,) in cursor.fetchall()]
    if not found:
        return 0
    rows = Notification.objects.filter(organization_id=organization_id, pk__in=found, cancelled_at=None)
    return settling.settle(rows, state="cancelled")


def cancel_in(*, organization_id: UUID, conversation_id: UUID, principal_id: UUID) -> int:
    """Take back all that one person was told of a conversation it lost. Returns how many."""
    rows = Notification.objects.filter(
        organization_id=organization_id,
        conversation_id=conversation_id,
        recipient_id=principal_id,
        cancelled_at=None,
    )
    return settling.settle(rows, state="cancelled")


def cancel_beginning(*, principal_id: UUID, beginning: str, but_not: Collection[str] = ()) -> int:
    """Take back what one person was told of all subjects that begin so, except of these. Returns how many."""
    rows = Notification.objects.filter(
        organization_id=tenancy.current(),
        recipient_id=principal_id,
        subject__startswith=beginning,
        cancelled_at=None,
    )
    return settling.settle(rows.exclude(subject__in=list(but_not)), state="cancelled")


def read_subject(*, organization_id: UUID, principal_id: UUID, subject: str) -> int:
    """Note that a person has answered or acknowledged something; urgent ones are not said again. Returns how many."""
    rows = Notification.objects.filter(
        organization_id=organization_id,
        recipient_id=principal_id,
        subject=subject,
        read_at=None,
        cancelled_at=None,
    )
    return settling.settle(rows, state="read")


def read_beginning(*, organization_id: UUID, principal_id: UUID, subject: str) -> int:
    """The same for all subjects that begin so. Looks only at what the person has not read."""
    rows = Notification.objects.filter(
        organization_id=organization_id,
        recipient_id=principal_id,
        subject__startswith=subject,
        read_at=None,
        cancelled_at=None,
        held_by="",
    )
    return settling.settle(rows, state="read")


def read_thread(*, organization_id: UUID, principal_id: UUID, thread_id: UUID, sequence: int) -> int:
    """Note that a person has read a thread up to a reply. Returns how many notifications that read."""
    rows = Notification.objects.filter(
        organization_id=organization_id,
        recipient_id=principal_id,
        thread_id=thread_id,
        sequence__lte=sequence,
        read_at=None,
        cancelled_at=None,
        held_by="",
    )
    return settling.settle(rows, state="read")


def read_up_to(*, organization_id: UUID, principal_id: UUID, conversation_id: UUID, sequence: int) -> int:
    """Note that a person has read a conversation up to a message. Returns how many notifications that read."""
    rows = Notification.objects.filter(
        organization_id=organization_id,
        recipient_id=principal_id,
        conversation_id=conversation_id,
        sequence__lte=sequence,
        read_at=None,
        cancelled_at=None,
        held_by="",
    )
    return settling.settle(rows, state="read")


def mark(principal: Principal, *, notifications: Collection[UUID] | None, state: str) -> int:
    """Mark own notifications `seen`, `read` or `unread`. Returns how many changed.

    Args:
        notifications: None is all of them; ids of others or unknown ones are passed over.
    """
    rows = Notification.objects.filter(
        organization_id=principal.organization_id, recipient_id=principal.id, cancelled_at=None, held_by=""
    )
    if principal.conversations is not None:
        rows = rows.filter(conversation_id__in=principal.conversations)
    if notifications is not None:
        rows = rows.filter(pk__in=list(notifications))
    rows = {
        "seen": rows.filter(seen_at=None),
        "read": rows.filter(read_at=None),
        "unread": rows.exclude(read_at=None),
    }[state]
    return settling.settle(rows, state=state)
