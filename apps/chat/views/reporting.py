"""Report a message to the moderators."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages as notices
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.chat.errors import MessageNotFound
from apps.chat.forms import ReportForm
from apps.chat.selectors import messages, reported
from apps.chat.services.moderation import report_message
from apps.chat.types import ReportReason
from apps.chat.views.common import PageRequest, leave_to, message_address, page_or_dialog
from apps.core.errors import DomainError


@require_http_methods(["GET", "HEAD", "POST"])
def report(request: PageRequest, slug: str, conversation_id: UUID, message_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Say what is wrong with a message."""
    if messages.get_message(request.principal, message_id).conversation != conversation_id:
        raise MessageNotFound
    form = ReportForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            report_message(
                principal=request.principal,
                message_id=message_id,
                reason=ReportReason(form.cleaned_data["reason"]),
                note=form.cleaned_data["note"],
            )
        except DomainError as refused:
            form.add_error(None, refused.detail)
        else:
            _say_who_looks(request, message_id)
            return leave_to(request, message_address(request.principal, conversation_id, message_id))
    context = {"form": form, "action": request.path, "submit": _("Report")}
    return page_or_dialog(
        request, "parts/form.html", context, title=_("Report message"), status=422 if form.errors else 200
    )


def _say_who_looks(request: PageRequest, message_id: UUID) -> None:
    if next(reported.who_decides(message_id), None) is not None:
        notices.success(request, _("The moderators will look at it"))
        return
    notices.warning(
        request, _("Only the author could decide about it now. It waits until somebody else may.")
    )
