"""The console's page of roles that people have in single channels."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.console.common import ROLES, ConsoleRequest, only_member
from apps.accounts.console.forms import ScopedRoleForm
from apps.accounts.errors import MemberNotFound, ObjectUnknown
from apps.accounts.labels import role_label
from apps.accounts.selectors import members as selectors
from apps.accounts.selectors.scoped_roles import list_scoped_roles
from apps.accounts.services import access, objects
from apps.accounts.services.scoped_roles import MANAGE, give_scoped_role, take_scoped_role
from apps.accounts.types import SCOPED_PERMISSIONS, Principal
from apps.core import console_shell
from apps.core.errors import DomainError

_NEW = "console/roles/place.html"


@never_cache
@require_safe
def places(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """List who has which role where."""
    principal = request.principal
    access.require(principal, MANAGE)
    rows, paging = console_shell.paged(
        request, lambda offset, limit: list_scoped_roles(principal, offset=offset, limit=limit)
    )
    context = {
        "console_page": ROLES,
        "rows": rows,
        "paging": paging,
        "names": objects.names_of_scopes(principal, [row.scope_id for row in rows]),
        "role_names": {role.key: role_label(role) for role in selectors.list_roles(principal)},
    }
    return render(request, "console/places.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def give(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Give somebody a role for one channel."""
    principal = request.principal
    access.require(principal, MANAGE)
    roles, title = _grantable(principal), _("Role for a single channel")
    if request.method != "POST":
        context = {"form": ScopedRoleForm(roles=roles)}
        return console_shell.page_or_dialog(request, _NEW, context, page=ROLES, title=title)
    form = ScopedRoleForm(request.POST, roles=roles)
    if form.is_valid():
        try:
            _give(principal, form)
        except DomainError as refused:
            form.add_error(_field(refused), refused.detail)
        else:
            where = console_shell.address(principal, "places")
            return console_shell.leave_to(request, where, said=_("The role is given"))
    return console_shell.form_again(request, _NEW, {}, form, page=ROLES, title=title)


@require_POST
def take(request: ConsoleRequest, slug: str, scoped_role_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Take one back."""
    return console_shell.act(
        request,
        lambda: take_scoped_role(principal=request.principal, scoped_role_id=scoped_role_id),
        back=console_shell.address(request.principal, "places"),
        said=_("The role is taken back"),
    )


def named_scope(principal: Principal, text: str) -> UUID:
    """Return the audience of the conversation that an address or a name means.

    Raises:
        ObjectUnknown: none, or one whose name the principal may not hear.
    """
    ref = objects.find_ref(principal, text)
    facts = objects.find_facts(principal, ref) if ref and ref.kind == "conversation" else None
    if facts is None or not facts.name:
        raise ObjectUnknown
    return facts.scopes[0]


def _give(principal: Principal, form: ScopedRoleForm) -> None:
    give_scoped_role(
        principal=principal,
        member_id=only_member(principal, form.cleaned_data["person"]).member_id,
        role=form.cleaned_data["role"],
        scope_id=named_scope(principal, form.cleaned_data["place"]),
    )


def _grantable(principal: Principal) -> list[tuple[str, str]]:
    """Return the roles of which something can be limited to one place, and no more than the reader's own."""
    return [
        (role.key, role_label(role))
        for role in selectors.list_roles(principal)
        if (given := SCOPED_PERMISSIONS & set(role.permissions)) and given <= principal.permissions
    ]


def _field(refused: DomainError) -> str | None:
    fields: dict[type[DomainError], str] = {MemberNotFound: "person", ObjectUnknown: "place"}
    return fields.get(type(refused))
