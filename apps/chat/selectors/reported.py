"""Whom a report of a message concerns, and what a notification of one says to its reader."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.errors import MemberNotFound
from apps.accounts.selectors.members import holders_of
from apps.accounts.selectors.principals import principal_of_member
from apps.accounts.selectors.scoped_roles import holders_in
from apps.accounts.services import access
from apps.accounts.types import Principal
from apps.chat.models import Message, Report
from apps.chat.selectors.messages import visible_messages
from apps.chat.selectors.moderation import MODERATE, report_address, visible_reports
from apps.chat.selectors.notifying import message_url
from apps.chat.types import ReportReason, ReportState
from apps.core import console_shell, tenancy
from apps.notify.types import Described, NotificationRow

MANAGE_MEMBERS = "member.manage"


def who_decides(message_id: UUID) -> Iterator[UUID]:
    """Yield who finds an open report of a message in a queue: the console's, or the chat's for single channels.

    Six queries, and two for each person who may be one.
    """
    scope_id = Message.objects.filter(organization_id=tenancy.current(), pk=message_id).values_list(
        "scope_id", flat=True
    )
    for person in _may_decide(scope_id.first()):
        try:
            principal = principal_of_member(organization_id=tenancy.current(), user_id=person)
        except MemberNotFound:
            continue  # its seat is over at this moment
        reports = visible_reports(principal).filter(message_id=message_id, state=ReportState.OPEN)
        if reports.exists():
            yield person


def _may_decide(scope_id: UUID | None) -> list[UUID]:
    everywhere = holders_of({MODERATE})
    here = holders_in(scope_id=scope_id, permission=MODERATE) if scope_id else set()
    return [*everywhere, *sorted(here.difference(everywhere))]


def who_gives_roles(message_id: UUID) -> list[UUID]:
    """Return who can let somebody else decide about a message: those who manage members, but not its author."""
    message = Message.objects.filter(organization_id=tenancy.current(), pk=message_id)
    senders = set(message.values_list("sender_id", flat=True))
    return [person for person in holders_of({MANAGE_MEMBERS}) if person not in senders]


def describe_reports(principal: Principal, rows: Sequence[NotificationRow]) -> Mapping[UUID, Described]:
    """Return what notifications of reported messages say to who decides; not what the messages say. Two queries.

    Who manages members without deciding is asked to find somebody who does. Those without an open report are absent.
    """
    wanted = {row.message_id for row in rows if row.message_id is not None}
    reports = visible_reports(principal).filter(message_id__in=wanted, state=ReportState.OPEN).order_by("-pk")
    found = {one.message_id: one for one in reports.select_related("message__conversation")}
    undecided = _undecided(principal, wanted - found.keys())
    waiting = Described(
        title=_("A report waits, and nobody may decide about it"),
        text=_(
            "The only one who may is the author of the message. Somebody else needs a role that moderates."
        ),
        url=console_shell.address(principal, "people"),
    )
    said = {
        row.id: Described(
            title=_("A message was reported"),
            text=str(ReportReason(found[row.message_id].reason).label),
            url=report_address(principal, found[row.message_id].pk),
            place=found[row.message_id].message.conversation.name,
        )
        for row in rows
        if row.message_id in found
    }
    return said | {row.id: waiting for row in rows if row.message_id in undecided}


def _undecided(principal: Principal, message_ids: Collection[UUID]) -> set[UUID]:
    """Return the messages of others with an open report, for who may give roles."""
    if not message_ids or not access.can(principal, MANAGE_MEMBERS):
        return set()
    reports = Report.objects.filter(
        organization_id=principal.organization_id, message_id__in=message_ids, state=ReportState.OPEN
    )
    return set(reports.exclude(message__sender_id=principal.id).values_list("message_id", flat=True))


def describe_outcomes(principal: Principal, rows: Sequence[NotificationRow]) -> Mapping[UUID, Described]:
    """Return what notifications of decided reports say to who made them; nothing of who decided. Two queries."""
    wanted = {row.message_id for row in rows if row.message_id is not None}
    reports = Report.objects.filter(
        organization_id=principal.organization_id, reporter_id=principal.id, message_id__in=wanted
    ).exclude(state=ReportState.OPEN)
    found = {one.message_id: ReportState(one.state) for one in reports}
    seen = visible_messages(principal).filter(pk__in=found).select_related("conversation").in_bulk()
    return {
        row.id: _outcome(principal, found[row.message_id], seen.get(row.message_id))
        for row in rows
        if row.message_id in found
    }


def _outcome(principal: Principal, state: ReportState, message: Message | None) -> Described:
    """Only who still sees the message reads where it is."""
    return Described(
        title=_("What you reported was looked at"),
        text=_("The message was taken away.") if state == ReportState.REMOVED else _("The message stays."),
        url=message_url(principal, message)
        if message
        else reverse("chat:home", kwargs={"slug": principal.organization_slug}),
        place=message.conversation.name if message else "",
    )
