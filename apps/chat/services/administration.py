"""What those who run an organization, or the server, do to conversations they need not be in."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts.services import access, scoped_roles, trail
from apps.accounts.types import InScope, Principal
from apps.chat import actions
from apps.chat.errors import ConversationNotFound, MessageNotFound
from apps.chat.models import Conversation, Message
from apps.chat.services.conversations import announce_change
from apps.chat.services.messages import take_away
from apps.chat.services.standing import lock_message
from apps.core.services import audit


def set_archived(*, principal: Principal, conversation_id: UUID, is_archived: bool) -> None:
    """Close a channel of the organization to new messages, or open it again; private ones too.

    Raises:
        PermissionMissing, ConversationNotFound (also: no channel).
    """
    with transaction.atomic():
        channel = _lock_channel(principal, conversation_id)
        if (channel.archived_at is not None) == is_archived:
            return
        channel.archived_at = timezone.now() if is_archived else None
        channel.save(update_fields=["archived_at"])
        announce_change(channel, actor_id=principal.id)
        trail.note(
            principal, actions.ARCHIVED if is_archived else actions.UNARCHIVED, "conversation", channel.pk
        )


def set_data_class(*, principal: Principal, conversation_id: UUID, data_class: str) -> None:
    """Say which class of data a channel holds; members whose role does not reach it lose it at once.

    Raises:
        PermissionMissing, ConversationNotFound (also: no channel), DataClassUnknown.
    """
    with transaction.atomic():
        channel = _lock_channel(principal, conversation_id)
        scoped_roles.set_data_class(principal=principal, scope_id=channel.scope_id, data_class=data_class)


def delete_as_operator(*, operator_id: UUID, message_id: UUID) -> None:
    """Take a message away from the operator's admin, which stands above organizations; twice is harmless.

    The caller opened the message's organization.

    Raises:
        MessageNotFound.
    """
    with transaction.atomic():
        message = lock_message(Message.objects.filter(pk=message_id))
        if message is None:
            raise MessageNotFound
        if message.deleted_at is None:
            take_away(message, actor_id=operator_id)
            audit.record(
                organization_id=message.organization_id,
                action=actions.MESSAGE_REMOVED,
                actor_id=operator_id,
                object_type="message",
                object_id=message.pk,
                details={
                    "conversation": message.conversation_id,
                    "sender": message.sender_id,
                    "by_operator": True,
                },
            )


def _lock_channel(principal: Principal, conversation_id: UUID) -> Conversation:
    """Return a channel that the principal may run, in it or not; the caller holds a transaction.

    Raises:
        PermissionMissing, ConversationNotFound.
    """
    channel = (
        Conversation.objects.select_for_update(no_key=True)
        .filter(organization_id=principal.organization_id, pk=conversation_id, kind="channel")
        .first()
    )
    place = None if channel is None else InScope(channel.scope_id)
    access.require(principal, "conversation.manage_any", place)
    if channel is None:
        raise ConversationNotFound
    return channel
