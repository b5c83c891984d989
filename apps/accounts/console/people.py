"""The console's page of people: find, change the role, deactivate, invite."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Lower
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.console.common import PEOPLE, ConsoleRequest, grantable, may
from apps.accounts.console.forms import ChangeRoleForm, ExpiryForm
from apps.accounts.errors import MemberNotFound
from apps.accounts.labels import role_label
from apps.accounts.models import Member
from apps.accounts.selectors import members as selectors
from apps.accounts.services import access, guests
from apps.accounts.services import members as services
from apps.accounts.types import GUEST, MemberView
from apps.core import console_shell
from apps.core.errors import DomainError

STATES = {"active": True, "inactive": False}
SORTS: dict[str, tuple[str | Combinable, ...]] = {
    "name": (Lower("name"), "pk"),
    "-name": (Lower("name").desc(), "pk"),
    "joined": ("created_at", "pk"),
    "-joined": ("-created_at", "pk"),
}
MOST_AT_ONCE = 200


@never_cache
@require_safe
def people(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """List members; a filter is an address."""
    principal = request.principal
    roles = selectors.list_roles(principal)
    asked = _asked(request, {role.key for role in roles})
    found = _found(request, asked)
    order = SORTS[asked["sort"]]
    rows, paging = console_shell.paged(
        request, lambda offset, limit: list(found.order_by(*order)[offset : offset + limit])
    )
    invites = bool(access.can(principal, "member.invite"))
    context = {
        "console_page": PEOPLE,
        "members": [selectors.member_view(row, principal) for row in rows],
        "paging": paging,
        "total": found.count(),
        "role_names": {role.key: role_label(role) for role in roles},
        "roles": [(role.key, role_label(role)) for role in roles],
        "grantable": grantable(principal, roles),
        "invitations": selectors.list_invitations(principal) if invites else [],
        "may": may(principal, "member.invite", "member.manage"),
        "now": timezone.now(),
        **asked,
    }
    return render(request, "console/people.html", context)


@never_cache
@require_safe
def person(request: ConsoleRequest, slug: str, member_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Show one member and what may be changed."""
    return _person(request, selectors.get_member(request.principal, member_id))


@require_POST
def change_role(request: ConsoleRequest, slug: str, member_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Give a member another role."""
    member = selectors.get_member(request.principal, member_id)
    roles = grantable(request.principal, selectors.list_roles(request.principal))
    form = ChangeRoleForm(request.POST, roles=roles)
    if form.is_valid():
        try:
            services.change_role(
                principal=request.principal, member_id=member_id, role=form.cleaned_data["role"]
            )
        except DomainError as refused:
            form.add_error(None, refused.detail)
        else:
            said = _("%(name)s has another role now") % {"name": member.name}
            return console_shell.leave_to(request, _list(request), said=said)
    return _person(request, member, form)


@require_POST
def set_expiry(request: ConsoleRequest, slug: str, member_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Say until when a guest is here."""
    member = selectors.get_member(request.principal, member_id)
    form = ExpiryForm(request.POST)
    if form.is_valid():
        return console_shell.act(
            request,
            lambda: guests.set_expiry(
                principal=request.principal, member_id=member_id, expires_at=form.cleaned_data["expires_at"]
            ),
            back=_list(request),
            said=_("The end of %(name)s's seat is saved") % {"name": member.name},
        )
    return _person(request, member)


@require_POST
def set_active(request: ConsoleRequest, slug: str, member_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Deactivate a member, or let it in again."""
    is_active = request.POST.get("active") == "1"
    change = services.reactivate_member if is_active else services.deactivate_member
    member = selectors.get_member(request.principal, member_id)
    said = _("%(name)s is active again") if is_active else _("%(name)s is deactivated and signed out")
    return console_shell.act(
        request,
        lambda: change(principal=request.principal, member_id=member_id),
        back=_list(request),
        said=said % {"name": member.name},
    )


@require_POST
def change_many(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Give several members another role, or deactivate them; each stands for itself."""
    principal = request.principal
    change: Callable[[UUID], None]
    if request.POST.get("action") == "deactivate":
        change = lambda member_id: services.deactivate_member(principal=principal, member_id=member_id)  # noqa: E731
    else:
        role = request.POST.get("role", "")
        change = lambda member_id: services.change_role(principal=principal, member_id=member_id, role=role)  # noqa: E731
    done = 0
    for member_id in _named(request):
        try:
            change(member_id)
            done += 1
        except MemberNotFound:
            continue
        except DomainError as refused:
            name = selectors.get_member(principal, member_id).name
            messages.error(request, f"{name}: {refused.detail}")
    said = ngettext("%(count)s member changed", "%(count)s members changed", done) % {"count": done}
    return console_shell.leave_to(request, _list(request), said=said if done else "")


def _asked(request: ConsoleRequest, roles: set[str]) -> dict[str, str]:
    asked = {name: request.GET.get(name, "") for name in ("role", "state", "sort")}
    return {
        "query": request.GET.get("q", "")[:100],
        "role": asked["role"] if asked["role"] in roles else "",
        "state": asked["state"] if asked["state"] in {*STATES, "all"} else "active",
        "sort": asked["sort"] if asked["sort"] in SORTS else "name",
    }


def _found(request: ConsoleRequest, asked: dict[str, str]) -> QuerySet[Member]:
    rows = selectors.visible_members(
        request.principal, query=asked["query"], role=asked["role"], include_inactive=True
    )
    if asked["state"] == "all":
        return rows
    return rows.filter(deactivated_at__isnull=STATES[asked["state"]])


def _named(request: ConsoleRequest) -> list[UUID]:
    named = []
    for text in request.POST.getlist("member")[:MOST_AT_ONCE]:
        try:
            named.append(UUID(text))
        except ValueError:
            continue  # no id of ours, so no member
    return named


def _list(request: ConsoleRequest) -> str:
    return console_shell.address(request.principal, PEOPLE)


def _expiry_form(member: MemberView) -> ExpiryForm:
    """The last day, not the moment after it."""
    last = timezone.localtime(member.expires_at - timedelta(seconds=1)).date() if member.expires_at else None
    return ExpiryForm(initial={"expires_at": last})


def _person(request: ConsoleRequest, member: MemberView, form: ChangeRoleForm | None = None) -> HttpResponse:
    roles = selectors.list_roles(request.principal)
    choices = grantable(request.principal, roles)
    names = {role.key: role_label(role) for role in roles}
    manages = bool(access.can(request.principal, "member.manage"))
    context: dict[str, Any] = {
        "member": member,
        "role_name": names[member.role],
        "form": form or ChangeRoleForm(initial={"role": member.role}, roles=choices),
        "may_view_as": bool(access.can(request.principal, "access.view_as"))
        and member.id != request.principal.id
        and member.is_active
        and member.kind == "person"
        and member.role in dict(choices),
        "may_change": manages and member.role in dict(choices) and member.kind == "person",
        "expiry_form": _expiry_form(member) if member.role == GUEST else None,
    }
    return console_shell.page_or_dialog(
        request,
        "console/people/person.html",
        context,
        page=PEOPLE,
        title=member.name,
        status=422 if form is not None else 200,
    )
