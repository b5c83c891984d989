"""The bell and the list behind it: open, mark, and ask why one came."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.core.api.paging import decode
from apps.notify.selectors import notifications
from apps.notify.services import noticing
from apps.notify.types import REASONS
from apps.notify.views.common import PageRequest, back

STATES = ("unread", "all", "held")
PAGE = 30


@never_cache
@require_safe
def notification_list(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Show what concerns the reader, newest first. Its script says that it was seen."""
    state, reason = request.GET.get("state", "all"), request.GET.get("reason", "")
    state = state if state in STATES else "all"
    reason = reason if reason in REASONS else ""
    page = notifications.list_page(
        request.principal,
        state=state,
        reason=reason,
        position=decode(request.GET.get("cursor"), notifications.NEWEST),
        limit=PAGE,
    )
    context = {
        "area": "notifications",
        "page": page,
        "state": state,
        "reason": reason,
        "reasons": REASONS.items(),
        "unread": notifications.unread_count(request.principal),
    }
    return render(request, "notify/list.html", context)


@never_cache
@require_safe
def bell(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Return the number for a page that lost its own."""
    return render(
        request, "notify/parts/bell_count.html", {"unread": notifications.unread_count(request.principal)}
    )


@require_POST
def open_one(request: PageRequest, slug: str, notification_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Read one and go to what it is about."""
    view = notifications.get_one(request.principal, notification_id)
    noticing.mark(request.principal, notifications=[notification_id], state="read")
    return HttpResponseRedirect(view.described.url)


@require_POST
def mark(request: PageRequest, slug: str, notification_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Mark one read or unread."""
    notifications.get_one(request.principal, notification_id)
    state = "unread" if request.POST.get("state") == "unread" else "read"
    noticing.mark(request.principal, notifications=[notification_id], state=state)
    return back(request, "list")


@require_POST
def read_all(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Mark everything read."""
    changed = noticing.mark(request.principal, notifications=None, state="read")
    return back(request, "list", said=_("Everything is read") if changed else "")


@never_cache
@require_safe
def why(request: PageRequest, slug: str, notification_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Say why one came, by which ways, and why not by others."""
    view = notifications.get_one(request.principal, notification_id)
    context = {
        "area": "notifications",
        "view": view,
        "deliveries": notifications.deliveries_of([notification_id]).get(notification_id, []),
        "title": _("Why did I get this?") if not view.row.held_by else _("Why did I not get this?"),
        "part": "notify/parts/why.html",
    }
    template = "parts/dialog.html" if request.htmx else "notify/why.html"
    return render(request, template, context)
