"""The console's page of second factors: who needs one here, who has none, and emergency accounts."""

from __future__ import annotations

from dataclasses import replace

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.accounts.console.common import SECOND_FACTOR, ConsoleRequest
from apps.accounts.console.forms import FactorPolicyForm
from apps.accounts.selectors import factors as factor_selectors
from apps.accounts.selectors.emergencies import recent_emergencies
from apps.accounts.services import access
from apps.accounts.services.factor_policy import set_factor_policy
from apps.accounts.services.step_up import recent_sign_in_required
from apps.accounts.types import FactorPolicyView
from apps.core import console_shell
from apps.core.errors import DomainError

PREVIEW = "preview"


@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: ConsoleRequest, slug: str) -> HttpResponse:
    """Show the policy and whom it or another one would ask; owners change it."""
    if request.method == "POST":
        access.require(request.principal, "organization.manage")
        changed: HttpResponse = _change(request, slug)
        return changed
    policy = factor_selectors.get_policy(request.principal.organization_id)
    shown = _previewed(request, policy)
    form = FactorPolicyForm(initial={"policy": shown.policy, "grace_days": shown.grace_days})
    return _page(request, form, shown, is_preview=PREVIEW in request.GET)


@recent_sign_in_required
def _change(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    principal = request.principal
    form = FactorPolicyForm(request.POST)
    if form.is_valid():
        try:
            set_factor_policy(principal=principal, **form.cleaned_data)
        except DomainError as refused:
            form.add_error(None, refused.detail)
        else:
            return console_shell.leave_to(
                request, console_shell.address(principal, SECOND_FACTOR), said=_("Saved")
            )
    return _page(request, form, factor_selectors.get_policy(principal.organization_id))


def _previewed(request: ConsoleRequest, policy: FactorPolicyView) -> FactorPolicyView:
    """Return the policy the address asks to look at, else the present one."""
    form = FactorPolicyForm(request.GET)
    if PREVIEW not in request.GET or not form.is_valid():
        return policy
    return replace(policy, **form.cleaned_data, since=timezone.now())


def _page(
    request: ConsoleRequest, form: FactorPolicyForm, shown: FactorPolicyView, *, is_preview: bool = False
) -> HttpResponse:
    principal = request.principal

    def load(offset: int, limit: int) -> list[object]:
        return list(
            factor_selectors.list_lacking(
                organization_id=principal.organization_id, policy=shown, offset=offset, limit=limit
            )
        )

    lacking, paging = console_shell.paged(request, load)
    context = {
        "console_page": SECOND_FACTOR,
        "form": form,
        "policy": shown,
        "is_preview": is_preview,
        "lacking": lacking,
        "paging": paging,
        "now": timezone.now(),
        "emergencies": recent_emergencies(organization_id=principal.organization_id),
        "may_change": bool(access.can(principal, "organization.manage")),
    }
    return render(request, "console/second_factor.html", context, status=422 if form.errors else 200)
