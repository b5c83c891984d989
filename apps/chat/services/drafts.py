"""Drafts: unsent text, the same on all devices."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from apps.accounts.types import Principal
from apps.chat import events
from apps.chat.errors import ConversationNotFound, MessageTooLong, ThreadNotFound, UnreadableText
from apps.chat.models import Draft, Message
from apps.chat.selectors.conversations import visible_conversations
from apps.chat.types import BODY_LIMIT
from apps.core.events import log


def save_draft(*, principal: Principal, conversation_id: UUID, body: str, thread: UUID | None = None) -> None:
    """Keep the text as it is typed; an empty one removes the draft.

    Raises:
        ConversationNotFound, ThreadNotFound, MessageTooLong, UnreadableText.
    """
    if "\x00" in body or any(0xD800 <= ord(char) <= 0xDFFF for char in body):
        raise UnreadableText
    if len(body) > BODY_LIMIT:
        raise MessageTooLong(limit=BODY_LIMIT, length=len(body))
    with transaction.atomic():
        if not visible_conversations(principal).filter(pk=conversation_id).exists():
            raise ConversationNotFound
        if body.strip() and thread is not None and not _is_thread(conversation_id, thread):
            raise ThreadNotFound
        own = Draft.objects.filter(
            principal_id=principal.id, conversation_id=conversation_id, thread_id=thread
        )
        if body.strip():
            Draft.objects.update_or_create(
                principal_id=principal.id,
                conversation_id=conversation_id,
                thread_id=thread,
                defaults={"body": body},
                create_defaults={"body": body, "organization_id": principal.organization_id},
            )
            changed = True
        else:
            changed = bool(own.delete()[0])
        if changed:
            log.record(
                events.DraftSaved(
                    organization_id=principal.organization_id,
                    stream_id=principal.member_id,
                    actor_id=principal.id,
                    conversation=conversation_id,
                    thread=thread,
                    body=body if body.strip() else "",
                )
            )


def _is_thread(conversation_id: UUID, message_id: UUID) -> bool:
    return Message.objects.filter(pk=message_id, conversation_id=conversation_id, thread_id=None).exists()


def drafts_of(*, principal: Principal, conversation_id: UUID) -> dict[UUID | None, str]:
    """Return the principal's drafts in a conversation, by thread (None is the conversation itself).

    Nobody else reads them, so there are none in a view as somebody else.
    """
    if principal.viewed_by:
        return {}
    rows = Draft.objects.filter(principal_id=principal.id, conversation_id=conversation_id)
    return dict(rows.values_list("thread_id", "body"))
