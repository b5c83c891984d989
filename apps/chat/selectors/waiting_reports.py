"""Reports that wait where somebody decides about them, and what a notification says to who may only now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.services import access
from apps.accounts.types import Principal
from apps.chat.models import Report
from apps.chat.selectors.moderation import MODERATE, visible_reports
from apps.chat.types import ReportState
from apps.core import console_shell
from apps.notify.types import Described, NotificationRow

EVERYWHERE: Final = "everywhere"


def places_of(principal: Principal) -> list[str]:
    """Return where the principal decides about reports: everywhere, or the ids of audiences. No query."""
    found = access.places_of(principal, MODERATE)
    return [EVERYWHERE] if found.everywhere else sorted(map(str, found.scopes))


def messages_waiting(principal: Principal, place: str) -> set[UUID]:
    """Return the reported messages of a place that wait for this principal. One query."""
    return set(_waiting(principal, place).values_list("message_id", flat=True))


def describe(principal: Principal, rows: Sequence[NotificationRow]) -> Mapping[UUID, Described]:
    """Return how many reports wait now; one query for each place."""
    if console_shell.may_open(principal, MODERATE):
        url = console_shell.address(principal, "reports")
    else:
        url = reverse("chat:reports", kwargs={"slug": principal.organization_slug})
    return {
        row.id: Described(
            title=_("You may decide about reports now"),
            text=_words(len(messages_waiting(principal, row.subject.rpartition(":")[2]))),
            url=url,
        )
        for row in rows
    }


def _words(count: int) -> str:
    if not count:
        return _("None waits any more.")
    said = ngettext("%(count)s reported message waits.", "%(count)s reported messages wait.", count)
    return said % {"count": count}


def _waiting(principal: Principal, place: str) -> QuerySet[Report]:
    rows = visible_reports(principal).filter(state=ReportState.OPEN)
    return rows if place == EVERYWHERE else rows.filter(message__scope_id=UUID(place))
