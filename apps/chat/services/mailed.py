"""Answers that came by mail, posted through the one write path."""

from __future__ import annotations

from uuid import UUID

from apps.accounts.types import Principal
from apps.chat.models import Message
from apps.chat.services.messages import send_message
from apps.files.services.uploads import store_file
from apps.notify.types import MailedReply, ReplyTarget


def post_reply(principal: Principal, reply: MailedReply) -> UUID:
    """Post it as its sender, with its files; return the message. The same mail again posts nothing.

    Raises:
        As `send_message` and `store_file`.
    """
    target = reply.target
    known = Message.objects.filter(
        organization_id=principal.organization_id, conversation_id=target.conversation_id,
        sender_id=principal.id, client_key=reply.client_key,
    ).values_list("pk", flat=True).first()  # fmt: skip
    if known is not None:
        return known
    files = [store_file(principal=principal, name=file.name, data=file.content).id for file in reply.files]
    return send_message(
        principal=principal,
        conversation_id=target.conversation_id,
        body=reply.body,
        client_key=reply.client_key,
        thread=target.thread_id,
        topic="" if target.thread_id else _topic_of(target),
        attachments=tuple(files),
    ).id


def _topic_of(target: ReplyTarget) -> str:
    """Return the topic of the message that the mail told of, as it is called now; empty is the general one."""
    if target.message_id is None:
        return ""
    rows = Message.objects.filter(
        organization_id=target.organization_id,
        pk=target.message_id,
        conversation_id=target.conversation_id,
    )
    return rows.values_list("topic__name", flat=True).first() or ""
