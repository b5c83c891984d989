"""Endpoints of topics, and of moving messages between them."""

from __future__ import annotations

import dataclasses
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.chat.api.views import ChatView
from apps.chat.errors import TopicNotFound
from apps.chat.selectors import topics as topic_selectors
from apps.chat.services import moving, topics
from apps.chat.types import TOPIC_LIMIT, TopicView
from apps.core.api.idempotency import repeatable
from apps.core.api.paging import BY_NAME, page_of_list, read_page
from apps.core.api.serializers import CleanText, ExactBoolean, StrictSerializer, validated

LEVELS = ["default", "followed", "muted"]


class TopicSerializer(serializers.Serializer[object]):
    """A topic of a channel as the caller sees it."""

    id = serializers.UUIDField()
    conversation = serializers.UUIDField()
    name = serializers.CharField()
    resolved_at = serializers.DateTimeField(allow_null=True)
    level = serializers.ChoiceField(choices=LEVELS)
    unread = serializers.IntegerField(help_text="Muted or not.")
    mentions = serializers.IntegerField()
    messages = serializers.IntegerField(help_text="Without replies.")
    last_message_at = serializers.DateTimeField(allow_null=True)
    created_by = serializers.UUIDField(allow_null=True)


class ChangeTopicSerializer(StrictSerializer):
    """What is left out stays. `level` is the caller's own."""

    name = CleanText(max_length=TOPIC_LIMIT, required=False)
    is_resolved = ExactBoolean(required=False)
    level = serializers.ChoiceField(choices=LEVELS, required=False)


class MergeSerializer(StrictSerializer):
    """The topic that takes all messages."""

    into = serializers.UUIDField()


class MoveSerializer(StrictSerializer):
    """Where messages go: a topic by its name, made where there is none; an empty one is the general topic."""

    span = serializers.ChoiceField(choices=["message", "later", "topic"], default="message")
    topic = CleanText(max_length=TOPIC_LIMIT, allow_blank=True)
    conversation = serializers.UUIDField(required=False, help_text="Another channel; the same without.")


class MovedSerializer(serializers.Serializer[object]):
    """How many messages moved, their replies aside."""

    moved = serializers.IntegerField()


class TopicList(ChatView):
    """Topics of a channel. One is made by sending a message with its name."""

    @extend_schema(responses=TopicSerializer(many=True), tags=["topics"])
    def get(self, request: Request, conversation_id: UUID) -> Response:
        """List them by name."""
        position, limit, _ = read_page(request, BY_NAME)
        found = topic_selectors.list_topics(self.principal, conversation_id)
        page = page_of_list(found, order=BY_NAME, position=position, limit=limit)
        return Response(page.as_dict(request, map(dataclasses.asdict, page.rows)))


class TopicDetail(ChatView):
    """One topic."""

    @extend_schema(responses=TopicSerializer, tags=["topics"])
    def get(self, request: Request, conversation_id: UUID, topic_id: UUID) -> Response:  # noqa: ARG002
        """Return it with the caller's counts."""
        return Response(dataclasses.asdict(self._find(conversation_id, topic_id)))

    @extend_schema(request=ChangeTopicSerializer, responses=TopicSerializer, tags=["topics"])
    def patch(self, request: Request, conversation_id: UUID, topic_id: UUID) -> Response:
        """Rename, resolve or open it for everyone; follow or mute it for oneself."""
        data = validated(ChangeTopicSerializer(data=request.data))
        self._find(conversation_id, topic_id)
        if "name" in data:
            topics.rename_topic(principal=self.principal, topic_id=topic_id, name=data["name"])
        if "is_resolved" in data:
            topics.set_resolved(principal=self.principal, topic_id=topic_id, is_resolved=data["is_resolved"])
        if "level" in data:
            topics.set_level(principal=self.principal, topic_id=topic_id, level=data["level"])
        return self.get(request, conversation_id, topic_id)

    def _find(self, conversation_id: UUID, topic_id: UUID) -> TopicView:
        found = topic_selectors.get_topic(self.principal, topic_id)
        if found.conversation != conversation_id:
            raise TopicNotFound
        return found


class TopicMerge(ChatView):
    """Two topics become one."""

    @extend_schema(request=MergeSerializer, responses=MovedSerializer, tags=["topics"])
    @repeatable
    def post(self, request: Request, conversation_id: UUID, topic_id: UUID) -> Response:
        """Move all messages into another topic of the channel; this one is gone then."""
        into = validated(MergeSerializer(data=request.data))["into"]
        found = topic_selectors.get_topic(self.principal, topic_id)
        if found.conversation != conversation_id:
            raise TopicNotFound
        return Response(
            {"moved": moving.merge_topics(principal=self.principal, topic_id=topic_id, into=into)}
        )


class MessageMove(ChatView):
    """A message, all of its topic from there on, or all of its topic stand elsewhere."""

    @extend_schema(request=MoveSerializer, responses=MovedSerializer, tags=["topics"])
    @repeatable
    def post(self, request: Request, message_id: UUID) -> Response:
        """Move to another topic, or to another channel."""
        data = validated(MoveSerializer(data=request.data))
        moved = moving.move_messages(
            principal=self.principal,
            message_id=message_id,
            span=data["span"],
            topic=data["topic"],
            conversation_id=data.get("conversation"),
        )
        return Response({"moved": moved})
