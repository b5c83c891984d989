"""The console's page of the audit trail: who did what, whether the trail is whole, and taking it along."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.services.step_up import recent_sign_in_required
from apps.accounts.types import Principal
from apps.core import console_shell
from apps.core.api.paging import Position, decode
from apps.core.auditing.actions import declared
from apps.core.http.errors import CursorInvalid
from apps.core.models import AuditEntry
from apps.core.registry import register_console_page
from apps.security.selectors import trail
from apps.security.services import exporting_trail, verifying
from apps.security.types import Filters

PAGE = "audit"
ROWS = 50
_LONGEST = 200


class ConsoleRequest(HttpRequest):
    """A request behind the console's door."""

    principal: Principal


@never_cache
@require_safe
def entries(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """List entries; a filter is an address, and so is a page."""
    asked = _asked(request)
    found = trail.page_of_entries(request.principal, _filters(asked), position=_position(request), limit=ROWS)
    context = {
        "console_page": PAGE,
        "entries": found.rows,
        "next": found.next,
        "previous": found.previous,
        "trail": trail.get_state(request.principal),
        "actions": sorted(
            ((one.name, str(one.label)) for one in declared().values()), key=lambda pair: pair[1]
        ),
        "outcomes": AuditEntry.Outcome.choices,
        "is_filtered": any(asked.values()),
        **asked,
    }
    return render(request, "console/audit.html", context)


@never_cache
@require_safe
def entry(request: ConsoleRequest, slug: str, key: UUID) -> HttpResponse:  # noqa: ARG001
    """Show everything about one entry."""
    shown = trail.get_entry(request.principal, key)
    return console_shell.page_or_dialog(
        request,
        "console/audit/entry.html",
        {"entry": shown, "details": sorted(shown.details.items())},
        page=PAGE,
        title=shown.label,
    )


@require_POST
def verify(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Start a verification; its outcome stands on the page when it is done."""
    return console_shell.act(
        request,
        lambda: verifying.start_verification(principal=request.principal),
        back=console_shell.address(request.principal, PAGE),
        said=_("The trail is being verified; the result is shown here"),
    )


@never_cache
@require_POST
@recent_sign_in_required
def export(request: ConsoleRequest, slug: str) -> StreamingHttpResponse:  # noqa: ARG001
    """Send what the filter finds as lines of JSON; that is recorded, too."""
    lines = exporting_trail.export_lines(principal=request.principal, filters=_filters(_asked(request)))
    name = f"audit-{request.principal.organization_slug}-{timezone.now():%Y-%m-%d}.jsonl"
    return StreamingHttpResponse(
        lines,
        content_type="application/x-ndjson",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _asked(request: HttpRequest) -> dict[str, str]:
    asked = {
        name: request.GET.get(name, "").replace("\0", "").strip()[:_LONGEST]
        for name in ("person", "action", "object", "outcome", "since", "until")
    }
    return {
        **asked,
        "action": asked["action"] if asked["action"] in declared() else "",
        "outcome": asked["outcome"] if asked["outcome"] in AuditEntry.Outcome.values else "",
    }


def _filters(asked: dict[str, str]) -> Filters:
    until = _day(asked["until"])
    return Filters(
        people=trail.people_named(asked["person"]) if asked["person"] else None,
        typed=asked["person"],
        action=asked["action"],
        object_id=asked["object"],
        outcome=asked["outcome"],
        since=_day(asked["since"]),
        until=until + dt.timedelta(days=1) if until else None,
    )


def _day(text: str) -> dt.datetime | None:
    """Return the beginning of a day in the reader's time zone; what is no day is no filter."""
    try:
        return timezone.make_aware(dt.datetime.combine(dt.date.fromisoformat(text), dt.time()))
    except (ValueError, OverflowError):
        return None


def _position(request: HttpRequest) -> Position:
    """Return where the page begins; a broken cursor is the first page."""
    try:
        return decode(request.GET.get("cursor"), trail.NEWEST)
    except CursorInvalid:
        return Position()


_routes: Any = [
    path("verify/", verify, name="audit-verify"),
    path("export/", export, name="audit-export"),
    path("<uuid:key>/", entry, name="audit-entry"),
]
register_console_page(PAGE, gettext_lazy("Audit"), "shield", "audit.read", entries, order=60, routes=_routes)
