"""The console's page of exceptions: single rights that people have in single conversations, until when and why."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.console.common import ROLES, ConsoleRequest, only_member
from apps.accounts.console.forms import ObjectRightForm
from apps.accounts.console.places import named_scope
from apps.accounts.errors import MemberNotFound, NameNotValid, ObjectUnknown
from apps.accounts.labels import PERMISSION_LABELS
from apps.accounts.selectors.object_rights import list_object_rights
from apps.accounts.services import access, objects
from apps.accounts.services.object_rights import give_object_right, take_object_right
from apps.accounts.services.scoped_roles import MANAGE
from apps.accounts.types import OBJECT_PERMISSIONS, Principal
from apps.core import console_shell
from apps.core.errors import DomainError

_NEW = "console/roles/object_right.html"


@never_cache
@require_safe
def rights(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """List who has which right where, until when and why."""
    principal = request.principal
    access.require(principal, MANAGE)
    rows, paging = console_shell.paged(
        request, lambda offset, limit: list_object_rights(principal, offset=offset, limit=limit)
    )
    context = {
        "console_page": ROLES,
        "rows": rows,
        "paging": paging,
        "names": objects.names_of_scopes(principal, [row.scope_id for row in rows]),
        "labels": PERMISSION_LABELS,
    }
    return render(request, "console/object_rights.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def give(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Give somebody one right in one conversation."""
    principal = request.principal
    access.require(principal, MANAGE)
    choices, title = _givable(principal), _("Exception for a single conversation")
    if request.method != "POST":
        context = {"form": ObjectRightForm(permissions=choices)}
        return console_shell.page_or_dialog(request, _NEW, context, page=ROLES, title=title)
    form = ObjectRightForm(request.POST, permissions=choices)
    if form.is_valid():
        try:
            _give(principal, form)
        except DomainError as refused:
            form.add_error(_field(refused), refused.detail)
        else:
            where = console_shell.address(principal, "object-rights")
            return console_shell.leave_to(request, where, said=_("The right is given"))
    return console_shell.form_again(request, _NEW, {}, form, page=ROLES, title=title)


@require_POST
def take(request: ConsoleRequest, slug: str, object_right_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Take one back."""
    return console_shell.act(
        request,
        lambda: take_object_right(principal=request.principal, object_right_id=object_right_id),
        back=console_shell.address(request.principal, "object-rights"),
        said=_("The right is taken back"),
    )


def _give(principal: Principal, form: ObjectRightForm) -> None:
    values = form.cleaned_data
    give_object_right(
        principal=principal,
        member_id=only_member(principal, values["person"]).member_id,
        permission=values["permission"],
        scope_id=named_scope(principal, values["place"]),
        reason=values["reason"],
        days=values["days"],
    )


def _givable(principal: Principal) -> list[tuple[str, str]]:
    return [
        (name, str(label))
        for name, label in PERMISSION_LABELS.items()
        if name in OBJECT_PERMISSIONS & principal.permissions
    ]


def _field(refused: DomainError) -> str | None:
    fields: dict[type[DomainError], str] = {
        MemberNotFound: "person",
        ObjectUnknown: "place",
        NameNotValid: "reason",
    }
    return fields.get(type(refused))
