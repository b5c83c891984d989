"""The console's page of keys and tokens: everyone's API keys, service accounts, signed-in programs."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.console.common import KEYS, ConsoleRequest, grantable, may
from apps.accounts.console.forms import ServiceAccountForm
from apps.accounts.errors import MemberNotFound
from apps.accounts.forms import ApiKeyForm
from apps.accounts.selectors import people as people_selectors
from apps.accounts.selectors.api_keys import list_keys
from apps.accounts.selectors.members import list_roles
from apps.accounts.selectors.service_accounts import list_service_accounts
from apps.accounts.selectors.tokens import list_tokens
from apps.accounts.services import access, api_keys, tokens
from apps.accounts.services.service_accounts import create_service_account
from apps.accounts.services.step_up import recent_sign_in_required
from apps.accounts.types import MemberView, Principal
from apps.core import console_shell
from apps.core.errors import DomainError

MANAGE = "api_key.manage"
STATES = ("active", "suspended", "expired", "ended")
_NEW_ACCOUNT, _NEW_KEY, _ISSUED = (
    "console/keys/account.html",
    "console/keys/key.html",
    "console/keys/issued.html",
)


@never_cache
@require_safe
def keys(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """List everyone's keys and programs; a filter is an address."""
    principal = request.principal
    access.require(principal, MANAGE)
    state = request.GET.get("state", "")
    found = [key for key in list_keys(principal, everyones=True) if state not in STATES or key.state == state]
    rows, paging = console_shell.paged(request, lambda offset, limit: found[offset : offset + limit])
    programs = list_tokens(principal, everyones=True)
    context = {
        "console_page": KEYS,
        "keys": rows,
        "paging": paging,
        "total": len(found),
        "state": state if state in STATES else "",
        "states": _state_labels(),
        "tokens": programs,
        "accounts": list_service_accounts(principal),
        "owners": people_selectors.people(
            [*(key.owner_id for key in rows), *(one.owner_id for one in programs)]
        ),
        "may": may(principal, "member.manage"),
    }
    return render(request, "console/keys.html", context)


@require_POST
def end_key(request: ConsoleRequest, slug: str, key_id: UUID) -> HttpResponse:  # noqa: ARG001
    """End anyone's key."""
    return _act(
        request,
        lambda principal: api_keys.revoke_key(principal=principal, key_id=key_id),
        _("The key has ended"),
    )


@require_POST
@recent_sign_in_required
def wake_key(request: ConsoleRequest, slug: str, key_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Let a suspended key work again."""
    return _act(
        request,
        lambda principal: api_keys.reactivate_key(principal=principal, key_id=key_id),
        _("The key works again"),
    )


@require_POST
def end_program(request: ConsoleRequest, slug: str, token_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Sign anyone's program out."""
    return _act(
        request,
        lambda principal: tokens.end_family(principal=principal, family_id=token_id, everyones=True),
        _("The program is signed out"),
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@recent_sign_in_required
def new_account(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Make a service account."""
    principal = request.principal
    access.require(principal, MANAGE)
    access.require(principal, "member.manage")
    roles = grantable(principal, list_roles(principal))
    title = _("New service account")
    if request.method != "POST":
        context = {"form": ServiceAccountForm(roles=roles, initial={"role": "guest"})}
        return console_shell.page_or_dialog(request, _NEW_ACCOUNT, context, page=KEYS, title=title)
    form = ServiceAccountForm(request.POST, roles=roles)
    if form.is_valid():
        try:
            create_service_account(principal=principal, **form.cleaned_data)
        except DomainError as refused:
            form.add_error(None, refused.detail)
        else:
            return console_shell.leave_to(request, _list(principal), said=_("The service account is there"))
    return console_shell.form_again(request, _NEW_ACCOUNT, {}, form, page=KEYS, title=title)


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@recent_sign_in_required
def new_key(request: ConsoleRequest, slug: str, member_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Make a key for a service account and show it, this one time."""
    principal = request.principal
    access.require(principal, MANAGE)
    account = _account(principal, member_id)
    title = _("New key of %(name)s") % {"name": account.name}
    context: dict[str, Any] = {"account": account}
    if request.method != "POST":
        form = ApiKeyForm(auto_id="key_%s", initial={"scopes": ["chat:read"], "days": 90})
        return console_shell.page_or_dialog(
            request, _NEW_KEY, {**context, "form": form}, page=KEYS, title=title
        )
    form = ApiKeyForm(request.POST, auto_id="key_%s")
    if form.is_valid():
        try:
            issued = api_keys.issue_key(
                principal=principal,
                owner_id=account.id,
                name=form.cleaned_data["name"],
                scopes=form.cleaned_data["scopes"],
                expires_at=timezone.now() + dt.timedelta(days=form.cleaned_data["days"]),
                limits=form.limits(),
            )
        except DomainError as refused:
            form.add_error(None, refused.detail)
        else:
            return console_shell.page_or_dialog(
                request, _ISSUED, {**context, "issued": issued}, page=KEYS, title=title
            )
    return console_shell.form_again(request, _NEW_KEY, context, form, page=KEYS, title=title)


def _act(request: ConsoleRequest, do: Any, said: str) -> HttpResponse:
    principal = request.principal
    access.require(principal, MANAGE)
    return console_shell.act(request, lambda: do(principal), back=_list(principal), said=said)


def _account(principal: Principal, member_id: UUID) -> MemberView:
    for account in list_service_accounts(principal):
        if account.member_id == member_id and account.is_active:
            return account
    raise MemberNotFound


def _list(principal: Principal) -> str:
    return console_shell.address(principal, KEYS)


def _state_labels() -> dict[str, str]:
    return {
        "active": _("Active"),
        "suspended": _("Suspended"),
        "expired": _("Expired"),
        "ended": _("Ended"),
    }
