"""Parts of a conversation that need more than attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import cast
from uuid import UUID

from django import template
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from apps.chat import drawing, sample
from apps.chat.presenting import Row
from apps.chat.services.reactions import OWN
from apps.chat.types import AttachmentView, ConversationView
from apps.core import registry
from apps.core.templatetags.parts import avatar

register = template.Library()
_READABLE = frozenset({"PDF", "DOCX", "XLSX", "TXT", "MD", "MARKDOWN", "HTML", "HTM", "CSV"})
_MOST_ROWS = 4096
_rows: dict[tuple[ConversationView, object, bool, str, str | None], SafeString] = {}
_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"})


@dataclass(frozen=True, kw_only=True)
class _Stream:
    """What all messages of a page have in common; the context says the last three of them."""

    context: template.Context
    slug: str
    language: str
    zone: str
    me: str
    target: object
    in_thread: bool
    read_only: bool


def _stream(context: template.Context) -> _Stream:
    principal = context["request"].principal
    return _Stream(
        context=context,
        slug=principal.organization_slug,
        language=get_language() or "",
        zone=timezone.get_current_timezone_name(),
        me=f'data-principal="{principal.id}"',
        target=context.get("target"),
        in_thread=bool(context.get("in_thread")),
        read_only=bool(context.get("read_only")),
    )


@register.simple_tag(takes_context=True)
def message(context: template.Context, row: Row) -> SafeString:
    """Return a message as it stands in a conversation.

    The context may say `target` (the id of the message the page was opened at), `in_thread` and `read_only`.
    """
    return _message(_stream(context), row)


@register.simple_tag(takes_context=True)
def message_rows(context: template.Context, rows: Sequence[Row]) -> SafeString:
    """Return messages as they stand in a conversation, with days, topics and the line of the unread between them."""
    stream = _stream(context)
    found: list[str] = []
    for row in rows:
        if row.has_divider:
            found.append(_part(context, "chat/parts/dividers.html", row=row))
        if row.begins_topic:
            shown = row.message
            topic = {
                "topic": shown.topic,
                "is_resolved": row.is_resolved,
                "conversation_id": shown.conversation,
            }
            found.append(_part(context, "chat/parts/topic.html", **topic))
        found.append(_message(stream, row))
    return mark_safe("\n".join(found))  # noqa: S308 - all of them from templates


def _message(stream: _Stream, row: Row) -> SafeString:
    shown = row.message
    is_deleted = shown.deleted_at is not None
    place = f"{_organization(stream.slug)}c/{shown.conversation}/"
    shape = drawing.Shape(
        language=stream.language,
        continues=row.continues,
        mentions_me=row.mentions_me and not is_deleted,
        is_deleted=is_deleted,
        is_hidden=shown.hidden_at is not None,
        is_target=shown.id == stream.target,
        in_thread=stream.in_thread,
        is_reply=shown.thread is not None,
        is_mine=row.is_mine,
        is_agent=shown.sender.is_agent,
        is_guest=shown.sender.is_guest,
        has_card=shown.card is not None,
        is_alone=stream.read_only,
        has_acts=not is_deleted and not stream.read_only,
    )
    return drawing.draw(
        shape,
        zone=stream.zone,
        sent_at=shown.sent_at,
        place=place,
        id=shown.id,
        sequence=shown.sequence,
        sender=shown.sender.id,
        version=shown.version,
        thread=shown.thread,
        topic=shown.topic.id if shown.topic else SafeString(""),
        name=shown.sender.name,
        face="" if row.continues else avatar(stream.context, shown.sender),
        text=mark_safe(row.hidden_html) if is_deleted else _body(stream, row),  # noqa: S308 - sanitised HTML
        around=_replies(stream, row, place) if is_deleted else _around(stream, row, place),
    )


def _replies(stream: _Stream, row: Row, place: str) -> SafeString:
    """Return the way to the replies of a message that is gone: what others wrote stays."""
    if not row.message.replies or stream.in_thread:
        return SafeString("")
    thread_link = f"{place}t/{row.message.id}/"
    return _part(
        stream.context, "chat/parts/thread_link.html", row=row, m=row.message, thread_link=thread_link
    )


def _around(stream: _Stream, row: Row, place: str) -> SafeString:
    """Return what stands below the text; most messages have nothing there."""
    shown = row.message
    if not (
        shown.edited_at
        or shown.attachments
        or shown.reactions
        or (shown.replies and not stream.in_thread)
        or shown.priority
        or shown.pinned_at
        or shown.files_ended_at
        or shown.previews
    ):
        return SafeString("")
    return _part(
        stream.context,
        "chat/parts/message_around.html",
        row=row,
        m=shown,
        link=f"{place}m/{shown.id}/",
        thread_link=f"{place}t/{shown.id}/",
        slug=stream.slug,
    )


@register.simple_tag(takes_context=True)
def templates_for_scripts(context: template.Context) -> SafeString:
    """Return what scripts draw messages and files from: the same for all readers of an organization and a language."""
    return _templates(context["request"].principal.organization_slug, get_language())


@lru_cache(maxsize=256)
def _templates(slug: str, _language: str | None) -> SafeString:
    anybody = SimpleNamespace(principal=SimpleNamespace(organization_slug=slug, id=None))
    return render_to_string("chat/templates.html", {"sample": sample.sample(), "request": anybody})


@register.simple_tag(takes_context=True)
def conversation_rows(context: template.Context, conversations: Sequence[ConversationView]) -> SafeString:
    """Return conversations as they stand in the list, with the topics of the open one below it.

    A list has hundreds and differs from the one before in a few, so a row is drawn once for all that it shows.
    """
    current, levels = context.get("current"), context.get("levels") or {}
    page = (context["request"].principal.organization_slug, get_language())
    found: list[str] = []
    for conversation in conversations:
        key = (conversation, levels.get(conversation.id), conversation.id == current, *page)
        drawn = _rows.get(key)
        if drawn is None:
            if len(_rows) >= _MOST_ROWS:
                _rows.clear()
            drawn = _rows[key] = _part(context, "chat/parts/conversation.html", c=conversation)
        found.append(drawn)
        if conversation.id == current:
            topics = context.get("list_topics") or ()
            found += (_part(context, "chat/parts/topic_link.html", topic=topic) for topic in topics)
    return mark_safe("\n".join(f"<li>{row}</li>" for row in found))  # noqa: S308 - all of them from templates


def _part(context: template.Context, name: str, **values: object) -> SafeString:
    """Draw a part as `include` does."""
    part = cast("template.Template", context.template).engine.get_template(name)
    with context.push(**values):
        return part.render(context)


@register.simple_tag(takes_context=True)
def conversation_link(context: template.Context, conversation_id: UUID) -> str:
    """Return the address of a conversation; a page has hundreds, so it is put together, not looked up."""
    return f"{_organization(context['request'].principal.organization_slug)}c/{conversation_id}/"


@lru_cache(maxsize=256)
def _organization(slug: str) -> str:
    return reverse("chat:home", kwargs={"slug": slug})


def _body(stream: _Stream, row: Row) -> SafeString:
    """Return a message's card as the app that owns its type draws it for this reader; its text where it draws none."""
    message = row.message
    if message.card is None:
        return _text(stream, row)
    known = registry.find_card(message.card.type)
    if known is None:
        return _text(stream, row)
    request = stream.context["request"]
    stored = {"type": message.card.type, "id": message.card.id, "data": message.card.data}
    shown = known.build(request.principal, stored)
    if shown is None:
        return _text(stream, row)
    return render_to_string(known.template, {**shown, "message": message}, request)


