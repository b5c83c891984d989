"""The start of the console: health, what needs somebody, what runs, and how lively the organization is."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.accounts.selectors.administration import count_members
from apps.chat.selectors.administration import count_conversations, messages_per_day
from apps.core import console_shell
from apps.documents.selectors.administration import count_documents
from apps.ops import charts
from apps.ops.console.common import OVERVIEW, ConsoleRequest
from apps.ops.console.todos import todos
from apps.ops.selectors import parts
from apps.runs.selectors.administration import count_runs, page_of_runs

DAYS = (14, 30, 90)
RUNS = 5


@require_safe
def overview(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """Show the state of everything at a glance."""
    principal = request.principal
    looked = parts.look()
    shown = parts.main_parts(looked)
    counts, documents = count_runs(principal), count_documents(principal)
    sees_runs = console_shell.may_open(principal, "run.view_any")
    days = _days(request)
    per_day = messages_per_day(days=days)
    lines = page_of_runs(principal, limit=RUNS) if sees_runs else []
    context = {
        "console_page": OVERVIEW,
        "parts": shown,
        "headline": parts.headline(shown),
        "todos": todos(principal, shown, counts, documents),
        "documents": documents,
        "lines": lines,
        "sees_runs": sees_runs,
        "counts": counts,
        "members": count_members(),
        "conversations": count_conversations(),
        "chart": charts.days(per_day),
        "narrow_chart": charts.days(per_day, width=charts.NARROW),
        "days": days,
        "all_days": DAYS,
        "is_live": any(not line.run.is_finished for line in lines),
        "now": timezone.now(),
    }
    return render(request, "console/overview.html", context)


def _days(request: ConsoleRequest) -> int:
    text = request.GET.get("days", "")
    return int(text) if text in {str(days) for days in DAYS} else DAYS[0]
