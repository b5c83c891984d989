"""Send what is due. The relay finds whose it is and pokes a worker; the worker takes the rows, sends, and settles them.

Taken rows come back by themselves after `LEASE` if the worker dies. Everything is asked again at the moment of sending:
rights, wishes, what was read or taken back since.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone, translation

from apps.accounts.errors import MemberNotFound
from apps.accounts.selectors.members import get_account, get_organization
from apps.accounts.selectors.principals import principal_of_member
from apps.accounts.types import AccountView, Principal
from apps.core import tenancy
from apps.notify.models import Delivery, Notification
from apps.notify.selectors.kinds import described
from apps.notify.selectors.notifications import as_row
from apps.notify.selectors.preferences import preferences_of
from apps.notify.services import activity, deciding, mailing, pushing
from apps.notify.services.metrics import lag_seconds, settled_total
from apps.notify.services.outcomes import Outcome
from apps.notify.types import MAIL, PUSH, NotificationView, PreferencesView

LEASE = timedelta(minutes=5)
MOST_ATTEMPTS = 6
BACK_OFF_SECONDS = (30, 120, 600, 1800, 3600)
MOST_AT_ONCE = 200
ACTIVE_WAIT, ACTIVE_LONGEST = timedelta(seconds=60), timedelta(minutes=10)
logger = logging.getLogger(__name__)
_TAKE = """
UPDATE notify_delivery d SET due_at = %(lease)s, attempts = d.attempts + 1
FROM (SELECT w.id, w.due_at FROM notify_delivery w JOIN notify_notification n
    ON n.organization_id = w.organization_id AND n.id = w.notification_id
  WHERE w.organization_id = %(organization)s AND n.recipient_id = %(person)s AND w.state = 'waiting'
    AND (w.due_at <= %(now)s OR (w.channel = 'mail' AND w.due_at <= %(soon)s AND EXISTS (
      SELECT FROM notify_delivery e JOIN notify_notification o ON o.organization_id = e.organization_id
        AND o.id = e.notification_id WHERE e.organization_id = %(organization)s AND o.recipient_id = %(person)s
        AND e.channel = 'mail' AND e.state = 'waiting' AND e.due_at <= %(now)s)))
  ORDER BY w.id LIMIT %(most)s FOR UPDATE OF w SKIP LOCKED) t
WHERE d.organization_id = %(organization)s AND d.id = t.id
RETURNING d.id, d.notification_id, d.channel, d.target_id, d.attempts, t.due_at
"""
_DUE = """
SELECT n.organization_id, n.recipient_id FROM notify_delivery d JOIN notify_notification n ON n.id = d.notification_id
WHERE d.state = 'waiting' AND d.due_at <= now()
GROUP BY n.organization_id, n.recipient_id ORDER BY min(d.due_at) LIMIT %s
"""


@dataclass(frozen=True)
class Taken:
    """A delivery this worker has for a while."""

    id: int
    notification_id: UUID
    channel: str
    target_id: UUID | None
    attempts: int
    due_at: datetime


@dataclass(frozen=True)
class Reader:
    """Whom it goes to, as of now."""

    principal: Principal
    account: AccountView
    wishes: PreferencesView
    organization_language: str

    @property
    def language(self) -> str:
        """Return the language mail and push messages are written in."""
        return self.account.language or self.organization_language


def due_people(*, most: int) -> list[tuple[UUID, UUID]]:
    """Return (organization, person) of what is due, longest first; for the relay, which sees all of them."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [most])
        found: list[tuple[UUID, UUID]] = cursor.fetchall()
    return found


def deliver_to(principal_id: UUID) -> int:
    """Send what is due to one person of the current organization; return how many deliveries were looked at."""
    taken = _take(principal_id)
    if not taken:
        return 0
    reader = _find_reader(principal_id)
    if reader is None:
        _settle(taken, Outcome(stopped="no_access"))
        return len(taken)
    views = _views(reader, taken)
    gone = [one for one in taken if one.notification_id not in views]
    _settle(gone, Outcome(stopped="no_access"))
    fresh = _unread(taken, views)
    _mail(reader, [one for one in fresh if one.channel == MAIL], views)
    for one in fresh:
        if one.channel == PUSH:
            _push(reader, one, views[one.notification_id])
    return len(taken)


def _take(principal_id: UUID) -> list[Taken]:
    """Mail that is nearly due goes along with mail that is due."""
    now = timezone.now()
    soon = now + timedelta(seconds=settings.CONFIGURATION.notification.mail_wait_seconds)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            _TAKE,
            {
                "organization": tenancy.current(), "person": principal_id, "now": now, "soon": soon,
                "lease": now + LEASE, "most": MOST_AT_ONCE,
            },
        )  # fmt: skip
        return sorted((Taken(*row) for row in cursor.fetchall()), key=lambda one: one.id)


def _find_reader(principal_id: UUID) -> Reader | None:
    try:
        principal = principal_of_member(organization_id=tenancy.current(), user_id=principal_id)
    except MemberNotFound:
        return None
    return Reader(
        principal,
        get_account(principal_id),
        preferences_of([principal_id])[principal_id],
        get_organization(principal.organization_id).language,
    )


