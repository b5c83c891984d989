"""Endpoints of threads: the inbox, following, reading; and of deleted messages that can come back."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.chat.api.serializers import MessageSerializer, PersonSerializer
from apps.chat.api.views import NOTHING, ChatView
from apps.chat.selectors import deleted as deleted_messages
from apps.chat.selectors import messages as message_selectors
from apps.chat.selectors import threads
from apps.chat.selectors.conversations import get_conversation
from apps.chat.services import deleted
from apps.chat.services import threads as following
from apps.core.api.etags import etag
from apps.core.api.paging import Order, PageQuery, page_of, page_of_list, read_page
from apps.core.api.serializers import ExactBoolean, QueryBoolean, StrictSerializer, validated

BY_DELETION = Order((("deleted_at", datetime), ("id", UUID)), descending=True)
BY_LAST_REPLY = Order((("last_at", datetime), ("id", UUID)), descending=True)


class ThreadSerializer(serializers.Serializer[object]):
    """A followed thread: first message, newest reply, and the replies of others after `read_sequence`."""

    root = MessageSerializer()
    last = MessageSerializer()
    unread = serializers.IntegerField()
    read_sequence = serializers.IntegerField()


class ThreadQuery(PageQuery):
    """`unread=true` lists only threads with something new."""

    unread = QueryBoolean(default=False)


class FollowSerializer(StrictSerializer):
    """Whether to follow."""

    is_followed = ExactBoolean()


class ThreadReadSerializer(StrictSerializer):
    """Replies up to this sequence were seen."""

    sequence = serializers.IntegerField(min_value=0, max_value=(1 << 62))


class RestorableSerializer(serializers.Serializer[object]):
    """A deleted message that the caller can bring back until `purge_at`."""

    id = serializers.UUIDField()
    sender = PersonSerializer()
    body = serializers.CharField()
    deleted_at = serializers.DateTimeField()
    purge_at = serializers.DateTimeField()


class ThreadList(ChatView):
    """The caller's threads."""

    @extend_schema(parameters=[ThreadQuery], responses=ThreadSerializer(many=True), tags=["messages"])
    def get(self, request: Request) -> Response:
        """List followed threads, that with the newest reply first."""
        position, limit, query = read_page(request, BY_LAST_REPLY, ThreadQuery)
        before = position.values[0] if position.values else None
        found = threads.inbox(self.principal, only_unread=query["unread"], before=before, limit=limit + 1)
        page = page_of(
            found,
            order=BY_LAST_REPLY,
            position=position,
            limit=limit,
            key=lambda one: (one.last.sent_at, one.root.id),
        )
        return Response(page.as_dict(request, map(_thread, page.rows)))


def _thread(thread: threads.ThreadView) -> dict[str, Any]:
    return {
        "root": thread.root.as_json(), "last": thread.last.as_json(), "unread": thread.unread,
        "read_sequence": thread.read_sequence,
    }  # fmt: skip


class ThreadFollowing(ChatView):
    """The caller's stand to the thread of a message."""

    @extend_schema(request=FollowSerializer, responses={204: NOTHING}, tags=["messages"])
    def put(self, request: Request, message_id: UUID) -> Response:
        """Follow it or leave it."""
        data = validated(FollowSerializer(data=request.data))
        following.set_followed(principal=self.principal, message_id=message_id, **data)
        return Response(status=204)


class ThreadRead(ChatView):
    """How far the caller has read a thread it follows."""

    @extend_schema(request=ThreadReadSerializer, responses={204: NOTHING}, tags=["messages"])
    def put(self, request: Request, message_id: UUID) -> Response:
        """Move it forward."""
        data = validated(ThreadReadSerializer(data=request.data))
        following.mark_read(principal=self.principal, message_id=message_id, **data)
        return Response(status=204)


class MessageRestore(ChatView):
    """A deleted message."""

    @extend_schema(request=None, responses=MessageSerializer, tags=["messages"])
    def post(self, request: Request, message_id: UUID) -> Response:  # noqa: ARG002 - DRF's signature
        """Bring it back for everyone."""
        deleted.restore_message(principal=self.principal, message_id=message_id)
        view = message_selectors.get_message(self.principal, message_id)
        return Response(view.as_json(), headers={"ETag": etag(view.version)})


class DeletedMessages(ChatView):
    """Deleted messages of a conversation."""

    @extend_schema(responses=RestorableSerializer(many=True), tags=["messages"])
    def get(self, request: Request, conversation_id: UUID) -> Response:
        """List those that the caller can bring back, the newest first."""
        position, limit, _ = read_page(request, BY_DELETION)
        get_conversation(self.principal, conversation_id)
        found = deleted_messages.list_restorable(self.principal, conversation_id)
        page = page_of_list(found, order=BY_DELETION, position=position, limit=limit)
        return Response(page.as_dict(request))
