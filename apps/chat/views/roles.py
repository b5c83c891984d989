"""Roles in one channel: who has which, beside what the organization gave; for who manages members there."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts.selectors import groups
from apps.accounts.selectors.scoped_roles import list_scoped_roles
from apps.accounts.services import scoped_roles
from apps.chat.errors import ConversationNotFound, NotAChannel
from apps.chat.forms import RoleForm
from apps.chat.selectors import conversations
from apps.chat.types import ConversationView
from apps.chat.views.common import (
    PageRequest,
    conversation_address,
    form_answer,
    leave_to,
    page_or_dialog,
    posted,
)
from apps.core.errors import DomainError

MOST = 200


@require_http_methods(["GET", "HEAD", "POST"])
def roles(request: PageRequest, slug: str, conversation_id: UUID) -> HttpResponse:
    """List roles in a channel, and give one to a member or a group."""
    principal = request.principal
    found = _managed(request, conversation_id)
    inside = conversations.members(principal, conversation_id)
    names = {f"person:{person.member_id}": person.name for person in inside}
    names |= {
        f"group:{group.id}": _("Group %(name)s") % {"name": group.name}
        for group in groups.list_groups(principal)
    }
    form = RoleForm(
        posted(request), roles=scoped_roles.roles_for(principal, found.scope), whose=list(names.items())
    )
    context = {
        "conversation": found, "form": form, "slug": slug, "action": request.path,
        "role_names": scoped_roles.role_names(principal),
        "rows": list_scoped_roles(principal, scope_id=found.scope, limit=MOST), "submit": _("Give the role"),
    }  # fmt: skip
    title = _("Roles in %(name)s") % {"name": found.name}
    if request.method == "POST" and form.is_valid():
        try:
            _give(request, found, whose=form.cleaned_data["whose"], role=form.cleaned_data["role"])
        except DomainError as refused:
            form.add_error(None, refused.detail)
        else:
            back = conversation_address(principal, conversation_id)
            return leave_to(request, back, said=_("The role is given"))
    if form.errors:
        return form_answer(request, "chat/parts/roles.html", context, form, title=title)
    return page_or_dialog(request, "chat/parts/roles.html", context, title=title)


@require_POST
def take(request: PageRequest, slug: str, conversation_id: UUID, scoped_role_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Take a role in a channel back."""
    _managed(request, conversation_id)
    scoped_roles.take_scoped_role(principal=request.principal, scoped_role_id=scoped_role_id)
    return leave_to(
        request, conversation_address(request.principal, conversation_id), said=_("The role is taken back")
    )


def _managed(request: PageRequest, conversation_id: UUID) -> ConversationView:
    found = conversations.get_conversation(request.principal, conversation_id)
    if found.kind != "channel":
        raise NotAChannel
    if not scoped_roles.may_manage(request.principal, found.scope):
        raise ConversationNotFound
    return found


def _give(request: PageRequest, found: ConversationView, *, whose: str, role: str) -> None:
    kind, _colon, key = whose.partition(":")
    if kind == "group":
        scoped_roles.give_group_role(
            principal=request.principal, group_id=UUID(key), role=role, scope_id=found.scope
        )
    else:
        scoped_roles.give_scoped_role(
            principal=request.principal, member_id=UUID(key), role=role, scope_id=found.scope
        )