def _text(stream: _Stream, row: Row) -> SafeString:
    """Return the body, with mentions of the reader marked. The HTML was sanitised when it was stored."""
    plain, marked = f'<span class="mention" {stream.me}>', f'<span class="mention mention--me" {stream.me}>'
    return mark_safe(row.html.replace(plain, marked))  # noqa: S308 - the renderer wrote it


@register.simple_tag(takes_context=True)
def emoji_sign(context: template.Context, emoji: str) -> SafeString:
    """Return an emoji as it is drawn: `:name:` is a picture of the organization's own."""
    if not OWN.fullmatch(emoji):
        return conditional_escape(emoji)
    home = _organization(context["request"].principal.organization_slug)
    return format_html('<img class="emoji-own" src="{}emoji/{}/" alt="{}">', home, emoji.strip(":"), emoji)


@register.filter
def is_picture(attachment: AttachmentView) -> bool:
    """Return whether browsers draw it; everything else is offered as a file."""
    return attachment.media_type in _PICTURES


@register.filter
def is_readable(attachment: AttachmentView) -> bool:
    """Return whether its text is read, by the kind its name tells."""
    return suffix(attachment.name) in _READABLE


@register.filter
def chosen_by(principals: tuple[UUID, ...], principal_id: UUID) -> bool:
    """Return whether the reader is among those who chose a reaction."""
    return principal_id in principals


@register.filter
def ids(principals: tuple[UUID, ...]) -> str:
    """Return ids for a data attribute."""
    return " ".join(map(str, principals))


@register.filter
def of(found: Mapping[UUID, object] | str | None, key: UUID) -> object:
    """Return what belongs to a key, or None; the list may have been drawn without."""
    return found.get(key) if isinstance(found, Mapping) else None


@register.filter
def named(names: Mapping[str, str], key: str) -> str:
    """Return what a key is called, the key itself where it has no name."""
    return names.get(key, key)


@register.filter
def sign(conversation: ConversationView) -> str:
    """Return the icon that stands for a channel."""
    return "lock" if conversation.is_private else "hash"


@register.filter
def marked(text: str, needle: str) -> SafeString:
    """Return text with the part that was looked for marked."""
    place = text.casefold().find(needle.casefold()) if needle else -1
    if place < 0:
        return conditional_escape(text)
    end = place + len(needle)
    return mark_safe(f"{escape(text[:place])}<mark>{escape(text[place:end])}</mark>{escape(text[end:])}")  # noqa: S308 - each part is escaped


@register.filter
def suffix(name: str) -> str:
    """Return the kind of a file as people say it: `PDF`."""
    return name.rpartition(".")[2].upper()[:8] if "." in name else ""
