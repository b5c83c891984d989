"""Polls and slash commands from the composer."""

from __future__ import annotations

from uuid import UUID, uuid4

from django.http import HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.chat.errors import PollInvalid, TopicNameInvalid
from apps.chat.forms import CommandForm, PollForm
from apps.chat.selectors import conversations
from apps.chat.services import pacing, polls
from apps.chat.services.commands import run_command
from apps.chat.views.common import (
    PageRequest,
    done,
    leave_to,
    message_address,
    page_or_dialog,
    posted,
    visible_message,
)
from apps.core.commands import commands
from apps.core.errors import DomainError, InvalidInput


@require_http_methods(["GET", "HEAD", "POST"])
def new_poll(request: PageRequest, slug: str, conversation_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Ask and let people vote."""
    found = conversations.get_conversation(request.principal, conversation_id)
    initial = {"client_key": uuid4(), "topic": request.GET.get("topic", "")}
    form = PollForm(posted(request), initial=initial, takes_topic=found.kind == "channel")
    if request.method == "POST" and form.is_valid():
        pacing.take_turn(request.principal)
        try:
            sent = polls.create_poll(
                principal=request.principal,
                conversation_id=conversation_id,
                poll=form.poll(),
                client_key=str(form.cleaned_data["client_key"]),
                topic=form.cleaned_data.get("topic", ""),
            )
        except DomainError as refused:
            field = "topic" if isinstance(refused, TopicNameInvalid) else "options"
            form.add_error(field if field in form.fields else None, refused.detail)
        else:
            return leave_to(request, message_address(request.principal, conversation_id, sent.id))
    context = {"form": form, "action": request.path, "submit": _("Ask")}
    return page_or_dialog(
        request, "parts/form.html", context, title=_("New poll"), status=422 if form.errors else 200
    )


@require_POST
def vote(request: PageRequest, slug: str, conversation_id: UUID, message_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Choose an answer, or take it back."""
    visible_message(request, conversation_id, message_id)
    option = request.POST.get("option", "")
    if not option.isdecimal() or len(option) > 2:
        raise PollInvalid
    polls.toggle(principal=request.principal, message_id=message_id, option=int(option))
    return done(request, message_address(request.principal, conversation_id, message_id))


@require_POST
def close_poll(request: PageRequest, slug: str, conversation_id: UUID, message_id: UUID) -> HttpResponse:  # noqa: ARG001
    """End a poll."""
    visible_message(request, conversation_id, message_id)
    polls.close_poll(principal=request.principal, message_id=message_id)
    return done(request, message_address(request.principal, conversation_id, message_id))


@require_safe
def command_list(request: PageRequest, slug: str) -> JsonResponse:  # noqa: ARG001 - the middleware read it
    """Return the commands, for suggestions in the composer."""
    return JsonResponse(
        {
            "commands": [
                {"name": one.name, "usage": str(one.usage), "description": str(one.description)}
                for one in commands()
            ]
        }
    )


@require_POST
def command(request: PageRequest, slug: str, conversation_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Run a command."""
    conversations.get_conversation(request.principal, conversation_id)
    form = CommandForm(request.POST)
    if not form.is_valid():
        raise InvalidInput
    pacing.take_turn(request.principal)
    outcome = run_command(principal=request.principal, conversation_id=conversation_id, **form.cleaned_data)
    return JsonResponse({"said": outcome.said, "message": outcome.message, "address": outcome.address})
