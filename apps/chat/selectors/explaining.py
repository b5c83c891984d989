"""Conversations and messages as things whose access is decided and explained."""

from __future__ import annotations

import re
from collections.abc import Collection
from uuid import UUID

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from apps.accounts.selectors.scopes import content_rules
from apps.accounts.services import access
from apps.accounts.services.objects import ID, ObjectFacts, ObjectKind
from apps.accounts.types import Principal
from apps.chat.models import Conversation, Message
from apps.chat.selectors.conversations import visible_conversations
from apps.chat.selectors.messages import visible_messages


def _conversation(asker: Principal, conversation_id: UUID) -> ObjectFacts | None:
    row = Conversation.objects.filter(organization_id=asker.organization_id, pk=conversation_id).first()
    if row is None:
        return None
    return ObjectFacts(_name(asker, row), (row.scope_id,))


def _channel(asker: Principal, name: str) -> UUID | None:
    everything = Conversation.objects.filter(organization_id=asker.organization_id)
    rows = everything if access.can(asker, "conversation.manage_any") else visible_conversations(asker)
    wanted = rows.filter(kind=Conversation.Kind.CHANNEL, name__iexact=name.removeprefix("#"))
    return wanted.values_list("pk", flat=True).first()


def _places(asker: Principal, scope_ids: Collection[UUID]) -> dict[UUID, str]:
    everything = Conversation.objects.filter(organization_id=asker.organization_id)
    rows = everything if access.can(asker, "conversation.manage_any") else visible_conversations(asker)
    channels = rows.filter(kind=Conversation.Kind.CHANNEL, scope_id__in=list(scope_ids))
    return dict(channels.values_list("scope_id", "name"))


def _message(asker: Principal, message_id: UUID) -> ObjectFacts | None:
    row = (
        Message.objects.select_related("conversation")
        .filter(organization_id=asker.organization_id, pk=message_id)
        .first()
    )
    if row is None:
        return None
    when = date_format(localtime(row.sent_at), "SHORT_DATETIME_FORMAT")
    place = _name(asker, row.conversation)
    is_seen = visible_messages(asker).filter(pk=message_id).exists()
    return ObjectFacts(f"{place}, {when}" if place and is_seen else place, (row.scope_id,))


def _name(asker: Principal, row: Conversation) -> str:
    """A channel's name for who manages all of them or sees it; who writes to whom directly is nobody's business."""
    if row.kind != Conversation.Kind.CHANNEL:
        return ""
    is_known = access.can(asker, "conversation.manage_any") or (
        visible_conversations(asker).filter(pk=row.pk).exists()
    )
    return row.name if is_known else ""


CONVERSATION = ObjectKind(
    name="conversation",
    label=_("Conversation"),
    rows=lambda organization_id: Conversation.objects.filter(organization_id=organization_id),
    rules=content_rules,
    find=_conversation,
    key_scope="chat:read",
    address=re.compile(rf"/c/(?P<id>{ID})"),
    named=_channel,
    places=_places,
)
MESSAGE = ObjectKind(
    name="message",
    label=_("Message"),
    rows=lambda organization_id: Message.objects.filter(organization_id=organization_id),
    rules=lambda principal: content_rules(principal, time="sent_at"),
    find=_message,
    key_scope="chat:read",
    address=re.compile(rf"/c/{ID}/(?:m|t)/(?P<id>{ID})"),
)