def _views(reader: Reader, taken: Iterable[Taken]) -> dict[UUID, NotificationView]:
    """Return what is told, in the reader's words and time: apps say titles and days at once, not when they are read."""
    rows = Notification.objects.filter(
        organization_id=tenancy.current(), pk__in={one.notification_id for one in taken}
    )
    zone = deciding.zone(reader.wishes.time_zone)
    with translation.override(reader.language), timezone.override(zone):
        return {view.id: view for view in described(reader.principal, map(as_row, rows))}


def _unread(taken: Sequence[Taken], views: dict[UUID, NotificationView]) -> list[Taken]:
    """Leave out what was read or taken back; its waiting lines were settled when that happened, these were taken."""
    fresh = []
    standing = set(
        Notification.objects.filter(
            organization_id=tenancy.current(), pk__in=views.keys(), cancelled_at=None
        ).values_list("pk", flat=True)
    )
    for one in taken:
        view = views.get(one.notification_id)
        if view is None:
            continue
        if one.notification_id not in standing:
            _settle([one], Outcome(stopped="gone"))
        elif view.row.read_at is not None:
            _settle([one], Outcome(stopped="read"))
        else:
            fresh.append(one)
    return fresh


def _mail(reader: Reader, taken: Sequence[Taken], views: dict[UUID, NotificationView]) -> None:
    if not taken:
        return
    if reader.wishes.mail == "off" or not reader.account.email:
        _settle(taken, Outcome(stopped="off" if reader.account.email else "no_address"))
        return
    is_digest = reader.wishes.mail != "soon"
    by_place: dict[object, list[Taken]] = defaultdict(list)
    for one in taken:
        by_place[_place_of(views[one.notification_id])].append(one)
    batches = [list(by_place.values())] if is_digest else [[group] for group in by_place.values()]
    for batch in batches:
        mail = mailing.Mail(
            principal=reader.principal,
            to=reader.account.email,
            language=reader.language,
            zone=deciding.zone(reader.wishes.time_zone),
            groups=[_group([views[one.notification_id] for one in group]) for group in batch],
            is_digest=is_digest,
            has_content=reader.wishes.push_content,
            key=f"{batch[0][0].notification_id}.{batch[0][0].id}",
        )
        _settle([one for group in batch for one in group], mailing.send(mail))


def _place_of(view: NotificationView) -> tuple[object, object]:
    """Return what shares a mail: a conversation or thread; outside of one what is called the same, as reports are."""
    row = view.row
    return (row.conversation_id, row.thread_id) if row.conversation_id else (row.kind, view.described.title)


def _group(views: Sequence[NotificationView]) -> mailing.Group:
    row, first = views[0].row, views[0].described
    has_place = row.conversation_id is not None and first.place
    return mailing.Group(f"#{first.place}" if has_place else first.title, tuple(views))


def _push(reader: Reader, one: Taken, view: NotificationView) -> None:
    stopped = "" if reader.wishes.has_push else "off"
    stopped = stopped or deciding.disturbed_by(reader.wishes, timezone.now())
    if stopped or one.target_id is None:
        _settle([one], Outcome(stopped=stopped or "no_address"))
        return
    if _waits_for_eyes(reader, view):
        _postpone(one)
        return
    push = pushing.Push(
        subscription_id=one.target_id,
        principal=reader.principal,
        view=view,
        language=reader.language,
        has_content=reader.wishes.push_content,
    )
    _settle([one], pushing.send(push))


def _waits_for_eyes(reader: Reader, view: NotificationView) -> bool:
    """Whoever is at the screen sees it there; whoever closed the lid a moment ago still gets it, a little later."""
    if timezone.now() - view.created_at > ACTIVE_LONGEST:
        return False
    return activity.is_at_screen(
        organization_id=reader.principal.organization_id, principal_id=reader.principal.id
    )


def _postpone(one: Taken) -> None:
    Delivery.objects.filter(organization_id=tenancy.current(), pk=one.id, state="waiting").update(
        due_at=timezone.now() + ACTIVE_WAIT, outcome="active", attempts=one.attempts - 1
    )


def _settle(taken: Sequence[Taken], outcome: Outcome) -> None:
    """Write down what became of the deliveries; one that is tried again waits longer each time."""
    failed = {"refused", "unsubscribed"}
    groups: dict[bool, list[Taken]] = defaultdict(list)
    for one in taken:
        groups[bool(outcome.later) and one.attempts < MOST_ATTEMPTS].append(one)
    for one in groups[True]:
        wait = max(outcome.after_seconds or 0, BACK_OFF_SECONDS[min(one.attempts, len(BACK_OFF_SECONDS)) - 1])
        _rows([one]).update(
            due_at=timezone.now() + timedelta(seconds=wait),
            outcome=outcome.later,
            detail=outcome.detail[:200],
        )
    if not groups[False]:
        return
    word = outcome.stopped or outcome.later
    state = Delivery.State.SENT
    if word:
        state = Delivery.State.FAILED if outcome.later or word in failed else Delivery.State.SUPPRESSED
    now = timezone.now()
    _rows(groups[False]).update(
        state=state, outcome=word or "sent", detail=outcome.detail[:200], settled_at=now
    )
    for one in groups[False]:
        settled_total.labels(one.channel, word or "sent").inc()
        if not word:
            lag_seconds.labels(one.channel).observe((now - one.due_at).total_seconds())


def _rows(taken: Iterable[Taken]) -> QuerySet[Delivery]:
    return Delivery.objects.filter(
        organization_id=tenancy.current(), pk__in=[one.id for one in taken], state=Delivery.State.WAITING
    )
