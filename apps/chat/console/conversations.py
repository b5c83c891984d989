"""The console's page of conversations: what there is, how lively it is, and archiving. Never a message."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.services import access
from apps.accounts.services.reasons import data_class_label
from apps.accounts.types import DATA_CLASSES, Principal
from apps.chat.selectors.administration import list_records
from apps.chat.services.administration import set_archived, set_data_class
from apps.core import console_shell
from apps.core.registry import register_console_page

PAGE = "conversations"
KINDS = ("channel", "direct", "group")
STATES = ("active", "archived")


class ConsoleRequest(HttpRequest):
    """A request behind the console's door."""

    principal: Principal


@require_safe
def conversations(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """List conversations with their numbers."""
    query = request.GET.get("q", "")[:100]
    kind = _one_of(request.GET.get("kind", ""), KINDS)
    state = _one_of(request.GET.get("state", ""), STATES)
    load = partial(list_records, request.principal, query=query, kind=kind, state=state)
    rows, paging = console_shell.paged(request, lambda offset, limit: load(offset=offset, limit=limit))
    context = {
        "console_page": PAGE,
        "rows": rows,
        "paging": paging,
        "may_archive": bool(access.can(request.principal, "conversation.manage_any")),
        "classes": [(name, str(data_class_label(name))) for name in DATA_CLASSES],
        "query": query,
        "kind": kind,
        "state": state,
    }
    return render(request, "console/conversations.html", context)


@require_POST
def archive(request: ConsoleRequest, slug: str, conversation_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Archive a channel, or open it again."""
    is_archived = request.POST.get("archived") == "1"
    return console_shell.act(
        request,
        lambda: set_archived(
            principal=request.principal, conversation_id=conversation_id, is_archived=is_archived
        ),
        back=console_shell.address(request.principal, PAGE),
        said=_("The channel is archived") if is_archived else _("The channel is open again"),
    )


@require_POST
def classify(request: ConsoleRequest, slug: str, conversation_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Say which class of data a channel holds."""
    return console_shell.act(
        request,
        lambda: set_data_class(
            principal=request.principal,
            conversation_id=conversation_id,
            data_class=request.POST.get("data_class", ""),
        ),
        back=console_shell.address(request.principal, PAGE),
        said=_("The channel holds another class of data now"),
    )


def _one_of(value: str, allowed: tuple[str, ...]) -> str:
    return value if value in allowed else ""


register_console_page(
    PAGE,
    gettext_lazy("Conversations"),
    "chat",
    console_shell.VIEW,
    conversations,
    order=40,
    routes=[
        path("<uuid:conversation_id>/archive/", archive, name="conversation-archive"),
        path("<uuid:conversation_id>/class/", classify, name="conversation-class"),
    ],
)
