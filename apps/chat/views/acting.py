"""What a reader does with messages: send, edit, delete, react, mark unread. Each is a form first."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.chat import presenting
from apps.chat.errors import MassMentionUnconfirmed
from apps.chat.forms import DraftForm, EditForm, SendForm
from apps.chat.selectors import conversations, messages, saved
from apps.chat.selectors import deleted as deleted_messages
from apps.chat.services import deleted, drafts, pacing, policy, reactions, reading
from apps.chat.services import messages as writing
from apps.chat.services.commands import is_command, run_command
from apps.chat.types import MessageView
from apps.chat.views.common import (
    PageRequest,
    ask_to_call_many,
    conversation_address,
    done,
    leave_to,
    message_address,
    page_or_dialog,
    posted,
    visible_message,
)
from apps.core.errors import DomainError, InvalidInput

QUICK_EMOJI = ("👍", "❤️", "😂", "🎉", "👀", "✅", "🙏", "👎")


@require_POST
def send(request: PageRequest, slug: str, conversation_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Store a message that came as a form, and show it."""
    form = SendForm(request.POST)
    if not form.is_valid():
        raise InvalidInput
    pacing.take_turn(request.principal)
    try:
        if is_command(form.cleaned_data["body"]):
            return _run(request, conversation_id, form)
        sent = writing.send_message(
            principal=request.principal,
            conversation_id=conversation_id,
            body=form.cleaned_data["body"],
            client_key=form.cleaned_data["client_key"],
            thread=form.cleaned_data["thread"],
            topic=form.cleaned_data["topic"],
            priority=form.cleaned_data["priority"],
            confirm_mass_mention=form.cleaned_data["confirm_mass_mention"],
        )
    except MassMentionUnconfirmed as refused:
        return ask_to_call_many(request, form, refused)
    drafts.save_draft(
        principal=request.principal,
        conversation_id=conversation_id,
        body="",
        thread=form.cleaned_data["thread"],
    )
    return HttpResponseRedirect(message_address(request.principal, conversation_id, sent.id))


def _run(request: PageRequest, conversation_id: UUID, form: SendForm) -> HttpResponse:
    """Run a command that came as a form."""
    outcome = run_command(
        principal=request.principal,
        conversation_id=conversation_id,
        line=form.cleaned_data["body"],
        client_key=form.cleaned_data["client_key"],
        thread=form.cleaned_data["thread"],
        topic=form.cleaned_data["topic"],
        confirm_mass_mention=form.cleaned_data["confirm_mass_mention"],
    )
    if outcome.message:
        return HttpResponseRedirect(message_address(request.principal, conversation_id, outcome.message))
    home = reverse("chat:home", kwargs={"slug": request.principal.organization_slug})
    here = conversation_address(request.principal, conversation_id)
    return leave_to(request, f"{home}{outcome.address}" if outcome.address else here, said=outcome.said)


