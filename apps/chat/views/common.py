"""What pages of chat share: the request, the conversation list, answers to forms and to scripts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from apps.accounts.services import access
from apps.accounts.types import Principal
from apps.chat.errors import MassMentionUnconfirmed, MessageNotFound
from apps.chat.script_texts import chat_texts
from apps.chat.selectors import conversations, own, topics
from apps.chat.selectors import messages as message_selectors
from apps.chat.types import ConversationView, MessageView, TopicView

if TYPE_CHECKING:
    from django.forms import Form
    from django_htmx.middleware import HtmxDetails


class PageRequest(HttpRequest):
    """A request under `/o/<slug>/`: the middleware found who reads."""

    principal: Principal
    htmx: HtmxDetails


TOPICS = 12  # below the open channel; its page of topics has all
RECENT = 20  # direct conversations that are shown unfolded
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)  # where nothing was said yet


@dataclass(frozen=True, kw_only=True)
class Group:
    """A headed part of the conversation list; `older` are folded below it."""

    key: str
    label: str
    conversations: tuple[ConversationView, ...]
    older: tuple[ConversationView, ...] = ()
    add_url: str = ""
    add_label: str = ""
    adds_in_dialog: bool = True


def list_context(
    request: PageRequest,
    *,
    current: UUID | None = None,
    listed: list[ConversationView] | None = None,
    topics_below: list[TopicView] | None = None,
) -> dict[str, Any]:
    """Return what the conversation list shows. Four queries, and one for the topics of the open channel.

    Args:
        listed: the conversations, where the caller has them already. topics_below: the topics of the open channel.
    """
    principal = request.principal
    found = conversations.list_conversations(principal, channel_times=False) if listed is None else listed
    if topics_below is None:
        is_channel = any(c.id == current and c.kind == "channel" for c in found)
        topics_below = topics.topics_of(principal, current, limit=TOPICS) if current and is_channel else []
    return {
        **shared(),
        "area": "chat",
        "groups": groups(principal, found, current=current),
        "current": current,
        "levels": topics.levels_of(principal),
        "list_topics": topics_below[:TOPICS],
        "may_start": bool(access.can(principal, "conversation.create_direct")),
        "mentions_total": sum(c.mentions for c in found),
        "own": own.own_counts(principal, drafts=sum(c.has_draft for c in found)),
    }


def shared() -> dict[str, Any]:
    """Return what the scripts of chat need: their texts."""
    return {"texts": chat_texts()}


def groups(
    principal: Principal, found: list[ConversationView], *, current: UUID | None = None
) -> list[Group]:
    """Return starred ones first, then channels, direct and group ones, and conversations with an agent.

    Those without a name of their own stand by their newest message; who has many sees what is new, and the latest.
    """
    slug = {"slug": principal.organization_slug}
    starred = tuple(c for c in found if c.is_starred)
    rest = [c for c in found if not c.is_starred]
    agents = tuple(c for c in rest if c.kind == "direct" and c.people and c.people[0].is_agent)
    direct = [c for c in rest if c.kind != "channel" and c not in agents]
    direct.sort(key=lambda c: c.last_message_at or LONG_AGO, reverse=True)
    older = tuple(
        c for c in direct[RECENT:] if not (c.counted or c.mentions or c.has_draft or c.id == current)
    )
    folded = {c.id for c in older}
    may_browse = not principal.is_guest
    may_start = bool(access.can(principal, "conversation.create_direct"))
    return [
        Group(key="starred", label=_("Starred"), conversations=starred),
        Group(
            key="channels",
            label=_("Channels"),
            conversations=tuple(c for c in rest if c.kind == "channel"),
            add_url=reverse("chat:browse", kwargs=slug) if may_browse else "",
            add_label=_("Browse and add channels"),
            adds_in_dialog=False,
        ),
        Group(
            key="direct",
            label=_("Direct"),
            conversations=tuple(c for c in direct if c.id not in folded),
            older=older,
            add_url=reverse("chat:new_direct", kwargs=slug) if may_start else "",
            add_label=_("Write to someone"),
        ),
        Group(key="agents", label=_("Agents"), conversations=agents),
    ]


def page_or_dialog(
    request: PageRequest, template: str, context: dict[str, Any], *, title: str, status: int = 200
) -> HttpResponse:
    """Render a part as the dialog's content for a script, as a page of its own otherwise."""
    context = {**context, "part": template, "title": title, "area": context.get("area", "chat")}
    if request.htmx and not request.htmx.history_restore_request:
        return render(request, "parts/dialog.html", context, status=status)
    return render(request, "chat/part_page.html", {**list_context(request), **context}, status=status)


def form_answer(
    request: PageRequest, template: str, context: dict[str, Any], form: Form, *, title: str
) -> HttpResponse:
    """Show a form again with what is wrong; scripts swap answers with this status."""
    return page_or_dialog(request, template, {**context, "form": form}, title=title, status=422)


def ask_to_call_many(request: PageRequest, form: Form, refused: MassMentionUnconfirmed) -> HttpResponse:
    """Ask whether many people are meant to be called; who says so sends the same form again."""
    said = form.cleaned_data.get("body") or form.cleaned_data["comment"]
    context = {"form": form, "said": said, "reason": refused.detail, "action": request.path}
    status = 422 if request.htmx else 409  # only that one is put into the dialog
    return page_or_dialog(
        request, "chat/parts/confirm_mass_mention.html", context, title=_("Call many people"), status=status
    )


def posted(request: PageRequest) -> QueryDict | None:
    """Return what a form sent, also when it sent nothing; None where the form is only shown."""
    return request.POST if request.method == "POST" else None


def search_address(principal: Principal, conversation_id: UUID) -> str:
    """Return the page that searches one conversation; empty where nothing is installed that searches."""
    try:
        address = reverse("rag:search", kwargs={"slug": principal.organization_slug})
    except NoReverseMatch:
        return ""
    return f"{address}?conversation={conversation_id}"


def leave_to(request: PageRequest, address: str, *, said: str = "") -> HttpResponse:
    """Go to an address after a form: a redirect, or the header that makes the script go there."""
    if said:
        messages.success(request, said)
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


def done(request: PageRequest, address: str) -> HttpResponse:
    """Answer a small action: nothing for a script, which hears of it on the socket; the way back for a form."""
    if request.headers.get("X-Requested-With") == "fetch" or request.htmx:
        return HttpResponse(status=204)
    return HttpResponseRedirect(address)


def visible_message(request: PageRequest, conversation_id: UUID, message_id: UUID) -> MessageView:
    """Return the message of an address.

    Raises:
        MessageNotFound: also where it is in another conversation.
    """
    message = message_selectors.get_message(request.principal, message_id)
    if message.conversation != conversation_id:
        raise MessageNotFound
    return message


def conversation_address(principal: Principal, conversation_id: UUID) -> str:
    """Return the address of a conversation."""
    return reverse(
        "chat:conversation", kwargs={"slug": principal.organization_slug, "conversation_id": conversation_id}
    )


def thread_address(principal: Principal, conversation_id: UUID, message_id: UUID) -> str:
    """Return the address of a thread, by its first message."""
    kwargs = {
        "slug": principal.organization_slug, "conversation_id": conversation_id, "message_id": message_id,
    }  # fmt: skip
    return reverse("chat:thread", kwargs=kwargs)


def message_address(principal: Principal, conversation_id: UUID, message_id: UUID) -> str:
    """Return the address of a message."""
    kwargs = {
        "slug": principal.organization_slug, "conversation_id": conversation_id, "message_id": message_id,
    }  # fmt: skip
    return reverse("chat:message", kwargs=kwargs)
