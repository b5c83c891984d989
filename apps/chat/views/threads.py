"""The inbox of threads, and following them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST, require_safe

from apps.chat import presenting
from apps.chat.errors import MessageNotFound
from apps.chat.forms import SequenceForm
from apps.chat.selectors import conversations, threads
from apps.chat.services import threads as following
from apps.chat.views.common import PageRequest, done, list_context, thread_address
from apps.core.errors import InvalidInput


@require_safe
def inbox(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """List the followed threads, the liveliest first; `?unread=1` only those with something new."""
    only_unread = request.GET.get("unread") == "1"
    found = threads.inbox(
        request.principal, only_unread=only_unread, before=_moment(request.GET.get("before"))
    )
    names = conversations.names(request.principal, {thread.root.conversation for thread in found})
    entries = [
        {
            "thread": thread,
            "name": names.get(thread.root.conversation, ""),
            "rows": presenting.rows([thread.root, thread.last], reader=request.principal),
            "address": thread_address(request.principal, thread.root.conversation, thread.root.id),
        }
        for thread in found
    ]
    older = found[-1].last.sent_at.isoformat() if len(found) == threads.MOST else ""
    context = {**list_context(request), "entries": entries, "only_unread": only_unread, "older": older}
    return render(request, "chat/threads.html", {**context, "own_page": "threads"})


@require_POST
def follow(request: PageRequest, slug: str, conversation_id: UUID, message_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Follow a thread, or leave it."""
    following.set_followed(
        principal=request.principal, message_id=message_id, is_followed=request.POST.get("is_followed") == "1"
    )
    return done(request, thread_address(request.principal, conversation_id, message_id))


@require_POST
def read(request: PageRequest, slug: str, conversation_id: UUID, message_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Note how far the reader has seen a thread."""
    form = SequenceForm(request.POST)
    if not form.is_valid():
        raise InvalidInput
    following.mark_read(
        principal=request.principal, message_id=message_id, sequence=form.cleaned_data["sequence"]
    )
    return done(request, thread_address(request.principal, conversation_id, message_id))


def _moment(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        moment = parse_datetime(text)
    except ValueError as error:
        raise MessageNotFound from error
    if moment is None or moment.tzinfo is None:
        raise MessageNotFound
    return moment
