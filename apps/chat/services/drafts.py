"""Drafts: unsent text, the same on all devices."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from apps.accounts.types import Principal
from apps.chat import events
from apps.chat.errors import (
    ConversationNotFound,
    MessageTooLong,
    NotAChannel,
    ThreadNotFound,
    UnreadableText,
)
from apps.chat.models import Conversation, Draft, Message
from apps.chat.selectors.conversations import visible_conversations
from apps.chat.services.composing import clean_topic_or_general
from apps.chat.types import BODY_LIMIT, KeptDraft
from apps.core.events import log


def save_draft(
    *, principal: Principal, conversation_id: UUID, body: str, thread: UUID | None = None, topic: str = ""
) -> None:
    """Keep the text as it is typed; an empty one removes the draft.

    Args:
        topic: name of the topic it is written for, which it follows as a scheduled message does.

    Raises:
        ConversationNotFound, ThreadNotFound, NotAChannel, TopicNameInvalid, MessageTooLong, UnreadableText.
    """
    if "\x00" in body or any(0xD800 <= ord(char) <= 0xDFFF for char in body):
        raise UnreadableText
    if len(body) > BODY_LIMIT:
        raise MessageTooLong(limit=BODY_LIMIT, length=len(body))
    if not body.strip():
        body = topic = ""
    topic = clean_topic_or_general(topic)
    with transaction.atomic():
        seen = visible_conversations(principal).filter(pk=conversation_id)
        kind = seen.values_list("kind", flat=True).first()
        if kind is None:
            raise ConversationNotFound
        if body and thread is not None and not _is_thread(conversation_id, thread):
            raise ThreadNotFound
        if topic and thread is None and kind != Conversation.Kind.CHANNEL:
            raise NotAChannel
        own = Draft.objects.filter(
            principal_id=principal.id, conversation_id=conversation_id, thread_id=thread
        )
        if body:
            kept = {"body": body, "topic": topic}
            Draft.objects.update_or_create(
                principal_id=principal.id,
                conversation_id=conversation_id,
                thread_id=thread,
                defaults=kept,
                create_defaults={**kept, "organization_id": principal.organization_id},
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
                    topic=topic,
                    body=body,
                )
            )


def _is_thread(conversation_id: UUID, message_id: UUID) -> bool:
    return Message.objects.filter(pk=message_id, conversation_id=conversation_id, thread_id=None).exists()


def drafts_of(*, principal: Principal, conversation_id: UUID) -> dict[UUID | None, KeptDraft]:
    """Return the principal's drafts in a conversation, by thread (None is the conversation itself).

    Nobody else reads them, so there are none in a view as somebody else.
    """
    if principal.viewed_by:
        return {}
    rows = Draft.objects.filter(principal_id=principal.id, conversation_id=conversation_id)
    found = rows.values_list("thread_id", "body", "topic")
    return {thread: KeptDraft(body=body, topic=topic) for thread, body, topic in found}
