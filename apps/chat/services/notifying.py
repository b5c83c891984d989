"""Whom to tell of a message and why: the strongest reason of each member. `notify` decides how, and whether at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from apps.accounts.errors import MemberNotFound
from apps.accounts.selectors.principals import principal_of_member
from apps.chat.selectors import notifying, reported, waiting_reports
from apps.chat.selectors.notifying import Concerned, Told
from apps.core import tenancy
from apps.notify.selectors import levels
from apps.notify.selectors.notifications import told_of
from apps.notify.services import noticing
from apps.notify.types import Kind, Notice, Recipient

REMINDER = Kind(key="chat.reminder", label=_("Reminder"), describe=notifying.describe_reminders)
HIDDEN = Kind(key="chat.hidden", label=_("Hidden message"), describe=notifying.describe_hidden)
REMOVED = Kind(key="chat.removed", label=_("Removed message"), describe=notifying.describe_removed)
REPORT = Kind(key="chat.report", label=_("A message was reported"), describe=reported.describe_reports)
WAITING = Kind(key="chat.waiting", label=_("Reports that wait"), describe=waiting_reports.describe)
OUTCOME = Kind(key="chat.outcome", label=_("What became of your report"), describe=reported.describe_outcomes)
MESSAGE = Kind(key="chat.message", label=_("Message"), describe=notifying.describe)


def subject(message_id: UUID) -> str:
    """Return what notifications of a message are about."""
    return f"message:{message_id}"


def places(told: Told) -> tuple[str, ...]:
    """Return where its reader may have said what it wants to hear, nearest first."""
    thread = (f"thread:{told.thread_id}",) if told.thread_id else ()
    return (*thread, f"conversation:{told.conversation_id}")


def tell_of(message_id: UUID) -> None:
    """Tell who is concerned by a new message; twice is harmless, and so is a message that is gone."""
    told = notifying.find_told(message_id)
    if told is None:
        return
    _tell(message_id, told, is_edit=False)
    if told.thread_id is not None:
        answered(principal_id=told.sender_id, message_id=told.thread_id)


def answered(*, principal_id: UUID, message_id: UUID) -> None:
    """Somebody answered, acknowledged or reacted to a message: it knows of it, and an urgent one is not said again."""
    noticing.read_subject(
        organization_id=tenancy.current(), principal_id=principal_id, subject=subject(message_id)
    )


def go_along(
    *, conversation_id: UUID, numbers: Mapping[UUID, int], readers: Collection[UUID], organization_id: UUID
) -> None:
    """What was told of messages that stand in another conversation now is read there; who is not in it loses it.

    Args:
        numbers: of the messages there. readers: its members.
    """
    subjects = {subject(pk): number for pk, number in numbers.items()}
    subjects |= {
        told_of(pk): number for pk, number in numbers.items() for told_of in (hidden_subject, removed_subject)
    }
    noticing.carry(
        organization_id=organization_id, conversation_id=conversation_id, subjects=subjects, readers=readers
    )


def hidden_subject(message_id: UUID) -> str:
    """Return what a notification of a hidden message is about."""
    return f"hidden:{message_id}"


def tell_of_hidden(message_id: UUID) -> None:
    """Tell the author that moderators have hidden a message; twice is harmless, and so is one that is back."""
    found = notifying.find_hidden(message_id)
    if found is not None:
        _tell_author(HIDDEN, hidden_subject(message_id), message_id, found)


def removed_subject(message_id: UUID) -> str:
    """Return what a notification of a removed message is about."""
    return f"removed:{message_id}"


def tell_of_removed(message_id: UUID, *, actor_id: UUID | None) -> None:
    """Tell the author that somebody else took a message away; twice is harmless, and so is one that is back."""
    found = notifying.find_removed(message_id)
    if found is not None and actor_id is not None:
        _tell_author(REMOVED, removed_subject(message_id), message_id, found, actor_id=actor_id)


def _tell_author(
    kind: Kind, subject: str, message_id: UUID, found: tuple[UUID, UUID], *, actor_id: UUID | None = None
) -> None:
    conversation_id, sender_id = found
    notice = Notice(
        organization_id=tenancy.current(),
        kind=kind.key,
        subject=subject,
        actor_id=actor_id,
        conversation_id=conversation_id,
        message_id=message_id,
    )
    noticing.notify(notice, [Recipient(principal_id=sender_id, reason="admin")])


def report_subject(message_id: UUID) -> str:
    """Return what a notification of a reported message is about."""
    return f"report:{message_id}"


def tell_of_report(*, message_id: UUID, reporter_id: UUID | None) -> None:
    """Tell who decides about a reported message, once for all its reports. Twice is harmless, as is a decided one.

    Nobody decides about its own message: where nobody else may, those who give roles are told.
    """
    notice = Notice(
        organization_id=tenancy.current(),
        kind=REPORT.key,
        subject=report_subject(message_id),
        actor_id=reporter_id,
        message_id=message_id,
    )
    deciding = list(reported.who_decides(message_id)) or reported.who_gives_roles(message_id)
    noticing.notify(notice, [Recipient(principal_id=person, reason="report") for person in deciding])


def tell_of_waiting(*, principal_id: UUID) -> None:
    """Tell who got the right to moderate, once for each place, how many reports wait there. Twice is harmless.

    Who was told of each of them as it came has the right for longer. Losing it takes back what was told.
    """
    organization_id = tenancy.current()
    try:
        principal = principal_of_member(organization_id=organization_id, user_id=principal_id)
    except MemberNotFound:
        return  # its seat is over at this moment
    beginning = f"waits:{principal_id}:"  # a subject has at most 80 characters
    subjects = {f"{beginning}{place}": place for place in waiting_reports.places_of(principal)}
    noticing.cancel_beginning(principal_id=principal_id, beginning=beginning, but_not=subjects)
    for subject, place in subjects.items():
        waiting = {report_subject(pk) for pk in waiting_reports.messages_waiting(principal, place)}
        if waiting - told_of(principal_id, waiting):
            notice = Notice(organization_id=organization_id, kind=WAITING.key, subject=subject)
            noticing.notify(notice, [Recipient(principal_id=principal_id, reason="report")])


def outcome_subject(report_id: UUID) -> str:
    """Return what a notification of what became of a report is about."""
    return f"outcome:{report_id}"


def tell_of_outcome(*, message_id: UUID, reports: Mapping[UUID, UUID], decided_by: UUID) -> None:
    """Tell who reported a message that it was decided, but not by whom; who decided knows. Twice is harmless.

    Args:
        reports: who made which.
    """
    for report_id, reporter_id in reports.items():
        notice = Notice(
            organization_id=tenancy.current(),
            kind=OUTCOME.key,
            subject=outcome_subject(report_id),
            message_id=message_id,
        )
        if reporter_id != decided_by:
            noticing.notify(notice, [Recipient(principal_id=reporter_id, reason="outcome")])


def tell_of_reminder(
    *, reminder_id: UUID, principal_id: UUID, due_at: datetime, message_id: UUID | None
) -> None:
    """Tell a person that the time of its reminder has come; each time of one that repeats is a thing of its own."""
    notice = Notice(
        organization_id=tenancy.current(),
        kind=REMINDER.key,
        subject=f"{reminder_subject(reminder_id)}{int(due_at.timestamp())}",
        message_id=message_id,
    )
    noticing.notify(notice, [Recipient(principal_id=principal_id, reason="reminder")])


def reminder_subject(reminder_id: UUID) -> str:
    """Return how subjects of one reminder begin."""
    return f"reminder:{reminder_id}:"


def tell_of_edit(message_id: UUID) -> None:
    """Tell whom an edit mentions, and take back what was told to those it mentions no more."""
    told = notifying.find_told(message_id)
    if told is None:
        return
    mentioned = _tell(message_id, told, is_edit=True)
    noticing.cancel(
        organization_id=tenancy.current(),
        subjects=[subject(message_id)],
        reasons=["mention", "group_mention"],
        but_not=mentioned,
    )


def _tell(message_id: UUID, told: Told, *, is_edit: bool) -> list[UUID]:
    """Return who is mentioned. An edit tells nobody but those."""
    is_conversation_of_few = told.kind != "channel"
    here = places(told)
    own = here[0] if told.thread_id else ""
    heard = levels.NOBODY if is_edit else levels.listening(here, told.body, own=own)
    all_of_it = heard.at.get(here[-1], frozenset()) | heard.anywhere
    # whoever set a level for the thread is asked about each reply, and told or told why not
    followers = heard.at.get(own, frozenset())
    members = notifying.concerned(
        message_id,
        everybody=(is_conversation_of_few and not is_edit) or heard.by_default,
        wanted=[*heard.words, *all_of_it, *followers],
    )
    recipients = [
        Recipient(principal_id=member.principal_id, reason=reason, is_muted=member.is_muted)
        for member in members
        if (is_edit or not member.has_read)
        and (
            reason := _reason(
                member,
                is_direct=is_conversation_of_few and not is_edit,
                has_word=member.principal_id in heard.words,
                follows=member.principal_id in followers or (member.follows and not is_edit),
                follows_topic=member.follows_topic and not is_edit,
                hears_all=not is_edit and (heard.by_default or member.principal_id in all_of_it),
            )
        )
    ]
    noticing.notify(
        Notice(
            organization_id=tenancy.current(),
            kind=MESSAGE.key,
            subject=subject(message_id),
            actor_id=told.sender_id,
            conversation_id=told.conversation_id,
            thread_id=told.thread_id,
            message_id=message_id,
            sequence=told.sequence,
            places=here,
            is_urgent=told.is_urgent,
        ),
        recipients,
    )
    return [member.principal_id for member in members if member.is_mentioned]


def _reason(
    member: Concerned, *, is_direct: bool, has_word: bool, follows: bool, follows_topic: bool, hears_all: bool
) -> str:
    if member.is_mentioned:
        return "mention" if member.is_named else "group_mention"
    if is_direct:
        return "direct"
    if has_word:
        return "keyword"
    if follows:
        return "followed_thread"
    if follows_topic:
        return "followed_topic"
    return "conversation" if hears_all else ""
