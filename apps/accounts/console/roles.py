"""The console's pages of roles: what each may do, and the editor of custom ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.conditions import Conditions
from apps.accounts.console.common import ROLES, ConsoleRequest, may
from apps.accounts.console.forms import RoleForm
from apps.accounts.labels import DATA_CLASS_LABELS, DAY_LABELS, PERMISSION_GROUPS, role_label
from apps.accounts.selectors.members import get_role, list_roles
from apps.accounts.services import access
from apps.accounts.services import roles as services
from apps.accounts.types import Principal, RoleView
from apps.core import console_shell
from apps.core.errors import DomainError


@dataclass(frozen=True)
class Choice:
    """A permission in the editor; `is_locked`: the reader has not got it and cannot give it."""

    name: str
    label: str
    is_chosen: bool
    is_locked: bool


@require_safe
def roles(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """List the roles."""
    found = sorted(list_roles(request.principal), key=lambda role: (-len(role.permissions), role.name))
    context = {
        "console_page": ROLES,
        "roles": [(role, role_label(role)) for role in found],
        "may": may(request.principal, "role.manage", "member.manage"),
    }
    return render(request, "console/roles.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def role(request: ConsoleRequest, slug: str, role_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Show a role, or change a custom one."""
    found = get_role(request.principal, role_id)
    if request.method != "POST":
        form = RoleForm(initial={"name": found.name, **_as_initial(found.conditions)}, has_key=False)
        return _editor(request, form, set(found.permissions), found)
    access.require(request.principal, "role.manage")
    form = RoleForm(request.POST, has_key=False)
    chosen = set(request.POST.getlist("permissions"))
    if form.is_valid():
        try:
            services.update_role(principal=request.principal, role_id=role_id, **form.role_values())
        except DomainError as refused:
            form.add_error(None, refused.detail)
        else:
            return console_shell.leave_to(request, _list(request), said=_("The role is changed"))
    return _editor(request, form, chosen, found, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
def new_role(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Make a custom role."""
    access.require(request.principal, "role.manage")
    if request.method != "POST":
        return _editor(request, RoleForm(has_key=True), set(), None)
    form = RoleForm(request.POST, has_key=True)
    chosen = set(request.POST.getlist("permissions"))
    if form.is_valid():
        try:
            services.create_role(principal=request.principal, **form.role_values())
        except DomainError as refused:
            form.add_error(None, refused.detail)
        else:
            return console_shell.leave_to(request, _list(request), said=_("The role is there"))
    return _editor(request, form, chosen, None, status=422)


@require_POST
def delete_role(request: ConsoleRequest, slug: str, role_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Delete a custom role that nobody has."""
    return console_shell.act(
        request,
        lambda: services.delete_role(principal=request.principal, role_id=role_id),
        back=_list(request),
        said=_("The role is gone"),
    )


def _editor(
    request: ConsoleRequest, form: RoleForm, chosen: set[str], found: RoleView | None, *, status: int = 200
) -> HttpResponse:
    may_change = bool(access.can(request.principal, "role.manage")) and (
        found is None or not found.is_builtin
    )
    context: dict[str, Any] = {
        "console_page": ROLES,
        "form": form,
        "role": found,
        "title": role_label(found) if found else _("New role"),
        "groups": _choices(request.principal, chosen),
        "days": _checked(DAY_LABELS, form["days"].value()),
        "classes": _checked(DATA_CLASS_LABELS, form["data_classes"].value()),
        "may_change": may_change,
    }
    return render(request, "console/role.html", context, status=status)


def _choices(principal: Principal, chosen: set[str]) -> list[tuple[str, list[Choice]]]:
    return [
        (
            str(title),
            [
                Choice(name, str(label), name in chosen, name not in principal.permissions)
                for name, label in group.items()
            ],
        )
        for title, group in PERMISSION_GROUPS
    ]


def _as_initial(conditions: Conditions) -> dict[str, Any]:
    return {
        "networks": "\n".join(conditions.networks),
        "needs_factor": conditions.needs_factor,
        "days": conditions.days,
        "opens": conditions.opens and f"{conditions.opens:%H:%M}",
        "closes": conditions.closes and f"{conditions.closes:%H:%M}",
        "zone": conditions.zone,
        "data_classes": conditions.data_classes or (),
    }


def _checked(labels: Mapping[Any, Any], chosen: Iterable[Any] | None) -> list[tuple[str, str, bool]]:
    """Return (value, label, is chosen) of each choice."""
    wanted = {str(one) for one in chosen or ()}
    return [(str(value), str(label), str(value) in wanted) for value, label in labels.items()]


def _list(request: ConsoleRequest) -> str:
    return console_shell.address(request.principal, ROLES)
