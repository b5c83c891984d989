"""The console's page of the organization itself."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.accounts.console.common import ORGANIZATION, ConsoleRequest
from apps.accounts.console.forms import OrganizationForm
from apps.accounts.selectors.members import get_organization
from apps.accounts.services import access
from apps.accounts.services.organizations import update_organization
from apps.core import console_shell
from apps.core.errors import DomainError


@require_http_methods(["GET", "HEAD", "POST"])
def organization(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """Show name, address and language; owners change them."""
    principal = request.principal
    found = get_organization(principal.organization_id)
    if request.method == "POST":
        access.require(principal, "organization.manage")
        form = OrganizationForm(request.POST)
        if form.is_valid():
            try:
                update_organization(principal=principal, **form.cleaned_data)
            except DomainError as refused:
                form.add_error(None, refused.detail)
            else:
                where = console_shell.address(principal, ORGANIZATION)
                return console_shell.leave_to(request, where, said=_("Saved"))
    else:
        form = OrganizationForm(initial={"name": found.name, "language": found.language})
    context = {
        "console_page": ORGANIZATION,
        "found": found,
        "form": form,
        "may_change": bool(access.can(principal, "organization.manage")),
    }
    return render(request, "console/organization.html", context, status=422 if form.errors else 200)
