"""Topics of a channel: the list, one topic's actions, and moving messages. Each is a form first."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.chat.errors import MessageNotFound, TopicNotFound
from apps.chat.forms import MergeForm, MoveForm, TopicForm
from apps.chat.selectors import conversations, messages
from apps.chat.selectors import topics as topic_selectors
from apps.chat.services import moving, topics
from apps.chat.types import TopicView
from apps.chat.views.common import (
    PageRequest,
    conversation_address,
    form_answer,
    leave_to,
    message_address,
    page_or_dialog,
    posted,
)
from apps.core.errors import DomainError, InvalidInput


@require_safe
def topic_list(request: PageRequest, slug: str, conversation_id: UUID) -> HttpResponse:  # noqa: ARG001
    """List the topics of a channel, open ones first."""
    found = conversations.get_conversation(request.principal, conversation_id)
    context = {
        "conversation": found,
        "topics": topic_selectors.list_topics(request.principal, conversation_id),
        "here": conversation_address(request.principal, conversation_id),
    }
    title = _("Topics in %(name)s") % {"name": found.name}
    return page_or_dialog(request, "chat/parts/topics.html", context, title=title)


@require_http_methods(["GET", "HEAD", "POST"])
def topic(request: PageRequest, slug: str, conversation_id: UUID, topic_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Rename a topic; its page offers everything else that can be done with it."""
    found = _find(request, conversation_id, topic_id)
    form = TopicForm(posted(request), initial={"name": found.name})
    context = _context(request, found, form)
    if request.method == "POST" and form.is_valid():
        try:
            topics.rename_topic(
                principal=request.principal, topic_id=topic_id, name=form.cleaned_data["name"]
            )
        except DomainError as refused:
            form.add_error("name", refused.detail)
        else:
            return leave_to(request, _address(request, found), said=_("The topic has another name now"))
    if form.errors:
        return form_answer(request, "chat/parts/topic_page.html", context, form, title=found.name)
    return page_or_dialog(request, "chat/parts/topic_page.html", context, title=found.name)


@require_POST
def resolve(request: PageRequest, slug: str, conversation_id: UUID, topic_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Resolve a topic, or open it again."""
    found = _find(request, conversation_id, topic_id)
    is_resolved = request.POST.get("resolved") == "1"
    topics.set_resolved(principal=request.principal, topic_id=topic_id, is_resolved=is_resolved)
    said = _("The topic is resolved") if is_resolved else _("The topic is open again")
    return leave_to(request, _address(request, found), said=said)


@require_POST
def level(request: PageRequest, slug: str, conversation_id: UUID, topic_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Follow a topic, mute it, or neither."""
    found = _find(request, conversation_id, topic_id)
    match request.POST.get("level"):
        case "followed":
            topics.set_level(principal=request.principal, topic_id=topic_id, level="followed")
        case "muted":
            topics.set_level(principal=request.principal, topic_id=topic_id, level="muted")
        case "default":
            topics.set_level(principal=request.principal, topic_id=topic_id, level="default")
        case _other:
            raise InvalidInput
    return leave_to(request, _address(request, found))


@require_POST
def merge(request: PageRequest, slug: str, conversation_id: UUID, topic_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Move all messages of a topic into another one."""
    found = _find(request, conversation_id, topic_id)
    others = _others(request, found)
    form = MergeForm(request.POST, choices=others)
    if not form.is_valid():
        raise TopicNotFound
    into = form.cleaned_data["into"]
    moving.merge_topics(principal=request.principal, topic_id=topic_id, into=into)
    target = next(each for each in others if each.id == into)
    said = _("Merged into “%(name)s”") % {"name": target.name}
    return leave_to(request, _address(request, target), said=said)


@require_http_methods(["GET", "HEAD", "POST"])
def move(request: PageRequest, slug: str, conversation_id: UUID, message_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Move a message, or more of its topic, to another topic or channel."""
    principal = request.principal
    message = messages.get_message(principal, message_id)
    if message.conversation != conversation_id:
        raise MessageNotFound
    channels = [each for each in conversations.list_conversations(principal) if each.kind == "channel"]
    initial = {"conversation": conversation_id, "topic": message.topic.name if message.topic else ""}
    form = MoveForm(posted(request), channels=channels, initial=initial)
    context = {
        "form": form, "action": request.path, "submit": _("Move"),
        "topics": topic_selectors.list_topics(principal, conversation_id),
    }  # fmt: skip
    title = _("Move messages")
    if request.method == "POST" and form.is_valid():
        target = form.cleaned_data["conversation"]
        try:
            moved = moving.move_messages(
                principal=principal,
                message_id=message_id,
                span=form.cleaned_data["span"],
                topic=form.cleaned_data["topic"],
                conversation_id=target,
            )
        except DomainError as refused:
            form.add_error(None, refused.detail)
        else:
            said = ngettext("%(count)s message moved", "%(count)s messages moved", moved) % {"count": moved}
            return leave_to(request, message_address(principal, target, message_id), said=said)
    if form.errors:
        return form_answer(request, "chat/parts/move.html", context, form, title=title)
    return page_or_dialog(request, "chat/parts/move.html", context, title=title)


def _find(request: PageRequest, conversation_id: UUID, topic_id: UUID) -> TopicView:
    found = topic_selectors.get_topic(request.principal, topic_id)
    if found.conversation != conversation_id:
        raise TopicNotFound
    return found


def _others(request: PageRequest, found: TopicView) -> list[TopicView]:
    known = topic_selectors.list_topics(request.principal, found.conversation)
    return [each for each in known if each.id != found.id]


def _context(request: PageRequest, found: TopicView, form: TopicForm) -> dict[str, object]:
    conversation = conversations.get_conversation(request.principal, found.conversation)
    is_open = conversation.is_member and conversation.archived_at is None
    may_change = is_open and (
        found.created_by == request.principal.id
        or conversations.may_here(request.principal, "message.moderate", found.conversation)
    )
    return {
        "topic": found,
        "form": form,
        "conversation": conversation,
        "is_open": is_open,
        "may_change": may_change,
        "others": _others(request, found) if may_change else [],
        "address": _address(request, found),
        "action": f"{conversation_address(request.principal, found.conversation)}topics/{found.id}/",
    }


def _address(request: PageRequest, found: TopicView) -> str:
    return f"{conversation_address(request.principal, found.conversation)}?topic={found.id}"
