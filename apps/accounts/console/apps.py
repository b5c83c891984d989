"""The console's page of registered apps: OAuth clients of others that may be let in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.console.common import APPS, ConsoleRequest, grantable
from apps.accounts.console.forms import AppForm
from apps.accounts.forms import scope_labels
from apps.accounts.selectors.members import list_roles
from apps.accounts.selectors.oauth import get_client, list_clients
from apps.accounts.services import access, oauth_clients
from apps.accounts.types import IssuedClient, Principal
from apps.core import console_shell
from apps.core.errors import DomainError

MANAGE = oauth_clients.MANAGE
_FORM, _ISSUED = "console/apps/form.html", "console/apps/issued.html"


@never_cache
@require_safe
def apps(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """List the apps by name."""
    access.require(request.principal, MANAGE)
    found = list_clients(request.principal)
    rows, paging = console_shell.paged(request, lambda offset, limit: found[offset : offset + limit])
    shown = [(client, scope_labels(client.scopes)) for client in rows]
    context = {"console_page": APPS, "apps": shown, "paging": paging, "total": len(found)}
    return render(request, "console/apps.html", context)


@never_cache
@sensitive_variables("issued")
@require_http_methods(["GET", "HEAD", "POST"])
def new_app(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Register an app and show its secret, this one time."""
    principal = request.principal
    access.require(principal, MANAGE)
    roles, title = grantable(principal, list_roles(principal)), _("New app")
    context: dict[str, Any] = {"action": console_shell.address(principal, "app-new")}
    if request.method != "POST":
        return console_shell.page_or_dialog(
            request, _FORM, {**context, "form": AppForm(roles=roles)}, page=APPS, title=title
        )
    form = AppForm(request.POST, roles=roles)
    if form.is_valid():
        try:
            issued = oauth_clients.create_client(principal=principal, values=form.values())
        except DomainError as refused:
            form.add_error(None, refused.detail)
        else:
            return _show(request, issued)
    return console_shell.form_again(request, _FORM, context, form, page=APPS, title=title)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def change_app(request: ConsoleRequest, slug: str, client_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Change what an app may ask for and where it is."""
    principal = request.principal
    access.require(principal, MANAGE)
    client = get_client(principal, client_id)
    context: dict[str, Any] = {
        "action": console_shell.address(principal, "app", client_id=client_id),
        "client": client,
    }
    if request.method != "POST":
        form = AppForm(initial=AppForm.initial_of(client), client=client)
        return console_shell.page_or_dialog(
            request, _FORM, {**context, "form": form}, page=APPS, title=client.name
        )
    form = AppForm(request.POST, client=client)
    if form.is_valid():
        try:
            oauth_clients.update_client(principal=principal, client_id=client_id, values=form.values())
        except DomainError as refused:
            form.add_error(None, refused.detail)
        else:
            return console_shell.leave_to(request, _list(principal), said=_("App saved"))
    return console_shell.form_again(request, _FORM, context, form, page=APPS, title=client.name)


@never_cache
@sensitive_variables("issued")
@require_POST
def rotate(request: ConsoleRequest, slug: str, client_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Give an app a new secret and show it, this one time; the old one works for a day."""
    issued = oauth_clients.rotate_secret(principal=request.principal, client_id=client_id)
    return _show(request, issued)


@require_POST
def set_active(request: ConsoleRequest, slug: str, client_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Switch an app off or on."""
    principal = request.principal
    is_off = request.POST.get("active") == "0"
    change = oauth_clients.disable_client if is_off else oauth_clients.enable_client
    return console_shell.act(
        request,
        lambda: change(principal=principal, client_id=client_id),
        back=_list(principal),
        said=_("The app is switched off: everything it had has ended")
        if is_off
        else _("The app is switched on"),
    )


def _show(request: ConsoleRequest, issued: IssuedClient) -> HttpResponse:
    context = {"issued": issued}
    return console_shell.page_or_dialog(request, _ISSUED, context, page=APPS, title=issued.name)


def _list(principal: Principal) -> str:
    return console_shell.address(principal, APPS)
