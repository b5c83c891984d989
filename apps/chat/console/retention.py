"""The console's page of retention: how long messages are kept, and what a rule would delete before it is set."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.services.step_up import recent_sign_in_required
from apps.accounts.types import Principal
from apps.chat.forms import RetentionForm
from apps.chat.selectors import retention as selectors
from apps.chat.services import retention
from apps.core import console_shell
from apps.core.errors import DomainError
from apps.core.registry import register_console_page

PAGE = "retention"


class ConsoleRequest(HttpRequest):
    """A request behind the console's door."""

    principal: Principal


@require_safe
def rules(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """List the rules."""
    context = {"console_page": PAGE, "rows": selectors.list_rules(request.principal)}
    return render(request, "console/retention.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@recent_sign_in_required
def new_rule(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Ask for a rule, show what it deletes, and set it when that was seen."""
    part, title = "console/retention/rule.html", _("How long messages are kept")
    places = [(str(pk), name) for pk, name in selectors.list_places(request.principal)]
    if request.method != "POST":
        form = RetentionForm(places=places, initial=_as_it_is(request))
        return console_shell.page_or_dialog(request, part, {"form": form}, page=PAGE, title=title)
    form = RetentionForm(request.POST, places=places)
    if not form.is_valid():
        return console_shell.form_again(request, part, {}, form, page=PAGE, title=title)
    place = form.cleaned_data["place"]
    rule = {
        "conversation_id": UUID(place) if place else None,
        "days": form.cleaned_data["days"],
        "file_days": form.cleaned_data["file_days"],
        "keeps_marked": form.cleaned_data["keeps_marked"],
    }
    if "confirmed" not in request.POST:
        shown = selectors.preview(request.principal, **rule)
        return console_shell.page_or_dialog(
            request, part, {"form": form, "preview": shown}, page=PAGE, title=title
        )
    try:
        retention.set_rule(principal=request.principal, **rule)
    except DomainError as refused:
        form.add_error(None, refused.detail)
        return console_shell.form_again(request, part, {}, form, page=PAGE, title=title)
    where = console_shell.address(request.principal, PAGE)
    return console_shell.leave_to(request, where, said=_("The rule is in force"))


def _as_it_is(request: ConsoleRequest) -> dict[str, object]:
    """Return what a rule says that is to be changed; nothing of a new one."""
    wanted = request.GET.get("rule", "")
    rule = next((one for one in selectors.list_rules(request.principal) if str(one.id) == wanted), None)
    if rule is None:
        return {}
    place = str(rule.conversation) if rule.conversation else ""
    return {
        "place": place, "days": rule.days, "file_days": rule.file_days, "keeps_marked": rule.keeps_marked,
    }  # fmt: skip


@require_POST
@recent_sign_in_required
def remove_rule(request: ConsoleRequest, slug: str, rule_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Take a rule away."""
    return console_shell.act(
        request,
        lambda: retention.remove_rule(principal=request.principal, rule_id=rule_id),
        back=console_shell.address(request.principal, PAGE),
        said=_("The rule is gone"),
    )


register_console_page(
    PAGE,
    gettext_lazy("Keeping messages"),
    "clock",
    selectors.MANAGE,
    rules,
    order=66,
    routes=[
        path("new/", new_rule, name="retention-new"),
        path("<uuid:rule_id>/remove/", remove_rule, name="retention-remove"),
    ],
)
