"""What the pages of the review queue share: the console's, and the chat's for who moderates single channels."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.types import Principal
from apps.chat.errors import ReportNotFound
from apps.chat.selectors.moderation import list_reports
from apps.chat.services import moderation
from apps.chat.types import BODY_LIMIT, ReportState
from apps.core import console_shell

_SAID = {
    ReportState.DISMISSED: gettext_lazy("The report is dismissed"),
    ReportState.WARNED: gettext_lazy("The author is warned"),
    ReportState.REMOVED: gettext_lazy("The message is removed"),
}


def queue(request: HttpRequest, principal: Principal) -> dict[str, Any]:
    """Return what waits for a decision of the reader, or what was decided; without what the messages say."""
    state = request.GET.get("state", "open")
    state = state if state in ReportState.values else ""
    load = partial(list_reports, principal, state=state)
    rows, paging = console_shell.paged(request, lambda offset, limit: load(offset=offset, limit=limit))
    return {"rows": rows, "paging": paging, "state": state, "states": ReportState.choices}


def opened(principal: Principal, report_id: UUID) -> dict[str, Any]:
    """Return a report with what the message says; that is noted in the audit trail."""
    view = moderation.read_report(principal=principal, report_id=report_id)
    return {"report": view, "most": BODY_LIMIT}


def decide(request: HttpRequest, principal: Principal, report_id: UUID, *, back: str) -> HttpResponse:
    """Decide about a message, and go back to the queue."""
    decision = request.POST.get("decision", "")
    if decision not in ReportState.values or decision == ReportState.OPEN:
        raise ReportNotFound
    chosen = ReportState(decision)
    return console_shell.act(
        request,
        lambda: moderation.decide(
            principal=principal,
            report_id=report_id,
            decision=chosen,
            warning=request.POST.get("warning", ""),
        ),
        back=back,
        said=str(_SAID[chosen]),
    )


def hide(request: HttpRequest, principal: Principal, report_id: UUID, *, back: str) -> HttpResponse:
    """Take a message away until somebody decides, and go back to the queue's page of it."""
    return console_shell.act(
        request,
        lambda: moderation.hide(principal=principal, report_id=report_id),
        back=f"{back}{report_id}/",
        said=_("The message is hidden until somebody decides"),
    )
