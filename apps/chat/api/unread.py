"""Endpoints of the read state: markers, counts, and why something counts."""

from __future__ import annotations

import dataclasses
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.chat.api import serializers as shapes
from apps.chat.api.views import ChatView
from apps.chat.errors import ConversationNotFound
from apps.chat.selectors import unread, waiting
from apps.chat.selectors.conversations import is_reached
from apps.chat.services import reading
from apps.core.api.serializers import StrictSerializer, read_query, validated
from apps.core.errors import FieldError, InvalidInput


class TotalsSerializer(serializers.Serializer[object]):
    """What waits in all of the caller's conversations that are not archived."""

    unread = serializers.IntegerField(help_text="Without muted topics, and without muted conversations.")
    mentions = serializers.IntegerField(help_text="Wherever they are.")


class PlaceSerializer(serializers.Serializer[object]):
    """What waits in one topic or thread, muted or not."""

    place = serializers.UUIDField()
    unread = serializers.IntegerField()
    mentions = serializers.IntegerField()


class CountsSerializer(serializers.Serializer[object]):
    """What waits in one conversation; all numbers are of one moment."""

    last_read_sequence = serializers.IntegerField()
    up_to = serializers.IntegerField(help_text="The head of the conversation when this was counted.")
    unread = serializers.IntegerField()
    counted = serializers.IntegerField()
    mentions = serializers.IntegerField()
    topics = PlaceSerializer(many=True, help_text="By topic; the conversation's own id is its general topic.")
    threads = PlaceSerializer(many=True, help_text="By the first message of each thread.")


class WaitingSerializer(serializers.Serializer[object]):
    """A message behind a badge."""

    reason = serializers.ChoiceField(choices=list(waiting.REASONS))
    is_counted = serializers.BooleanField(help_text="It is behind the totals.")
    message = shapes.MessageSerializer()


class UnreadExplanationSerializer(serializers.Serializer[object]):
    """The messages behind a badge, newest first."""

    messages = WaitingSerializer(many=True)


class UnreadExplanationQuery(StrictSerializer):
    """Of one conversation or place in it; of all without."""

    conversation = serializers.UUIDField(required=False)
    place = serializers.UUIDField(required=False)
    limit = serializers.IntegerField(min_value=1, max_value=waiting.MOST, default=50)


class ConversationRead(ChatView):
    """The caller's read marker."""

    @extend_schema(request=shapes.ReadSerializer, responses=shapes.MarkerSerializer, tags=["conversations"])
    def put(self, request: Request, conversation_id: UUID) -> Response:
        """Move it forward to a sequence, or back to just before a message."""
        data = validated(shapes.ReadSerializer(data=request.data))
        _require_one_way(data)
        if "sequence" in data:
            marker = reading.move_marker(principal=self.principal, conversation_id=conversation_id, **data)
        else:
            marker = reading.mark_unread_from(
                principal=self.principal,
                message_id=data["unread_from"],
                only_topic=data.get("only_topic", False),
            )
        return Response({"last_read_sequence": marker})


class ConversationUnread(ChatView):
    """What waits for the caller in one conversation."""

    @extend_schema(responses=CountsSerializer, tags=["conversations"])
    def get(self, request: Request, conversation_id: UUID) -> Response:  # noqa: ARG002 - DRF's signature
        """Count it now, in all, by topic and by thread."""
        who = self.principal
        counts = unread.counts_in(
            organization_id=who.organization_id, principal_id=who.id, conversation_id=conversation_id
        )
        if counts is None or not is_reached(who, conversation_id):
            raise ConversationNotFound
        topics, threads = unread.topics_in(who, conversation_id), unread.threads_in(who, conversation_id)
        return Response(
            {
                **dataclasses.asdict(counts),
                "topics": [dataclasses.asdict(each) for each in topics.values()],
                "threads": [dataclasses.asdict(each) for each in threads.values()],
            }
        )


class UnreadTotals(ChatView):
    """What waits for the caller in all conversations."""

    @extend_schema(responses=TotalsSerializer, tags=["conversations"])
    def get(self, request: Request) -> Response:  # noqa: ARG002 - DRF's signature
        """Count it now."""
        return Response(dataclasses.asdict(unread.totals(self.principal)))


class UnreadExplanation(ChatView):
    """Why a badge shows what it shows."""

    @extend_schema(
        parameters=[UnreadExplanationQuery], responses=UnreadExplanationSerializer, tags=["conversations"]
    )
    def get(self, request: Request) -> Response:
        """List the messages that wait, newest first, each with why it counts or does not."""
        query = read_query(request, UnreadExplanationQuery)
        found = waiting.explain(
            self.principal,
            conversation_id=query.get("conversation"),
            place=query.get("place"),
            limit=query["limit"],
        )
        shown = [
            {"reason": each.reason, "is_counted": each.is_counted, "message": each.message.as_json()}
            for each in found
        ]
        return Response({"messages": shown})


def _require_one_way(data: dict[str, Any]) -> None:
    if ("sequence" in data) == ("unread_from" in data):
        detail = "Give `sequence` or `unread_from`."
        raise InvalidInput(errors=[FieldError(field="sequence", code="required", detail=detail)])
    stray = "only_topic" if "sequence" in data else "place"
    if stray in data:
        detail = "`place` goes with `sequence`, `only_topic` with `unread_from`."
        raise InvalidInput(errors=[FieldError(field=stray, code="invalid", detail=detail)])
