"""The console's pages of groups of people."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.console.common import GROUPS, ConsoleRequest, only_member
from apps.accounts.console.forms import GroupForm, GroupPersonForm
from apps.accounts.selectors import groups as selectors
from apps.accounts.selectors.groups import GroupView
from apps.accounts.services import access
from apps.accounts.services import groups as services
from apps.accounts.services.groups import MANAGE
from apps.core import console_shell
from apps.core.errors import DomainError

_NEW = "console/groups/new.html"


@never_cache
@require_safe
def groups(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """List the groups."""
    access.require(request.principal, MANAGE)
    context = {"console_page": GROUPS, "groups": selectors.list_groups(request.principal)}
    return render(request, "console/groups.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new_group(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Make a group."""
    access.require(request.principal, MANAGE)
    title = _("New group")
    if request.method != "POST":
        context = {"form": GroupForm(initial={"is_mentionable": True})}
        return console_shell.page_or_dialog(request, _NEW, context, page=GROUPS, title=title)
    form = GroupForm(request.POST)
    if form.is_valid():
        try:
            made = services.create_group(principal=request.principal, **form.cleaned_data)
        except DomainError as refused:
            form.add_error("name", refused.detail)
        else:
            return console_shell.leave_to(request, _address(request, made), said=_("The group is there"))
    return console_shell.form_again(request, _NEW, {}, form, page=GROUPS, title=title)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def group(request: ConsoleRequest, slug: str, group_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Show a group and who is in it, or change it."""
    access.require(request.principal, MANAGE)
    found = selectors.get_group(request.principal, group_id)
    if request.method != "POST":
        return _page(request, found)
    form = GroupForm(request.POST)
    if form.is_valid():
        try:
            services.update_group(principal=request.principal, group_id=group_id, **form.cleaned_data)
        except DomainError as refused:
            form.add_error("name", refused.detail)
        else:
            where = _address(request, group_id)
            return console_shell.leave_to(request, where, said=_("The group is changed"))
    return _page(request, found, form=form)


@require_POST
def add(request: ConsoleRequest, slug: str, group_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Take somebody into a group."""
    access.require(request.principal, MANAGE)
    found = selectors.get_group(request.principal, group_id)
    form = GroupPersonForm(request.POST)
    if form.is_valid():
        try:
            person = only_member(request.principal, form.cleaned_data["person"])
            services.add_people(principal=request.principal, group_id=group_id, people=[person.id])
        except DomainError as refused:
            form.add_error("person", refused.detail)
        else:
            said = _("%(name)s is in the group") % {"name": person.name}
            return console_shell.leave_to(request, _address(request, group_id), said=said)
    return _page(request, found, person_form=form)


@require_POST
def remove(request: ConsoleRequest, slug: str, group_id: UUID, person_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Take somebody out of a group."""
    return console_shell.act(
        request,
        lambda: services.remove_person(principal=request.principal, group_id=group_id, person_id=person_id),
        back=_address(request, group_id),
        said=_("The person is no longer in the group"),
    )


@require_POST
def delete(request: ConsoleRequest, slug: str, group_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Delete a group."""
    return console_shell.act(
        request,
        lambda: services.delete_group(principal=request.principal, group_id=group_id),
        back=console_shell.address(request.principal, GROUPS),
        said=_("The group is gone"),
    )


def _page(
    request: ConsoleRequest,
    found: GroupView,
    *,
    form: GroupForm | None = None,
    person_form: GroupPersonForm | None = None,
) -> HttpResponse:
    initial = {
        "name": found.name, "description": found.description, "is_mentionable": found.is_mentionable,
    }  # fmt: skip
    context: dict[str, Any] = {
        "console_page": GROUPS,
        "group": found,
        "people": selectors.people_of_group(request.principal, found.id),
        "form": form or GroupForm(initial=initial),
        "person_form": person_form or GroupPersonForm(),
    }
    return render(request, "console/group.html", context, status=422 if form or person_form else 200)


def _address(request: ConsoleRequest, group_id: UUID) -> str:
    return console_shell.address(request.principal, "group", group_id=group_id)
