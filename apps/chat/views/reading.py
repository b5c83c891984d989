"""Pages that show conversations: the window of messages, a thread beside it, and the fragments scripts ask for."""

from __future__ import annotations

import dataclasses
from typing import Any
from uuid import UUID, uuid4

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from apps.accounts.selectors import people
from apps.accounts.services import access
from apps.accounts.types import Principal
from apps.chat import presenting
from apps.chat.errors import MessageNotFound, TopicNotFound
from apps.chat.selectors import conversations, messages, threads, topics
from apps.chat.selectors.pages import Anchor, message_page, thread_page
from apps.chat.services import drafts
from apps.chat.services.standing import may_post, may_reply
from apps.chat.types import ConversationView, KeptDraft, MessagePage, TopicView
from apps.chat.views.common import (
    LONG_AGO,
    PageRequest,
    conversation_address,
    list_context,
    message_address,
    search_address,
    shared,
)
from apps.files.services.uploads import MOST_AT_ONCE
from apps.notify.selectors import levels

BEFORE, AFTER = 30, 50
FACES = 3


@require_safe
def home(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read the slug
    """Go to where something waits: mentions, then unread, then the newest; say so where there is nothing."""
    found = conversations.list_conversations(request.principal)
    if not found:
        return render(request, "chat/home.html", list_context(request))
    best = max(found, key=lambda c: (bool(c.mentions), bool(c.counted), c.last_message_at or LONG_AGO))
    return HttpResponseRedirect(conversation_address(request.principal, best.id))


@require_safe
@vary_on_headers("HX-Request")
def conversation(
    request: PageRequest,
    slug: str,  # noqa: ARG001
    conversation_id: UUID,
    message_id: UUID | None = None,
    thread_id: UUID | None = None,
) -> HttpResponse:
    """Show a conversation at its first unread message, or at the message of the address, or with a thread beside it."""
    principal = request.principal
    shows_list = not (request.htmx and request.htmx.target == "main#main")
    listed = conversations.list_conversations(principal, channel_times=False) if shows_list else []
    own = next((one for one in listed if one.id == conversation_id), None)
    found = own or conversations.get_conversation(principal, conversation_id)
    place = chosen_place(request, found)
    anchor: Anchor = "first_unread"
    opened_at: UUID | None = None
    if message_id is not None:
        message = messages.get_message(principal, message_id)
        if (
            message.conversation != conversation_id
        ):  # moved to another channel, and the reader may see it there
            return HttpResponseRedirect(message_address(principal, message.conversation, message.id))
        if message.thread is not None:
            thread_id = message.thread
        opened_at = anchor = message.thread or message_id
    elif thread_id is not None:
        anchor = thread_id
    page = message_page(
        principal=principal,
        conversation_id=conversation_id,
        anchor=anchor,
        before=BEFORE,
        after=AFTER,
        topic=place,
        known=found,
    )
    known = topics.topics_of(principal, found.id) if found.kind == "channel" else []
    context = {
        **shared(),
        **_window(request, found, page, place=place, tells_topics=bool(known)),
        **_composer(request, found),
        **_topic(request, found, place, known),
        **(_thread(request, found, thread_id, at=message_id) if thread_id else {}),
        **_held(request, found),
        "target": message_id,
        "opened_at": opened_at,
        "panel": thread_id is not None,
    }
    if shows_list:
        context |= list_context(request, current=conversation_id, listed=listed, topics_below=known)
    return render(request, "chat/conversation.html", {"area": "chat", **context})


@require_safe
def window(request: PageRequest, slug: str, conversation_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Return the messages before or after one (`?before=<id>`, `?after=<id>`), or the newest window, as a fragment.

    `&thread=<id>` asks for replies to a message.
    """
    principal = request.principal
    found = conversations.get_conversation(principal, conversation_id)
    place = chosen_place(request, found)
    before, after = request.GET.get("before"), request.GET.get("after")
    thread_id = _uuid(request.GET["thread"]) if "thread" in request.GET else None
    if thread_id is not None and not messages.sees_thread(principal, thread_id):
        raise MessageNotFound
    anchor: Anchor = "newest"
    counts = (BEFORE + AFTER, 0)
    if before or after:
        anchor, counts = _uuid(before or after or ""), ((AFTER, 0) if before else (0, AFTER + 1))
    page = message_page(
        principal=principal,
        conversation_id=conversation_id,
        anchor=anchor,
        before=counts[0],
        after=counts[1],
        thread=thread_id,
        topic=place,
        known=found,
    )
    rows = page.messages
    if after:
        rows = tuple(message for message in rows if message.id != anchor)
    has_topics = thread_id is None and found.kind == "channel" and topics.has_topics(found.id)
    context = _window(
        request, found, page, rows=rows, place=place, thread_id=thread_id, tells_topics=has_topics
    )
    if before:
        context["newer_url"] = ""
    if after:
        context["older_url"] = ""
    part = "chat/parts/window.html" if thread_id is None else "chat/parts/replies.html"
    return render(request, part, {**context, "slug": principal.organization_slug})


@require_safe
def one(request: PageRequest, slug: str, conversation_id: UUID, message_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Return one message as a fragment, for scripts that heard of something only the server can draw.

    `?thread=1` is for the panel of a thread; `?more=1` leaves out face and name, which stand above.
    """
    message = messages.get_message(request.principal, message_id)
    if message.conversation != conversation_id:
        raise MessageNotFound
    (row,) = presenting.rows([message], reader=request.principal)
    row = dataclasses.replace(row, continues="more" in request.GET)
    return render(
        request, "chat/parts/message.html", {"row": row, "in_thread": bool(request.GET.get("thread"))}
    )


@require_safe
@vary_on_headers("HX-Request")
def thread(request: PageRequest, slug: str, conversation_id: UUID, message_id: UUID) -> HttpResponse:
    """Show a thread: as a fragment for a script, beside its conversation otherwise."""
    if not request.htmx or request.htmx.history_restore_request:
        return conversation(request, slug, conversation_id, thread_id=message_id)
    found = conversations.get_conversation(request.principal, conversation_id)
    context = {**_composer(request, found), **_thread(request, found, message_id), "conversation": found}
    return render(request, "chat/thread.html", context)


@require_safe
def conversation_list(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Return the conversation list as a fragment; `?current=<id>` names the open one."""
    current = request.GET.get("current")
    context = list_context(request, current=_uuid(current) if current else None)
    return render(request, "chat/list.html", context)


def chosen_place(request: PageRequest, found: ConversationView) -> UUID | None:
    """Return the topic of the address, the conversation's own id for the general one; None for all together.

    Raises:
        TopicNotFound: no topic of this conversation.
    """
    named = request.GET.get("topic", "")
    if not named:
        return None
    if named == "general":
        return found.id
    try:
        topic = topics.get_topic(request.principal, UUID(named))
    except ValueError as error:
        raise TopicNotFound from error
    if topic.conversation != found.id:
        raise TopicNotFound
    return topic.id


def _topic(
    request: PageRequest, found: ConversationView, place: UUID | None, known: list[TopicView]
) -> dict[str, Any]:
    """Return what the page of one topic says of it, and the names that the composer suggests."""
    topic = next((each for each in known if each.id == place), None)
    return {
        "place": place, "topic": topic, "is_general": place == found.id, "topics": known,
        "may_post": may_post(request.principal, found),
    }  # fmt: skip


def _window(
    request: PageRequest,
    found: ConversationView,
    page: MessagePage,
    *,
    rows: tuple[Any, ...] | None = None,
    place: UUID | None = None,
    thread_id: UUID | None = None,
    tells_topics: bool = False,
) -> dict[str, Any]:
    shown = page.messages if rows is None else rows
    base = reverse(
        "chat:window", kwargs={"slug": request.principal.organization_slug, "conversation_id": found.id}
    )
    within = "" if place is None else f"&topic={'general' if place == found.id else place}"
    within += "" if thread_id is None else f"&thread={thread_id}"
    return {
        "conversation": found,
        "page": page,
        "rows": presenting.rows(
            shown,
            reader=request.principal,
            first_unread=page.first_unread if thread_id is None else None,
            unread_count=found.unread if place is None else 0,
            tells_topics=tells_topics and place is None,
        ),
        "older_url": f"{base}?before={shown[0].id}{within}" if shown else "",
        "newer_url": f"{base}?after={shown[-1].id}{within}" if shown else "",
    }


def _composer(request: PageRequest, found: ConversationView) -> dict[str, Any]:
    principal = request.principal
    own = _drafts(principal, found)
    count, others = (
        (0, [])
        if found.kind == "direct"
        else conversations.first_members(conversation_id=found.id, besides=principal.id, limit=FACES)
    )
    return {
        "draft": own.get(None),
        "client_key": uuid4(),
        "uploads_at_once": MOST_AT_ONCE if access.can(principal, "file.upload") else 0,
        "may_moderate": conversations.may_here(principal, "message.moderate", found.id),
        "member_count": count,
        "faces": tuple(conversations.ref(person) for person in people.people(others).values()),
        "search_url": search_address(principal, found.id),
        "drafts": own,
    }


def _drafts(principal: Principal, found: ConversationView) -> dict[UUID | None, KeptDraft]:
    return drafts.drafts_of(principal=principal, conversation_id=found.id) if found.has_draft else {}


def _thread(
    request: PageRequest, found: ConversationView, message_id: UUID, *, at: UUID | None = None
) -> dict[str, Any]:
    """Return what the panel of a thread shows: its newest replies, or those around one."""
    before, after = (BEFORE + AFTER, 0) if at is None else (BEFORE, AFTER)
    root, replies = thread_page(
        principal=request.principal, message_id=message_id, anchor=at or "newest", before=before, after=after
    )
    if root.conversation != found.id:
        raise MessageNotFound
    (root_row,) = presenting.rows([root], reader=request.principal)
    own = _drafts(request.principal, found)
    return {
        "thread": root,
        "thread_root": root_row,
        "replies": _window(request, found, replies, thread_id=message_id),
        "opened_reply": at,
        "thread_head": found.last_sequence,
        "thread_draft": own.get(message_id),
        "thread_client_key": uuid4(),
        "may_reply": may_reply(request.principal, found),
        "thread_followed": threads.is_followed(request.principal, message_id),
        "thread_level": levels.level_of(request.principal, f"thread:{message_id}"),
    }


def _held(request: PageRequest, found: ConversationView) -> dict[str, Any]:
    """Return where a reply waits that mentions the reader: reading the window does not settle it."""
    if not found.mentions:
        return {}
    waiting = messages.find_unread_reply_to(
        request.principal, conversation_id=found.id, after=found.last_read_sequence
    )
    if waiting is None:
        return {}
    thread_id, sequence = waiting
    kwargs = {
        "slug": request.principal.organization_slug, "conversation_id": found.id, "message_id": thread_id,
    }  # fmt: skip
    return {"held": sequence - 1, "held_url": reverse("chat:thread", kwargs=kwargs)}


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise MessageNotFound from error
