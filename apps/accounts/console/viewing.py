"""Begin to look at pages as somebody else, from the console's page of a person."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.accounts.console.common import PEOPLE, ConsoleRequest
from apps.accounts.console.forms import ViewAsForm
from apps.accounts.selectors import members as selectors
from apps.accounts.selectors.sessions import VIEW_AS
from apps.accounts.services import access, view_as
from apps.core import console_shell
from apps.core.errors import DomainError

_PART = "console/people/view_as.html"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def begin(request: ConsoleRequest, slug: str, member_id: UUID) -> HttpResponse:
    """Ask for the reason, then begin."""
    access.require(request.principal, "access.view_as")
    member = selectors.get_member(request.principal, member_id)
    title = _("Look at pages as %(name)s") % {"name": member.name}
    context = {"member": member, "minutes": int(view_as.LASTS.total_seconds() // 60)}
    if request.method != "POST":
        return console_shell.page_or_dialog(
            request, _PART, {**context, "form": ViewAsForm()}, page=PEOPLE, title=title
        )
    form = ViewAsForm(request.POST)
    if form.is_valid():
        try:
            with transaction.atomic():  # the session knows it before the sockets look again
                request.session[VIEW_AS] = view_as.begin(
                    principal=request.principal, member_id=member_id, reason=form.cleaned_data["reason"]
                )
                request.session.save()
        except DomainError as refused:
            form.add_error(None, refused.detail)
        else:
            messages.info(request, _("Nothing can be changed until you end this."))
            return console_shell.leave_to(request, reverse("chat:home", kwargs={"slug": slug}))
    return console_shell.form_again(request, _PART, context, form, page=PEOPLE, title=title)