@require_POST
def draft(request: PageRequest, slug: str, conversation_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Keep unsent text."""
    form = DraftForm(request.POST)
    if not form.is_valid():
        raise InvalidInput
    drafts.save_draft(principal=request.principal, conversation_id=conversation_id, **form.cleaned_data)
    return HttpResponse(status=204)


@require_safe
def actions(request: PageRequest, slug: str, conversation_id: UUID, message_id: UUID) -> HttpResponse:  # noqa: ARG001
    """List what can be done with a message, as a page: the menu for readers without a script."""
    message = visible_message(request, conversation_id, message_id)
    return page_or_dialog(
        request,
        "chat/parts/actions_page.html",
        {
            **_shown(request, message),
            "emoji": QUICK_EMOJI,
            "is_saved": saved.is_saved(request.principal, message_id),
        },
        title=_("Message of %(name)s") % {"name": message.sender.name},
    )


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: PageRequest, slug: str, conversation_id: UUID, message_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Change the text of an own message; where it is too late, nobody begins to."""
    message = visible_message(request, conversation_id, message_id)
    if request.method != "POST":
        policy.require_in_time(request.principal.organization_id, message.sent_at)
    form = EditForm(posted(request), initial={"body": message.body, "version": message.version})
    if request.method == "POST" and form.is_valid():
        try:
            writing.edit_message(
                principal=request.principal,
                message_id=message_id,
                body=form.cleaned_data["body"],
                expected_version=form.cleaned_data["version"],
                confirm_mass_mention=form.cleaned_data["confirm_mass_mention"],
            )
        except DomainError as refused:
            if _is_script(request):
                raise
            if isinstance(refused, MassMentionUnconfirmed):
                return ask_to_call_many(request, form, refused)
            form.add_error("body", refused.detail)
        else:
            return done(request, message_address(request.principal, conversation_id, message_id))
    context = {"form": form, "action": request.path, "submit": _("Save")}
    status = 422 if form.errors else 200
    return page_or_dialog(request, "parts/form.html", context, title=_("Edit message"), status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: PageRequest, slug: str, conversation_id: UUID, message_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Take a message away for everyone; the page says for how long it can come back."""
    message = visible_message(request, conversation_id, message_id)
    if request.method == "POST":
        writing.delete_message(principal=request.principal, message_id=message_id)
        if _is_script(request):
            return HttpResponse(status=204)
        return leave_to(request, conversation_address(request.principal, conversation_id))
    return page_or_dialog(
        request,
        "chat/parts/delete_page.html",
        {**_shown(request, message), "restore_hours": deleted.restore_window() // timedelta(hours=1)},
        title=_("Delete message for everyone"),
    )


@require_POST
def restore(request: PageRequest, slug: str, conversation_id: UUID, message_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Bring a deleted message back."""
    visible_message(request, conversation_id, message_id)
    deleted.restore_message(principal=request.principal, message_id=message_id)
    return done(request, message_address(request.principal, conversation_id, message_id))


@require_safe
def restorable(request: PageRequest, slug: str, conversation_id: UUID) -> HttpResponse:  # noqa: ARG001
    """List the deleted messages of a conversation that the reader can bring back."""
    found = conversations.get_conversation(request.principal, conversation_id)
    kept = deleted_messages.list_restorable(request.principal, conversation_id)
    context = {"conversation": found, "kept": kept, "slug": request.principal.organization_slug}
    return page_or_dialog(request, "chat/parts/restorable.html", context, title=_("Deleted messages"))


@require_POST
def react(request: PageRequest, slug: str, conversation_id: UUID, message_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Choose an emoji, or take it back when it was chosen before."""
    message = visible_message(request, conversation_id, message_id)
    emoji = request.POST.get("emoji", "")
    mine = any(
        reaction.emoji == emoji and request.principal.id in reaction.principals
        for reaction in message.reactions
    )
    change = reactions.remove_reaction if mine else reactions.add_reaction
    change(principal=request.principal, message_id=message_id, emoji=emoji)
    return done(request, message_address(request.principal, conversation_id, message_id))


@require_POST
def unread(request: PageRequest, slug: str, conversation_id: UUID, message_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Mark everything from a message on as unread."""
    visible_message(request, conversation_id, message_id)
    reading.mark_unread_from(
        principal=request.principal, message_id=message_id, only_topic=request.POST.get("only_topic") == "1"
    )
    return done(request, conversation_address(request.principal, conversation_id))


@require_safe
def history(request: PageRequest, slug: str, conversation_id: UUID, message_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Show the texts of a message, newest first, each as what it changed."""
    message = visible_message(request, conversation_id, message_id)
    found = presenting.versions(message, messages.revisions(request.principal, message_id))
    context = {**_shown(request, message), "versions": found}
    return page_or_dialog(request, "chat/parts/history_page.html", context, title=_("Edited message"))


def _shown(request: PageRequest, message: MessageView) -> dict[str, object]:
    (row,) = presenting.rows([message], reader=request.principal)
    is_mine = message.sender.id == request.principal.id
    return {
        "row": row,
        "m": message,
        "link": message_address(request.principal, message.conversation, message.id),
        "may_move": message.thread is None,
        "may_delete": is_mine
        or conversations.may_here(request.principal, "message.moderate", message.conversation),
    }


def _is_script(request: PageRequest) -> bool:
    return request.headers.get("X-Requested-With") == "fetch"
