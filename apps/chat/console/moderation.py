"""The console's page of reports: what waits, what a reported message says, and the decision."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.types import Principal
from apps.chat.errors import ReportNotFound
from apps.chat.selectors.moderation import MODERATE, list_reports
from apps.chat.services import moderation
from apps.chat.types import BODY_LIMIT, ReportState
from apps.core import console_shell
from apps.core.registry import register_console_page

PAGE = "reports"
_SAID = {
    ReportState.DISMISSED: gettext_lazy("The report is dismissed"),
    ReportState.WARNED: gettext_lazy("The author is warned"),
    ReportState.REMOVED: gettext_lazy("The message is removed"),
}


class ConsoleRequest(HttpRequest):
    """A request behind the console's door."""

    principal: Principal


@require_safe
def reports(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """List what waits for a decision, or what was decided."""
    state = request.GET.get("state", "open")
    state = state if state in ReportState.values else ""
    load = partial(list_reports, request.principal, state=state)
    rows, paging = console_shell.paged(request, lambda offset, limit: load(offset=offset, limit=limit))
    context = {
        "console_page": PAGE,
        "rows": rows,
        "paging": paging,
        "state": state,
        "states": ReportState.choices,
    }
    return render(request, "console/reports.html", context)


@never_cache
@require_safe
def report(request: ConsoleRequest, slug: str, report_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Show what a reported message says; that is noted in the audit trail."""
    view = moderation.read_report(principal=request.principal, report_id=report_id)
    return render(
        request, "console/moderation/report.html", {"console_page": PAGE, "report": view, "most": BODY_LIMIT}
    )


@require_POST
def decide(request: ConsoleRequest, slug: str, report_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Decide about a message."""
    decision = request.POST.get("decision", "")
    if decision not in ReportState.values or decision == ReportState.OPEN:
        raise ReportNotFound
    chosen = ReportState(decision)
    return console_shell.act(
        request,
        lambda: moderation.decide(
            principal=request.principal,
            report_id=report_id,
            decision=chosen,
            warning=request.POST.get("warning", ""),
        ),
        back=console_shell.address(request.principal, PAGE),
        said=str(_SAID[chosen]),
    )


@require_POST
def hide(request: ConsoleRequest, slug: str, report_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Take a message away until somebody decides."""
    return console_shell.act(
        request,
        lambda: moderation.hide(principal=request.principal, report_id=report_id),
        back=f"{console_shell.address(request.principal, PAGE)}{report_id}/",
        said=_("The message is hidden until somebody decides"),
    )


register_console_page(
    PAGE,
    gettext_lazy("Reports"),
    "warn",
    MODERATE,
    reports,
    order=45,
    routes=[
        path("<uuid:report_id>/", report, name="report"),
        path("<uuid:report_id>/decide/", decide, name="report-decide"),
        path("<uuid:report_id>/hide/", hide, name="report-hide"),
    ],
)
