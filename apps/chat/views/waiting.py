"""Why something is unread: the messages behind a badge."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from apps.chat.errors import ConversationNotFound
from apps.chat.selectors import conversations, own, unread, waiting
from apps.chat.services import reading
from apps.chat.views.common import PageRequest, done, message_address, page_or_dialog

REASONS = {
    "mention": gettext_lazy("mentions you"),
    "followed_topic": gettext_lazy("in a topic you follow"),
    "unread": gettext_lazy("not read yet"),
    "topic_muted": gettext_lazy("does not count: you muted the topic"),
    "conversation_muted": gettext_lazy("does not count: you muted the conversation"),
}


@require_safe
def why(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """List what waits in all conversations, or in one (`?conversation=<id>`), newest first."""
    principal = request.principal
    chosen = _uuid(request.GET.get("conversation", ""))
    found = waiting.explain(principal, conversation_id=chosen)
    names = {each.id: each.name for each in conversations.list_conversations(principal)}
    rows = [
        {
            "waiting": each,
            "message": each.message,
            "place": names.get(each.message.conversation, ""),
            "reason": REASONS[each.reason],
            "link": message_address(principal, each.message.conversation, each.message.id),
        }
        for each in found
    ]
    context = {
        "rows": rows,
        "counted": sum(each.is_counted for each in found),
        "totals": None if chosen else unread.totals(principal),
        "threads": 0 if chosen else own.own_counts(principal, drafts=0).threads,
        "own_page": "unread",
        "is_cut": len(found) == waiting.SHOWN,
    }
    title = _("Why unread: %(name)s") % {"name": names[chosen]} if chosen in names else _("Unread")
    return page_or_dialog(request, "chat/parts/why.html", context, title=title)


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
