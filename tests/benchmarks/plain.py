"""The lists as Django REST framework writes them by default, to be compared with the product's own.

A ListAPIView with nested ModelSerializers, `select_related` and the JSON renderer, behind the product's middleware,
authentication and walls. It is spared what costs most: nothing hangs on its messages, and no page is counted.
"""

from __future__ import annotations

from typing import Any

from django.urls import include, path
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.renderers import JSONRenderer

from apps.accounts.models import User
from apps.chat.models import Conversation, Membership, Message
from apps.chat.selectors.conversations import visible_conversations
from apps.chat.selectors.messages import visible_messages
from chatsystem.urls import urlpatterns as product

ROWS = 50


class Sender(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ("id", "kind", "language")


class PlainMessage(serializers.ModelSerializer[Message]):
    sender = Sender()

    class Meta:
        model = Message
        fields = (
            "id", "conversation", "sequence", "sender", "body", "html", "sent_at", "version", "edited_at", "deleted_at",
            "hidden_at", "files_ended_at", "thread_id", "topic", "client_key", "mentions", "card", "priority",
            "pinned_at",
        )  # fmt: skip


class PlainMessages(ListAPIView[Message]):
    """The newest messages of a conversation."""

    serializer_class = PlainMessage
    renderer_classes = (JSONRenderer,)
    pagination_class = None

    def get_queryset(self) -> Any:
        rows = visible_messages(self.request.principal).filter(
            conversation_id=self.kwargs["pk"], thread_id=None
        )
        return rows.select_related("sender").order_by("-sequence")[:ROWS]


class PlainConversation(serializers.ModelSerializer[Conversation]):
    unread = serializers.SerializerMethodField()

    class Meta:
        model = Conversation
        fields = (
            "id", "kind", "name", "description", "is_private", "archived_at", "who_posts", "takes_replies", "scope",
            "unread",
        )  # fmt: skip

    def get_unread(self, conversation: Conversation) -> int:
        me = self.context["request"].principal.id
        seat = Membership.objects.get(conversation=conversation, principal_id=me)
        new = Message.objects.filter(
            conversation=conversation, sequence__gt=seat.last_read_sequence, deleted_at=None
        )
        return new.exclude(sender_id=me).count()


class PlainConversations(ListAPIView[Conversation]):
    """The reader's conversations with what is unread in each."""

    serializer_class = PlainConversation
    renderer_classes = (JSONRenderer,)
    pagination_class = None

    def get_queryset(self) -> Any:
        mine = Membership.objects.filter(principal_id=self.request.principal.id, left_at=None)
        return visible_conversations(self.request.principal).filter(pk__in=mine.values("conversation_id"))


plain = [
    path("plain/<uuid:pk>/messages/", PlainMessages.as_view()),
    path("plain/conversations/", PlainConversations.as_view()),
]
urlpatterns = [path("api/v1/", include(plain)), *product]
