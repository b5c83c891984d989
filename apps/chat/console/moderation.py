"""The console's page of reports: what waits, what a reported message says, and the decision."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.types import Principal
from apps.chat import deciding
from apps.chat.selectors.moderation import MODERATE
from apps.core import console_shell
from apps.core.registry import register_console_page

PAGE = "reports"


class ConsoleRequest(HttpRequest):
    """A request behind the console's door."""

    principal: Principal


@require_safe
def reports(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """List what waits for a decision, or what was decided."""
    return render(request, "console/reports.html", _page(request, deciding.queue(request, request.principal)))


@never_cache
@require_safe
def report(request: ConsoleRequest, slug: str, report_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Show what a reported message says; that is noted in the audit trail."""
    context = _page(request, deciding.opened(request.principal, report_id))
    return render(request, "console/moderation/report.html", context)


@require_POST
def decide(request: ConsoleRequest, slug: str, report_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Decide about a message."""
    return deciding.decide(request, request.principal, report_id, back=_queue(request))


@require_POST
def hide(request: ConsoleRequest, slug: str, report_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Take a message away until somebody decides."""
    return deciding.hide(request, request.principal, report_id, back=_queue(request))


def _queue(request: ConsoleRequest) -> str:
    return console_shell.address(request.principal, PAGE)


def _page(request: ConsoleRequest, context: dict[str, Any]) -> dict[str, Any]:
    return {**context, "console_page": PAGE, "queue_url": _queue(request)}


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
