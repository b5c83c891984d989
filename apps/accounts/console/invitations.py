"""The console's way to invite: the form, the link that is shown once, and taking an invitation back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts.console.common import PEOPLE, ConsoleRequest, grantable
from apps.accounts.forms import InviteForm
from apps.accounts.selectors.members import get_invitation, list_roles
from apps.accounts.services import access, invitations
from apps.accounts.types import IssuedLink
from apps.core import console_shell
from apps.core.errors import DomainError

_FORM, _SENT = "console/people/invite.html", "console/people/invited.html"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """Ask whom to invite; then show the link, this one time."""
    principal = request.principal
    access.require(principal, "member.invite")
    roles = grantable(principal, list_roles(principal))
    title = _("Invite someone")
    if request.method != "POST":
        context: dict[str, Any] = {"form": InviteForm(roles=roles, initial={"role": "member"})}
        return console_shell.page_or_dialog(request, _FORM, context, page=PEOPLE, title=title)
    form = InviteForm(request.POST, roles=roles)
    if form.is_valid():
        try:
            issued = invitations.invite(principal=principal, **form.cleaned_data)
        except DomainError as refused:
            form.add_error(None, refused.detail)
        else:
            return _sent(request, form.cleaned_data["email"], issued)
    return console_shell.form_again(request, _FORM, {}, form, page=PEOPLE, title=title)


@never_cache
@require_POST
def renew(request: ConsoleRequest, slug: str, invitation_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Send an invitation again, with a new link."""
    email = get_invitation(request.principal, invitation_id).email
    return _sent(
        request,
        email,
        invitations.renew_invitation(principal=request.principal, invitation_id=invitation_id),
    )


@require_POST
def revoke(request: ConsoleRequest, slug: str, invitation_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Take an invitation back."""
    return console_shell.act(
        request,
        lambda: invitations.revoke_invitation(principal=request.principal, invitation_id=invitation_id),
        back=console_shell.address(request.principal, PEOPLE),
        said=_("The invitation is taken back; its link does not work any more"),
    )


def _sent(request: ConsoleRequest, email: str, issued: IssuedLink) -> HttpResponse:
    context = {
        "email": email,
        "issued": issued,
        "is_in_file": settings.EMAIL_BACKEND.endswith("filebased.EmailBackend"),
    }
    return console_shell.page_or_dialog(
        request, _SENT, context, page=PEOPLE, title=_("Invitation to %(email)s") % {"email": email}
    )
