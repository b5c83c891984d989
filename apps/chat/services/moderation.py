"""Reports of messages: whoever sees a message can report it, moderators look at it and decide."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts.services import trail
from apps.accounts.types import Principal
from apps.chat import actions, events
from apps.chat.errors import (
    MessageDeleted,
    MessageNotFound,
    NoteTooLong,
    OwnMessage,
    ReportDecided,
    ReportNotFound,
)
from apps.chat.models import DeletedMessage, Message, Report
from apps.chat.selectors.messages import visible_messages
from apps.chat.selectors.moderation import ReportView, get_report, visible_reports
from apps.chat.services import composing, deleted, notifying
from apps.chat.services.conversations import open_direct
from apps.chat.services.messages import send_message, take_away
from apps.chat.services.standing import lock_message
from apps.chat.types import ReportReason, ReportState
from apps.core.events import log
from apps.files.selectors.files import find_file
from apps.notify.services import noticing

LONGEST_NOTE = 1000


@dataclass(frozen=True)
class HiddenText:
    """What a hidden message says."""

    body: str
    html: str


def report_message(*, principal: Principal, message_id: UUID, reason: ReportReason, note: str = "") -> UUID:
    """Tell moderators of a message; return the report's id. Reporting again changes reason and note while it is open.

    A text that was changed since the decision can be reported anew. The author is not told, and nobody else either.

    Raises:
        MessageNotFound, MessageDeleted, OwnMessage, NoteTooLong, ReportDecided.
    """
    cleaned = note.replace("\x00", "").strip()
    if len(cleaned) > LONGEST_NOTE:
        raise NoteTooLong(limit=LONGEST_NOTE)
    message = visible_messages(principal).filter(pk=message_id).first()
    if message is None:
        raise MessageNotFound
    if message.deleted_at is not None:
        raise MessageDeleted
    if message.sender_id == principal.id:
        raise OwnMessage
    with transaction.atomic():
        report, is_new = Report.objects.get_or_create(
            organization_id=principal.organization_id,
            message_id=message_id,
            reporter_id=principal.id,
            defaults={"reason": reason, "note": cleaned},
        )
        if is_new or _open_again(report, message, reason=reason, note=cleaned):
            _tell_reported(principal, message, report.pk)
            return report.pk
        changed = Report.objects.filter(pk=report.pk, state=ReportState.OPEN).update(
            reason=reason, note=cleaned
        )
        if not changed:
            raise ReportDecided
    return report.pk


def _open_again(report: Report, message: Message, **changes: str) -> bool:
    """Let a decided report wait again, where the message says something else since; return whether it does."""
    if message.edited_at is None:
        return False
    decided = Report.objects.filter(pk=report.pk, decided_at__lt=message.edited_at)
    if not decided.update(state=ReportState.OPEN, decided_by=None, decided_at=None, **changes):
        return False
    noticing.cancel(organization_id=report.organization_id, subjects=[notifying.outcome_subject(report.pk)])
    return True


def _tell_reported(principal: Principal, message: Message, report_id: UUID) -> None:
    log.record(
        events.MessageReported(
            organization_id=principal.organization_id,
            stream_id=principal.organization_id,
            scope_id=message.scope_id,
            actor_id=principal.id,
            report_id=report_id,
            message_id=message.pk,
        )
    )


def read_report(*, principal: Principal, report_id: UUID) -> ReportView:
    """Return a report with what the message says; reading it leaves a line in the audit trail.

    Raises:
        ReportNotFound: missing, or not for this principal to decide.
    """
    with transaction.atomic():
        view = get_report(principal, report_id)
        trail.note(
            principal,
            actions.REPORT_READ,
            "message",
            view.message_id,
            report=report_id,
            sender=view.sender_id,
        )
        hidden = DeletedMessage.objects.filter(message_id=view.message_id, purge_at=None).first()
    if hidden is None or not view.is_hidden:
        return view
    files = (find_file(organization_id=principal.organization_id, file_id=pk) for pk in hidden.files)
    return dataclasses.replace(
        view,
        body=hidden.body,
        html=composing.render_body(hidden.body).html,
        files=tuple(file.name for file in files if file is not None),
    )


def decide(*, principal: Principal, report_id: UUID, decision: ReportState, warning: str = "") -> None:
    """Decide about a message for all its open reports: nothing is wrong, the author is warned, or it is removed.

    What was hidden comes back unless it is removed. Who reported it hears whether it stays.

    Args:
        warning: what the principal writes to the author in their direct conversation; needed for `warned`.

    Raises:
        ReportNotFound, ReportDecided, EmptyMessage and what sending raises; ValueError: `open` is no decision.
    """
    if decision == ReportState.OPEN:
        raise ValueError(decision)
    with transaction.atomic():
        report = _lock_open(principal, report_id)
        message = _lock_reported(report)
        waiting = Report.objects.filter(message_id=message.pk, state=ReportState.OPEN)
        reports = dict(waiting.exclude(reporter=None).order_by("pk").values_list("pk", "reporter_id"))
        waiting.update(state=decision, decided_by_id=principal.id, decided_at=timezone.now())
        noticing.cancel(
            organization_id=principal.organization_id, subjects=[notifying.report_subject(message.pk)]
        )
        _settle(principal, message, decision)
        notifying.tell_of_outcome(message_id=message.pk, reports=reports, decided_by=principal.id)
        if decision == ReportState.WARNED:
            _warn(principal, report_id=report_id, author_id=message.sender_id, warning=warning)
        trail.note(
            principal, actions.REPORT_DECIDED, "message", message.pk,
            report=report_id, decision=decision.value, sender=message.sender_id,
        )  # fmt: skip


def hide(*, principal: Principal, report_id: UUID) -> None:
    """Take a reported message away until somebody decides; twice is harmless.

    Readers see a notice in its place. The author is told, and reads it still; so do those who decide. A decision
    other than removing brings it back.

    Raises:
        ReportNotFound, ReportDecided, MessageDeleted.
    """
    with transaction.atomic():
        report = _lock_open(principal, report_id)
        message = _lock_reported(report)
        if message.hidden_at is not None:
            return
        if message.deleted_at is not None:
            raise MessageDeleted
        take_away(message, actor_id=principal.id, until_decided=True)
        _note(principal, actions.MESSAGE_HIDDEN, message)


def read_own_hidden(*, principal: Principal, message_ids: Iterable[UUID]) -> dict[UUID, HiddenText]:
    """Return what hidden messages say, for their author alone; others' are absent. One query, none without ids."""
    wanted = list(message_ids)
    if not wanted:
        return {}
    rows = DeletedMessage.objects.filter(
        organization_id=principal.organization_id,
        message__in=visible_messages(principal).filter(pk__in=wanted, sender_id=principal.id),
        purge_at=None,
    )
    return {row.message_id: HiddenText(row.body, composing.render_body(row.body).html) for row in rows}


