"""What is unread in all conversations, and why: the messages behind a badge."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.types import Principal
from apps.chat.errors import ConversationNotFound
from apps.chat.forms import SequenceForm
from apps.chat.selectors import conversations, own, unread, waiting
from apps.chat.selectors.notifying import excerpt
from apps.chat.services import reading
from apps.chat.views.common import PageRequest, done, message_address, page_or_dialog
from apps.core.errors import InvalidInput

REASONS = {
    "mention": gettext_lazy("mentions you"),
    "followed_topic": gettext_lazy("in a topic you follow"),
    "unread": gettext_lazy("not read yet"),
    "topic_muted": gettext_lazy("does not count: you muted the topic"),
    "conversation_muted": gettext_lazy("does not count: you muted the conversation"),
}


@require_safe
def why(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """List what waits, newest first: by conversation, or why something waits in one (`?conversation=<id>`)."""
    principal = request.principal
    chosen = _uuid(request.GET.get("conversation", ""))
    found = waiting.explain(principal, conversation_id=chosen)
    places = {each.id: each for each in conversations.list_conversations(principal, include_archived=True)}
    groups: dict[UUID, list[dict[str, Any]]] = {}
    for each in found:
        groups.setdefault(each.message.conversation, []).append(_row(principal, each))
    context = {
        "groups": [
            {"place": places[place], "rows": rows, "newest": rows[0]["message"].sequence}
            for place, rows in groups.items()
        ],
        "is_why": chosen is not None,
        "totals": None if chosen else unread.totals(principal),
        "threads": 0 if chosen else own.own_counts(principal, drafts=0).threads,
        "own_page": "unread",
        "is_cut": len(found) == waiting.SHOWN,
    }
    title = _("Why unread: %(name)s") % {"name": places[chosen].name} if chosen in places else _("Unread")
    return page_or_dialog(request, "chat/parts/why.html", context, title=title)


def _row(principal: Principal, one: waiting.Waiting) -> dict[str, Any]:
    message = one.message
    return {
        "waiting": one,
        "message": message,
        "text": excerpt(message.html) or ", ".join(file.name for file in message.attachments),
        "reason": REASONS[one.reason],
        "link": message_address(principal, message.conversation, message.id),
    }


@require_POST
def read(request: PageRequest, slug: str, conversation_id: UUID) -> HttpResponse:
    """Mark what was shown of a conversation as read."""
    form = SequenceForm(request.POST)
    if not form.is_valid():
        raise InvalidInput
    reading.move_marker(
        principal=request.principal, conversation_id=conversation_id, sequence=form.cleaned_data["sequence"]
    )
    return done(request, reverse("chat:why", kwargs={"slug": slug}))


@require_POST
def read_everything(request: PageRequest, slug: str) -> HttpResponse:
    """Mark all that waits as read."""
    reading.read_everything(principal=request.principal)
    return done(request, reverse("chat:why", kwargs={"slug": slug}))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise ConversationNotFound from error
