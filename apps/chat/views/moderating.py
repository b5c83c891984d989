"""The review queue in the chat, for who moderates single channels and has no console."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.services import access
from apps.chat import deciding
from apps.chat.errors import ReportNotFound
from apps.chat.selectors.moderation import MODERATE
from apps.chat.views.common import PageRequest, list_context


@require_safe
def reports(request: PageRequest, slug: str) -> HttpResponse:
    """List what waits for a decision, or what was decided.

    Raises:
        ReportNotFound: the reader moderates nothing.
    """
    if not access.may_somewhere(request.principal, MODERATE):
        raise ReportNotFound
    return render(
        request, "chat/reports.html", _page(request, slug, deciding.queue(request, request.principal))
    )


@never_cache
@require_safe
def report(request: PageRequest, slug: str, report_id: UUID) -> HttpResponse:
    """Show what a reported message says; that is noted in the audit trail."""
    return render(
        request, "chat/report.html", _page(request, slug, deciding.opened(request.principal, report_id))
    )


@require_POST
def decide(request: PageRequest, slug: str, report_id: UUID) -> HttpResponse:
    """Decide about a message."""
    return deciding.decide(request, request.principal, report_id, back=_queue(slug))


@require_POST
def hide(request: PageRequest, slug: str, report_id: UUID) -> HttpResponse:
    """Take a message away until somebody decides."""
    return deciding.hide(request, request.principal, report_id, back=_queue(slug))


def _queue(slug: str) -> str:
    return reverse("chat:reports", kwargs={"slug": slug})


def _page(request: PageRequest, slug: str, context: dict[str, Any]) -> dict[str, Any]:
    return {**list_context(request), **context, "own_page": "reports", "queue_url": _queue(slug)}
