"""Name, resolve, follow and mute topics. Where their messages stand is the business of `moving`."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Value
from django.db.models.functions import Lower
from django.utils import timezone

from apps.accounts.services import access, trail
from apps.accounts.types import InScope, Principal
from apps.chat import actions, events
from apps.chat.errors import ConversationArchived, NotYoursToMove, TopicNameTaken, TopicNotFound
from apps.chat.models import (
    Conversation,
    Draft,
    Membership,
    ScheduledMessage,
    Topic,
    TopicPreference,
)
from apps.chat.selectors.conversations import visible_conversations
from apps.chat.services.composing import clean_topic
from apps.chat.services.standing import lock_streams, lock_visible, require_member
from apps.chat.types import TopicLevel
from apps.core.events import log

OWN_DAYS = 7  # this long one changes what one wrote or began oneself; moderators always


def rename_topic(*, principal: Principal, topic_id: UUID, name: str) -> None:
    """Give a topic another name: who began it for some days, and moderators.

    Raises:
        TopicNotFound, NotAMember, ConversationArchived, TopicNameInvalid, TopicNameTaken, NotYoursToMove.
    """
    cleaned = clean_topic(name)
    try:
        with transaction.atomic():
            conversation, topic = lock_topic(principal, topic_id)
            if topic.name == cleaned:
                return
            _require_own_or_moderator(principal, conversation, topic)
            former = topic.name
            redirect_unsent(conversation.pk, former, cleaned)
            topic.name = cleaned
            topic.save(update_fields=["name"])
            _tell(principal, conversation, topic, former_name=former)
            if topic.created_by_id != principal.id:
                trail.note(principal, actions.TOPIC_RENAMED, "topic", topic.pk, conversation=conversation.pk)
    except IntegrityError as error:
        if "chat_topic_name" in str(error):
            raise TopicNameTaken from error
        raise


def set_resolved(*, principal: Principal, topic_id: UUID, is_resolved: bool) -> None:
    """Close a topic, or open it again; every member that may write can. Repeating it changes nothing.

    Raises:
        PermissionMissing, TopicNotFound, NotAMember, ConversationArchived.
    """
    access.require(principal, "message.send")
    with transaction.atomic():
        conversation, topic = lock_topic(principal, topic_id)
        if (topic.resolved_at is not None) == is_resolved:
            return
        topic.resolved_at = timezone.now() if is_resolved else None
        topic.resolved_by_id = principal.id if is_resolved else None
        topic.save(update_fields=["resolved_at", "resolved_by"])
        _tell(principal, conversation, topic)


def set_level(*, principal: Principal, topic_id: UUID, level: TopicLevel) -> None:
    """Follow a topic, mute it, or want of it what the conversation says; for oneself.

    Raises:
        TopicNotFound, NotAMember.
    """
    with transaction.atomic():
        topic = _visible(principal, topic_id)
        require_member(principal, topic.conversation)
        if not Topic.objects.select_for_update(no_key=True).filter(pk=topic_id).exists():
            raise TopicNotFound  # its last message left at this moment
        if level == "default":
            TopicPreference.objects.filter(principal_id=principal.id, topic_id=topic.pk).delete()
        else:
            TopicPreference.objects.update_or_create(
                organization_id=principal.organization_id,
                principal_id=principal.id,
                topic_id=topic.pk,
                defaults={"level": level, "conversation_id": topic.conversation_id},
            )
        log.record(
            events.TopicPreferenceChanged(
                organization_id=principal.organization_id,
                stream_id=principal.member_id,
                actor_id=principal.id,
                conversation=topic.conversation_id,
                topic=topic.pk,
                level=level,
            )
        )


def lock_topic(principal: Principal, topic_id: UUID) -> tuple[Conversation, Topic]:
    """Return a topic and its channel, which the principal is in and may change; sends into it wait until the end.

    Raises:
        TopicNotFound, NotAMember, ConversationArchived.
    """
    conversation = lock_visible(principal, _visible(principal, topic_id).conversation_id)
    require_member(principal, conversation)
    if conversation.archived_at is not None:
        raise ConversationArchived
    lock_streams(conversation.pk)
    topic = Topic.objects.select_for_update(no_key=True).filter(pk=topic_id).first()
    if topic is None:
        raise TopicNotFound
    return conversation, topic


def may_moderate(principal: Principal, conversation: Conversation) -> bool:
    """Return whether the principal changes what others wrote there."""
    return bool(access.can(principal, "message.moderate", InScope(conversation.scope_id)))


def redirect_unsent(conversation_id: UUID, name: str, target: str) -> None:
    """Let drafts and scheduled messages of members go to `target` instead of the topic with this name.

    The caller holds the stream of the channel. Who left the channel learns of no name there.
    """
    inside = Membership.objects.filter(conversation_id=conversation_id, left_at=None).values("principal_id")
    for unsent in (Draft.objects, ScheduledMessage.objects):
        rows = unsent.filter(conversation_id=conversation_id, principal_id__in=inside)
        # the index holds those with a topic alone
        rows = rows.exclude(topic="").annotate(lower_topic=Lower("topic"))
        rows.filter(lower_topic=Lower(Value(name))).update(topic=target)


def _visible(principal: Principal, topic_id: UUID) -> Topic:
    rows = Topic.objects.select_related("conversation").filter(
        organization_id=principal.organization_id, pk=topic_id
    )
    topic = rows.filter(conversation_id__in=visible_conversations(principal).values("pk")).first()
    if topic is None:
        raise TopicNotFound
    return topic


def _require_own_or_moderator(principal: Principal, conversation: Conversation, topic: Topic) -> None:
    access.require(principal, "message.send")
    is_fresh = topic.created_at > timezone.now() - timedelta(days=OWN_DAYS)
    if not (topic.created_by_id == principal.id and is_fresh) and not may_moderate(principal, conversation):
        raise NotYoursToMove(days=OWN_DAYS)


def _tell(principal: Principal, conversation: Conversation, topic: Topic, *, former_name: str = "") -> None:
    log.record(
        events.TopicChanged(
            organization_id=conversation.organization_id,
            stream_id=conversation.pk,
            scope_id=conversation.scope_id,
            actor_id=principal.id,
            topic_id=topic.pk,
            name=topic.name,
            resolved_at=topic.resolved_at,
            former_name=former_name,
        )
    )
