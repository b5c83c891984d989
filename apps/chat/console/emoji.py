"""The console's page of messages: links, for how long a text is changed, presence, emoji of one's own."""

from __future__ import annotations

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.services import access
from apps.chat.console.conversations import ConsoleRequest
from apps.chat.errors import EditWindowInvalid, EmojiNameInvalid
from apps.chat.forms import SharingForm
from apps.chat.selectors import statuses as status_selectors
from apps.chat.selectors.emoji import custom_emoji
from apps.chat.selectors.policy import rules_of
from apps.chat.services import emoji as changing
from apps.chat.services import policy, statuses
from apps.chat.types import MOST_EDIT_MINUTES
from apps.core import console_shell
from apps.core.registry import register_console_page

PAGE = "emoji"


@require_safe
def emoji(request: ConsoleRequest, slug: str) -> HttpResponse:
    """List the organization's own emoji."""
    context = {
        "console_page": PAGE,
        "rows": custom_emoji(request.principal),
        "slug": slug,
        "rules": rules_of(request.principal.organization_id),
        "most_minutes": MOST_EDIT_MINUTES,
        "may_switch": bool(access.can(request.principal, policy.PERMISSION)),
        "shown": status_selectors.rules(),
        "may_hide": bool(access.can(request.principal, statuses.PERMISSION)),
    }
    return render(request, "console/emoji.html", context)


@require_POST
def add(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """Add one from a picture."""
    return console_shell.act(
        request,
        lambda: _add(request),
        back=console_shell.address(request.principal, PAGE),
        said=_("Emoji added"),
    )


def _add(request: ConsoleRequest) -> None:
    picture = request.FILES.get("picture")
    if not isinstance(picture, UploadedFile):
        raise EmojiNameInvalid
    changing.add_emoji(
        principal=request.principal,
        code=request.POST.get("code", "").strip().strip(":").lower(),
        name=picture.name or "emoji",
        data=picture.read(),
    )


@require_POST
def switch(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Look at links, or not."""
    is_on = request.POST.get("link_previews") == "1"
    return console_shell.act(
        request,
        lambda: policy.change_rules(principal=request.principal, link_previews=is_on),
        back=console_shell.address(request.principal, PAGE),
        said=_("Links are looked at") if is_on else _("Links are not looked at any more"),
    )


@require_POST
def show_presence(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Let people see who is here and who is writing, or nobody."""
    form = SharingForm(request.POST)
    form.is_valid()  # two boxes, checked or not
    return console_shell.act(
        request,
        lambda: statuses.set_rules(request.principal, **form.cleaned_data),
        back=console_shell.address(request.principal, PAGE),
        said=_("Saved"),
    )


@require_POST
def limit_edits(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Decide for how long authors change their messages."""
    return console_shell.act(
        request,
        lambda: policy.change_rules(principal=request.principal, edit_minutes=_minutes(request)),
        back=console_shell.address(request.principal, PAGE),
        said=_("Saved"),
    )


def _minutes(request: ConsoleRequest) -> int | None:
    text = request.POST.get("edit_minutes", "").strip()
    try:
        return int(text) if text else None
    except ValueError as error:
        raise EditWindowInvalid(limit=MOST_EDIT_MINUTES) from error


@require_POST
def remove(request: ConsoleRequest, slug: str, code: str) -> HttpResponse:  # noqa: ARG001
    """Take one away."""
    return console_shell.act(
        request,
        lambda: changing.remove_emoji(principal=request.principal, code=code),
        back=console_shell.address(request.principal, PAGE),
        said=_("Emoji removed"),
    )


register_console_page(
    PAGE,
    gettext_lazy("Messages and emoji"),
    "smile",
    changing.PERMISSION,
    emoji,
    order=41,
    routes=[
        path("previews/", switch, name="link-previews"),
        path("edits/", limit_edits, name="edit-window"),
        path("presence/", show_presence, name="presence-rules"),
        path("add/", add, name="emoji-add"),
        path("<slug:code>/remove/", remove, name="emoji-remove"),
    ],
)
