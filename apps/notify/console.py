"""The console's page of notifications: what everybody begins with, and the delivery log."""

from __future__ import annotations

from functools import partial

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.services import access
from apps.accounts.types import Principal
from apps.core import console_shell
from apps.core.registry import register_console_page
from apps.notify.forms import MAILS
from apps.notify.models import Delivery
from apps.notify.selectors import administration
from apps.notify.selectors.preferences import find_standing
from apps.notify.services.preferences import set_standing
from apps.notify.types import CHANNELS, LEVELS

PAGE = "notifications"
# As somebody else reads them.
REASONS = {
    "mention": pgettext_lazy("why somebody is told", "Mention"),
    "direct": gettext_lazy("Direct message"),
    "group_mention": gettext_lazy("Mention of a group or of all"),
    "keyword": gettext_lazy("Keyword"),
    "followed_thread": gettext_lazy("Followed thread"),
    "followed_topic": gettext_lazy("Followed topic"),
    "conversation": gettext_lazy("Everything in a conversation"),
    "reminder": gettext_lazy("Reminder"),
    "admin": gettext_lazy("From those who run this place"),
    "report": gettext_lazy("A report that waits for a decision"),
    "outcome": gettext_lazy("What became of a report"),
}


class ConsoleRequest(HttpRequest):
    """A request behind the console's door."""

    principal: Principal


class StandingForm(forms.Form):
    """What everybody begins with."""

    level = forms.ChoiceField(
        label=gettext_lazy("In conversations people hear of"), choices=list(LEVELS.items())
    )
    mail = forms.ChoiceField(label=gettext_lazy("Mail"), choices=MAILS)
    push_content = forms.BooleanField(
        label=gettext_lazy("Mail and push messages may say what was written"), required=False,
        help_text=gettext_lazy("Off: nobody gets more than a hint outside of the app, whatever they chose."),
    )  # fmt: skip


@require_safe
def deliveries(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """List deliveries with what became of them, above the defaults."""
    channel = request.GET.get("channel", "")
    state = request.GET.get("state", "")
    asked = {
        "channel": channel if channel in CHANNELS else "",
        "state": state if state in Delivery.State.values else "",
        "person": request.GET.get("person", "").strip()[:100],
    }
    load = partial(
        administration.list_deliveries,
        request.principal,
        channel=asked["channel"],
        state=asked["state"],
        person=asked["person"],
    )
    rows, paging = console_shell.paged(request, lambda offset, limit: load(offset=offset, limit=limit))
    standing = find_standing()
    context = {
        "console_page": PAGE,
        "rows": [(line, str(REASONS.get(line.reason, line.reason))) for line in rows],
        "paging": paging,
        "counts": administration.count_lately(request.principal),
        "channels": CHANNELS.items(),
        "may_change": bool(access.can(request.principal, "organization.manage")),
        "form": StandingForm(
            initial={"level": standing.level, "mail": standing.mail, "push_content": standing.push_content}
        ),
        **asked,
    }
    return render(request, "console/notifications.html", context)


@require_POST
def standing(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Change what everybody begins with."""
    form = StandingForm(request.POST)
    back = console_shell.address(request.principal, PAGE)
    if not form.is_valid():
        return console_shell.leave_to(request, back)
    return console_shell.act(
        request, lambda: set_standing(request.principal, **form.cleaned_data), back=back, said=_("Saved")
    )


register_console_page(
    PAGE,
    gettext_lazy("Notifications"),
    "bell",
    "settings.view",
    deliveries,
    order=45,
    routes=[path("defaults/", standing, name="notifications-standing")],
)
