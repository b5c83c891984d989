"""A conversation as an archive: what its asker may see of it, for programs and for people."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.selectors import people as people_selectors
from apps.accounts.services import access
from apps.accounts.types import InScope, Principal
from apps.chat.models import Attachment, Membership
from apps.chat.selectors.conversations import get_conversation, may_manage
from apps.chat.selectors.messages import views_for, visible_messages
from apps.chat.types import AttachmentView, ConversationView, MessageView
from apps.core.data_exports import ExportKind, ExportPart, Wanted
from apps.core.data_subjects import ExportFile
from apps.files.selectors.personal import contents_for, export_name

KEY = "conversation"
MANAGE = "conversation.manage_any"
PAGE = 500
# The file is opened from a disk: nothing in it runs, and nothing is fetched.
_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src 'self'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>:root {{ color-scheme: light dark; }} body {{ font: 15px/24px system-ui, sans-serif; max-width: 44rem;
margin: 2rem auto; padding: 0 1rem; }} article {{ padding: .5rem 0; border-top: 1px solid #8884; }}
article.reply {{ margin-inline-start: 2rem; }} time, small {{ color: #777; font-size: 12px; }} pre {{ overflow: auto; }}
p {{ margin: .25rem 0; overflow-wrap: anywhere; }}</style></head><body><h1>{title}</h1>
"""


def may_export(principal: Principal, conversation: ConversationView) -> bool:
    """Return whether a principal that sees it may take it along: who manages a channel, who is in a direct one."""
    if conversation.kind == "channel":
        return may_manage(principal, conversation.id)
    return conversation.is_member


def require(principal: Principal, conversation_id: UUID) -> None:
    """Refuse who may not export a conversation.

    Raises:
        ConversationNotFound, PermissionMissing.
    """
    conversation = get_conversation(principal, conversation_id)
    if not may_export(principal, conversation):
        access.require(principal, MANAGE, InScope(conversation.scope))


def about(wanted: Wanted) -> Iterator[Mapping[str, Any]]:
    """Yield the conversation itself."""
    view = get_conversation(wanted.principal, wanted.target_id)
    yield {
        "id": view.id,
        "kind": view.kind,
        "name": view.name,
        "is_private": view.is_private,
        "archived_at": view.archived_at,
    }


def members(wanted: Wanted) -> Iterator[Mapping[str, Any]]:
    """Yield who is or was in it."""
    rows = Membership.objects.filter(
        organization_id=wanted.organization_id, conversation_id=wanted.target_id
    ).order_by("pk")
    found = list(rows.values("principal_id", "joined_at", "left_at"))
    people = people_selectors.people(row["principal_id"] for row in found)
    for row in found:
        person = people.get(row["principal_id"])
        yield {**row, "name": person.name if person else "", "kind": person.kind if person else ""}


def messages(wanted: Wanted) -> Iterator[Mapping[str, Any]]:
    """Yield the messages the asker may read, oldest first."""
    for view in _views(wanted):
        shown = view.as_json()
        for part in shown["attachments"]:
            part["content"] = export_name(file_id=part["id"], name=part["name"])
        yield shown


def files(wanted: Wanted) -> Iterator[ExportFile]:
    """Yield the files that hang on these messages, each once."""
    readable = visible_messages(wanted.principal).filter(conversation_id=wanted.target_id, deleted_at=None)
    rows = Attachment.objects.filter(
        organization_id=wanted.organization_id, message_id__in=readable.values("pk")
    )
    ids = list(rows.values_list("file_id", flat=True).distinct())
    yield from contents_for(organization_id=wanted.organization_id, file_ids=ids)


def page(wanted: Wanted) -> Iterator[str]:
    """Yield a page that people can read without this product."""
    view = get_conversation(wanted.principal, wanted.target_id)
    yield _HEAD.format(title=html.escape(view.name))
    for message in _views(wanted):
        yield _article(message)
    yield "</body></html>\n"


def _article(message: MessageView) -> str:
    when = timezone.localtime(message.sent_at)
    edited = f" <small>{_('edited')}</small>" if message.edited_at else ""
    # Its HTML was cleaned when it was written.
    body = message.html or f"<p><small>{_('This message was deleted.')}</small></p>"
    if not message.html and message.deleted_at is None:
        body = ""
    reactions = " ".join(f"{html.escape(one.emoji)} {one.count}" for one in message.reactions)
    place = f'id="{message.id}"{" class=reply" if message.thread else ""}'
    return (
        f"<article {place}><b>{html.escape(message.sender.name)}</b> "
        f'<time datetime="{message.sent_at.isoformat()}">{when:%Y-%m-%d %H:%M}</time>{edited}{body}'
        f"{''.join(map(_file, message.attachments))}{f'<small>{reactions}</small>' if reactions else ''}</article>\n"
    )


def _file(file: AttachmentView) -> str:
    name = export_name(file_id=file.id, name=file.name)
    return f'<p><a href="files/{html.escape(name)}">{html.escape(file.name)}</a></p>'


def _views(wanted: Wanted) -> Iterator[MessageView]:
    """Yield messages page by page, so that memory stays small however many there are."""
    rows = visible_messages(wanted.principal).filter(conversation_id=wanted.target_id).order_by("sequence")
    after = 0
    while found := list(rows.filter(sequence__gt=after).select_related("sender")[:PAGE]):
        yield from views_for(found)
        after = found[-1].sequence


CONVERSATION = ExportKind(
    key=KEY,
    label=gettext_lazy("Conversation"),
    require=require,
    name=lambda principal, conversation_id: get_conversation(principal, conversation_id).name,
    parts=lambda: [
        ExportPart(name="conversation", rows=about),
        ExportPart(name="members", rows=members),
        ExportPart(name="messages", rows=messages),
        ExportPart(name="conversation.html", page=page),
        ExportPart(name="files", files=files),
    ],
    note="What the one who asked may read of the conversation. Open conversation.html to read it.",
)
