"""Saying that one has seen an important message; for five minutes that can be taken back."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts.types import Principal
from apps.chat import events
from apps.chat.errors import MessageDeleted, NothingToAcknowledge, TooLateToWithdraw
from apps.chat.models import Acknowledgement, Message
from apps.chat.services.messages import lock_visible_message, require_open
from apps.core.events import log

WITHDRAWN_WITHIN = timedelta(minutes=5)


def acknowledge(*, principal: Principal, message_id: UUID) -> None:
    """Say that the principal has seen an important message; twice is harmless.

    Raises:
        MessageNotFound, MessageDeleted, NothingToAcknowledge: not important, or one's own; NotAMember.
    """
    with transaction.atomic():
        message = lock_visible_message(principal=principal, message_id=message_id)
        if message.deleted_at is not None:
            raise MessageDeleted
        if not message.priority or message.sender_id == principal.id:
            raise NothingToAcknowledge
        require_open(principal=principal, conversation_id=message.conversation_id)
        _, created = Acknowledgement.objects.get_or_create(
            message_id=message_id,
            principal_id=principal.id,
            defaults={"organization_id": principal.organization_id},
        )
        if created:
            _tell(events.MessageAcknowledged, message, principal)


def withdraw(*, principal: Principal, message_id: UUID) -> None:
    """Take an acknowledgement back; harmless where there is none.

    Raises:
        MessageNotFound, TooLateToWithdraw.
    """
    with transaction.atomic():
        message = lock_visible_message(principal=principal, message_id=message_id)
        row = Acknowledgement.objects.filter(message_id=message_id, principal_id=principal.id).first()
        if row is None:
            return
        if row.created_at < timezone.now() - WITHDRAWN_WITHIN:
            raise TooLateToWithdraw
        row.delete()
        _tell(events.AcknowledgementWithdrawn, message, principal)


def _tell(
    event: type[events.MessageAcknowledged | events.AcknowledgementWithdrawn],
    message: Message,
    principal: Principal,
) -> None:
    log.record(
        event(
            organization_id=message.organization_id,
            stream_id=message.conversation_id,
            scope_id=message.scope_id,
            actor_id=principal.id,
            message_id=message.pk,
            principal_id=principal.id,
        )
    )