def get_own_hidden(*, principal: Principal, message_id: UUID) -> HiddenText:
    """Return what a hidden message says, for its author.

    Raises:
        MessageNotFound: missing, not hidden, or somebody else's.
    """
    found = read_own_hidden(principal=principal, message_ids=[message_id])
    if message_id not in found:
        raise MessageNotFound
    return found[message_id]


def _settle(principal: Principal, message: Message, decision: ReportState) -> None:
    """Take the message away for good, or bring back what was hidden."""
    is_hidden = message.hidden_at is not None
    if decision == ReportState.REMOVED:
        if message.deleted_at is not None and not is_hidden:
            return
        if is_hidden:
            deleted.remove_for_good(message, actor_id=principal.id)
        else:
            take_away(message, actor_id=principal.id)
        _note(principal, actions.MESSAGE_REMOVED, message)
    elif is_hidden and deleted.show_again(message, actor_id=principal.id):
        _note(principal, actions.MESSAGE_SHOWN, message)


def _note(principal: Principal, action: str, message: Message) -> None:
    trail.note(
        principal,
        action,
        "message",
        message.pk,
        conversation=message.conversation_id,
        sender=message.sender_id,
    )


def _lock_open(principal: Principal, report_id: UUID) -> Report:
    report = (
        visible_reports(principal).select_for_update(no_key=True, of=("self",)).filter(pk=report_id).first()
    )
    if report is None:
        raise ReportNotFound
    if report.state != ReportState.OPEN:
        raise ReportDecided
    return report


def _lock_reported(report: Report) -> Message:
    message = lock_message(Message.objects.filter(pk=report.message_id))
    assert message is not None  # noqa: S101 - a report goes with its message
    return message


def _warn(principal: Principal, *, report_id: UUID, author_id: UUID, warning: str) -> None:
    """Write to the author in the moderator's own name; once for each report."""
    direct = open_direct(principal=principal, people=[author_id])
    send_message(principal=principal, conversation_id=direct, body=warning, client_key=f"warning-{report_id}")
