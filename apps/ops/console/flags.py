"""The console's page of features: an organization decides for itself and its people, operators for all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.errors import MemberNotFound
from apps.accounts.selectors import people
from apps.accounts.selectors.members import list_members
from apps.accounts.services import access
from apps.accounts.types import PersonView, Principal
from apps.core import console_shell
from apps.core.errors import DomainError, Forbidden
from apps.core.selectors.flags import FlagView, get_flag, list_flags
from apps.core.services import flag_changes
from apps.core.services.flags import is_on
from apps.ops.console.common import FLAGS, ConsoleRequest

DECISIONS = ("on", "off", "")


class NewFlagForm(forms.Form):
    """A new switch."""

    key = forms.CharField(
        label=gettext_lazy("Key"), max_length=60, help_text=gettext_lazy("What the code asks for.")
    )
    description = forms.CharField(label=gettext_lazy("Description"), max_length=300, required=False)


@require_safe
def flags(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """List the switches and what holds here."""
    principal = request.principal
    context = {
        "console_page": FLAGS,
        "flags": [(flag, flag.for_organization(principal.organization_id)) for flag in list_flags()],
        "may_create": _decides_for_all(principal),
    }
    return render(request, "console/flags.html", context)


@require_safe
def flag(request: ConsoleRequest, slug: str, key: str) -> HttpResponse:  # noqa: ARG001
    """Show one switch, for whom it is on, and what may be changed."""
    return _page(request, get_flag(key))


@require_http_methods(["GET", "HEAD", "POST"])
def new_flag(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Make a switch."""
    if not _decides_for_all(request.principal):
        raise Forbidden
    form = NewFlagForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            flag_changes.create_flag(**form.cleaned_data, actor_id=request.principal.id)
        except DomainError as refused:
            form.add_error(None, refused.detail)
        else:
            where = console_shell.address(request.principal, "flag", key=form.cleaned_data["key"])
            return console_shell.leave_to(request, where, said=_("The flag is there, and off"))
    context = {"form": form, "action": request.path, "submit": _("Create flag"), "in_dialog": False}
    return console_shell.page_or_dialog(
        request,
        "parts/form.html",
        context,
        page=FLAGS,
        title=_("New flag"),
        status=422 if form.errors else 200,
    )


@require_POST
def change_flag(request: ConsoleRequest, slug: str, key: str) -> HttpResponse:  # noqa: ARG001
    """Change one rule of a switch: for all, for the organization, or for one of its people."""
    access.require(request.principal, "flag.manage")
    changes: dict[str, Callable[[], object]] = {
        "all": lambda: _change_for_all(request, key),
        "organization": lambda: flag_changes.set_for_organization(
            key=key,
            organization_id=request.principal.organization_id,
            decision=_decision(request),
            actor_id=request.principal.id,
        ),
        "person": lambda: _change_for_person(request, key),
        "delete": lambda: _delete(request, key),
    }
    which = request.POST.get("rule", "")
    back = console_shell.address(request.principal, FLAGS)
    if which != "delete":
        back = console_shell.address(request.principal, "flag", key=key)
    return console_shell.act(request, changes.get(which, lambda: None), back=back, said=_("Saved"))


def _change_for_all(request: ConsoleRequest, key: str) -> None:
    if not _decides_for_all(request.principal):
        raise Forbidden
    share = request.POST.get("percentage", "")
    flag_changes.set_for_all(
        key=key,
        everyone=request.POST.get("everyone") == "1",
        percentage=int(share) if share.isascii() and share.isdigit() else -1,
        actor_id=request.principal.id,
    )


def _change_for_person(request: ConsoleRequest, key: str) -> None:
    """Name a member of the own organization by address, or by id for one that is listed."""
    named = request.POST.get("person", "").strip()
    members = list_members(request.principal, query=named, include_inactive=True, limit=200) if named else []
    found = next((member.id for member in members if member.email == named.lower()), None)
    if found is None:
        listed = {str(person.id): person.id for _, person in _listed(get_flag(key))}
        found = listed.get(named)
    if found is None:
        raise MemberNotFound
    flag_changes.set_for_people(
        key=key, people=[found], decision=_decision(request), actor_id=request.principal.id
    )


def _delete(request: ConsoleRequest, key: str) -> None:
    if not _decides_for_all(request.principal):
        raise Forbidden
    flag_changes.delete_flag(key=key, actor_id=request.principal.id)


def _decision(request: ConsoleRequest) -> str:
    decision = request.POST.get("decision", "")
    return decision if decision in DECISIONS else ""


def _decides_for_all(principal: Principal) -> bool:
    """A rule for all reaches other organizations, so it takes an operator of the server."""
    return principal.is_staff and bool(access.can(principal, "flag.manage"))


def _listed(flag: FlagView) -> list[tuple[bool, PersonView]]:
    """Return the people of this organization the switch names; those of others are nobody's business here."""
    known = people.people([*flag.people_on, *flag.people_off])
    return [
        *((True, known[one]) for one in flag.people_on if one in known),
        *((False, known[one]) for one in flag.people_off if one in known),
    ]


def _page(request: ConsoleRequest, flag: FlagView) -> HttpResponse:
    principal = request.principal
    context: dict[str, Any] = {
        "console_page": FLAGS,
        "flag": flag,
        "here": flag.for_organization(principal.organization_id),
        "people": _listed(flag),
        "for_me": is_on(flag.key, principal.organization_id, principal.id),
        "may_change": bool(access.can(principal, "flag.manage")),
        "decides_for_all": _decides_for_all(principal),
    }
    return render(request, "console/flag.html", context)
