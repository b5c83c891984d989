"""Forwarding: a copy of what a message says, sent as one's own message to another conversation.

The readers there see the copied words and whose they are, nothing else: files are named and not opened for them, and
the way back to the original is drawn only for those who see it. Of a message that is too long to be quoted the text of
the copy has the beginning, and its card all words.
"""

from __future__ import annotations

import dataclasses
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.services import access
from apps.accounts.types import Principal
from apps.chat.errors import MessageDeleted, MessageNotFound
from apps.chat.models import Attachment, Forward, Message
from apps.chat.rendering.markdown import without_mentions
from apps.chat.selectors.messages import visible_messages
from apps.chat.services import composing
from apps.chat.services.messages import send_messages
from apps.chat.types import BODY_LIMIT, Card, SentMessage
from apps.core.errors import DomainError
from apps.files.selectors.files import find_file

CARD = "chat.forwarded"


def forward_message(
    *,
    principal: Principal,
    message_id: UUID,
    conversation_id: UUID,
    client_key: str,
    comment: str = "",
    topic: str = "",
    confirm_mass_mention: bool = False,
) -> SentMessage:
    """Send a copy of a visible message's words; what it is forwarded from keeps its own readers.

    Args:
        topic, confirm_mass_mention: of the copy; see `send_message`.

    Raises:
        MessageNotFound, MessageDeleted, and what `send_message` raises.
    """
    access.require(principal, "message.send")
    source = visible_messages(principal).filter(pk=message_id).first()
    if source is None:
        raise MessageNotFound
    if source.deleted_at is not None:
        raise MessageDeleted
    draft = composing.compose(
        principal=principal,
        conversation_id=conversation_id,
        body=comment,
        client_key=client_key,
        topic=topic,
        confirm_mass_mention=confirm_mass_mention,
        card=Card(CARD, str(source.pk), _copied(principal, source, comment)),
    )
    before = f"{draft.body}\n\n" if draft.body else ""
    quoted = _within(quote(source.body), BODY_LIMIT - len(before))
    body = composing.clean_body(before + quoted, may_be_empty=True)
    with transaction.atomic():
        (sent,) = send_messages(
            [dataclasses.replace(draft, body=body, html=composing.render_body(body, principal).html)]
        )
        if isinstance(sent, DomainError):
            raise sent
        if not sent.repeated:
            Forward.objects.create(
                organization_id=principal.organization_id,
                message_id=sent.id,
                author_id=source.sender_id,
                comment=draft.body,
            )
    return sent


def quote(body: str) -> str:
    """Return a text as a Markdown quotation that mentions nobody anew."""
    return "\n".join(f"> {line}" for line in without_mentions(body).split("\n"))


def _within(quoted: str, room: int) -> str:
    """Return a quotation as it is where there is room for it, or its beginning and that the rest stands beside it.

    The card of the copy holds all the words, so that nobody who reads it misses any. Where not even that fits, the
    quotation stays, and the text is refused as too long.
    """
    if len(quoted) <= room:
        return quoted
    note = "\n>\n> " + _("… (The beginning of a long message: its card holds all of it.)")
    if len(note) > room:
        return quoted
    return quoted[: room - len(note)].rstrip("\n>") + note


def _copied(principal: Principal, source: Message, comment: str) -> dict[str, object]:
    """Return what the card holds; the author's name is looked up when it is drawn."""
    carried = Attachment.objects.filter(message_id=source.pk).order_by("position")
    files = [
        found.name
        for file_id in carried.values_list("file_id", flat=True)
        if (found := find_file(organization_id=principal.organization_id, file_id=file_id))
    ]
    return {
        "author": str(source.sender_id),
        "sent_at": source.sent_at.isoformat(),
        "html": source.html,
        "comment": composing.render_body(comment, principal).html if comment.strip() else "",
        "files": files,
    }
