"""What notifications of seats that end say: to the guest, and to who invited it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from apps.accounts.selectors.guests import EndingSeat, ending_seats
from apps.accounts.types import Principal
from apps.core import console_shell
from apps.notify.types import Described, NotificationRow

MANAGE = "member.manage"


def subject(seat: EndingSeat) -> str:
    """Return what a notification is about: each end of a seat is a thing of its own."""
    return f"seat:{seat.member_id}:{int(seat.ends_at.timestamp())}"


def describe(principal: Principal, rows: Sequence[NotificationRow]) -> Mapping[UUID, Described]:
    """Return what they say; those of seats that ended, or end at another time by now, are absent. One query."""
    seats = {row.id: UUID(row.subject.split(":")[1]) for row in rows}
    known = ending_seats(set(seats.values()))
    return {
        row.id: _described(principal, seat)
        for row in rows
        if (seat := known.get(seats[row.id])) is not None and row.subject == subject(seat)
    }


def _described(principal: Principal, seat: EndingSeat) -> Described:
    day = date_format(timezone.localtime(seat.ends_at), "DATETIME_FORMAT")
    if seat.principal_id == principal.id:
        return Described(
            title=_("Your access as a guest ends soon"),
            text=_(
                "Your access to %(organization)s ends on %(day)s. Ask who invited you if you need it longer."
            )
            % {"organization": seat.organization_name, "day": day},
            url=reverse("people:settings", kwargs={"slug": principal.organization_slug}),
        )
    return Described(
        title=_("The access of a guest you invited ends soon"),
        text=_("%(name)s has access until %(day)s. Who manages members can give more time.")
        % {"name": seat.name, "day": day},
        url=_page_of(principal, seat),
    )


def _page_of(principal: Principal, seat: EndingSeat) -> str:
    """Who may change the end finds it there; anybody else finds its own notifications."""
    if console_shell.may_open(principal, MANAGE):
        return console_shell.address(principal, "person", member_id=seat.member_id)
    return reverse("notify:list", kwargs={"slug": principal.organization_slug})
