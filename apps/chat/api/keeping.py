"""Endpoints of what people keep: pins, bookmarks, saved messages, copies, acknowledgements."""

from __future__ import annotations

from dataclasses import asdict
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.chat.api.serializers import MessageSerializer, SentSerializer
from apps.chat.api.views import NOTHING, ChatView
from apps.chat.selectors import bookmarks as kept
from apps.chat.selectors import saved
from apps.chat.selectors.policy import rules_of
from apps.chat.services import acknowledging, bookmarks, forwarding, pacing, pins, policy, previews
from apps.chat.services import saved as saving
from apps.chat.types import BODY_LIMIT, MOST_EDIT_MINUTES, TOPIC_LIMIT
from apps.core.api.paging import NEWEST_FIRST, Order, page_of_list, read_page
from apps.core.api.serializers import CleanText, ExactBoolean, StrictSerializer, validated
from apps.core.errors import FieldError, InvalidInput

BY_ID = Order((("id", UUID),))


class PinSerializer(StrictSerializer):
    """Whether it is pinned."""

    is_pinned = ExactBoolean()


class SaveSerializer(StrictSerializer):
    """Whether it is saved."""

    is_saved = ExactBoolean()


class SavedSerializer(serializers.Serializer[object]):
    """A saved message."""

    id = serializers.UUIDField()
    created_at = serializers.DateTimeField()
    message = MessageSerializer()


class BookmarkSerializer(serializers.Serializer[object]):
    """A link or a file that a conversation keeps at hand."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    url = serializers.CharField()
    file = serializers.UUIDField(allow_null=True)


class NewBookmarkSerializer(StrictSerializer):
    """An address, or a file that hangs on a message of the conversation."""

    title = CleanText(max_length=100, allow_blank=True, default="")
    url = CleanText(max_length=bookmarks.LONGEST_ADDRESS, required=False)
    file = serializers.UUIDField(required=False)


class NewBookmarkAnswer(serializers.Serializer[object]):
    """The new bookmark."""

    id = serializers.UUIDField()


class ForwardSerializer(StrictSerializer):
    """Where the copy goes."""

    conversation = serializers.UUIDField()
    client_key = CleanText(max_length=64)
    comment = CleanText(multiline=True, allow_blank=True, max_length=BODY_LIMIT, default="")
    topic = CleanText(max_length=TOPIC_LIMIT, allow_blank=True, default="")
    confirm_mass_mention = ExactBoolean(default=False)


class MessagePin(ChatView):
    """Whether a message is pinned in its conversation."""

    @extend_schema(request=PinSerializer, responses={204: NOTHING}, tags=["messages"])
    def put(self, request: Request, message_id: UUID) -> Response:
        """Pin it for everyone, or take it down."""
        data = validated(PinSerializer(data=request.data))
        pins.set_pinned(principal=self.principal, message_id=message_id, **data)
        return Response(status=204)


class PinnedMessages(ChatView):
    """Pinned messages of a conversation."""

    @extend_schema(responses=MessageSerializer(many=True), tags=["messages"])
    def get(self, request: Request, conversation_id: UUID) -> Response:  # noqa: ARG002 - DRF's signature
        """List them, the last pinned first; at most a hundred."""
        found = kept.pinned(self.principal, conversation_id)
        return Response({"results": [view.as_json() for view in found], "next": None, "previous": None})


class MessageSaved(ChatView):
    """Whether the caller saved a message."""

    @extend_schema(request=SaveSerializer, responses={204: NOTHING}, tags=["messages"])
    def put(self, request: Request, message_id: UUID) -> Response:
        """Save it, or forget it; nobody else knows."""
        data = validated(SaveSerializer(data=request.data))
        saving.set_saved(principal=self.principal, message_id=message_id, **data)
        return Response(status=204)


class SavedList(ChatView):
    """What the caller saved."""

    @extend_schema(responses=SavedSerializer(many=True), tags=["messages"])
    def get(self, request: Request) -> Response:
        """List it, the last saved first."""
        position, limit, _ = read_page(request, NEWEST_FIRST)
        page = saved.saved(self.principal, position=position, limit=limit)
        rows = [
            {"id": one.id, "created_at": one.created_at, "message": one.message.as_json()}
            for one in page.rows
        ]
        return Response(page.as_dict(request, rows))


class BookmarkList(ChatView):
    """Bookmarks of a conversation."""

    @extend_schema(responses=BookmarkSerializer(many=True), tags=["conversations"])
    def get(self, request: Request, conversation_id: UUID) -> Response:
        """List them, oldest first."""
        position, limit, _ = read_page(request, BY_ID)
        found = kept.bookmarks(self.principal, conversation_id)
        page = page_of_list(found, order=BY_ID, position=position, limit=limit)
        return Response(page.as_dict(request, [one.as_json() for one in page.rows]))

    @extend_schema(request=NewBookmarkSerializer, responses={201: NewBookmarkAnswer}, tags=["conversations"])
    def post(self, request: Request, conversation_id: UUID) -> Response:
        """Put an address or a file at hand for everyone."""
        data = validated(NewBookmarkSerializer(data=request.data))
        if ("url" in data) == ("file" in data):
            raise InvalidInput(
                errors=[FieldError(field="url", code="required", detail="Give `url` or `file`.")]
            )
        where = {"principal": self.principal, "conversation_id": conversation_id, "title": data["title"]}
        if "url" in data:
            pk = bookmarks.add_link(url=data["url"], **where)
        else:
            pk = bookmarks.add_file(file_id=data["file"], **where)
        return Response({"id": pk}, status=201)


class BookmarkDetail(ChatView):
    """One bookmark."""

    @extend_schema(responses={204: NOTHING}, tags=["conversations"])
    def delete(self, request: Request, conversation_id: UUID, bookmark_id: UUID) -> Response:  # noqa: ARG002
        """Take it away for everyone."""
        bookmarks.remove_bookmark(
            principal=self.principal, conversation_id=conversation_id, bookmark_id=bookmark_id
        )
        return Response(status=204)


class MessagePreviewDetail(ChatView):
    """The preview of a link below a message."""

    @extend_schema(responses={204: NOTHING}, tags=["messages"])
    def delete(self, request: Request, message_id: UUID, preview_id: UUID) -> Response:  # noqa: ARG002
        """Remove it for everyone."""
        previews.hide_preview(principal=self.principal, message_id=message_id, preview_id=preview_id)
        return Response(status=204)


class MessagePolicySerializer(StrictSerializer):
    """What the organization decided about messages."""

    link_previews = ExactBoolean(required=False)
    edit_minutes = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=MOST_EDIT_MINUTES,
        help_text="Minutes after sending in which authors change their text; null is for ever, 0 not at all.",
    )


class MessagePolicyDetail(ChatView):
    """What the organization decided about messages."""

    @extend_schema(responses=MessagePolicySerializer, tags=["messages"])
    def get(self, request: Request) -> Response:  # noqa: ARG002 - DRF's signature
        """Return it."""
        return Response(asdict(rules_of(self.principal.organization_id)))

    @extend_schema(request=MessagePolicySerializer, responses=MessagePolicySerializer, tags=["messages"])
    def put(self, request: Request) -> Response:
        """Decide; what is left out stays."""
        data = validated(MessagePolicySerializer(data=request.data))
        return Response(asdict(policy.change_rules(principal=self.principal, **data)))


class MessageForward(ChatView):
    """Copies of a message."""

    @extend_schema(
        request=ForwardSerializer, responses={201: SentSerializer, 200: SentSerializer}, tags=["messages"]
    )
    def post(self, request: Request, message_id: UUID) -> Response:
        """Send its words as an own message to another conversation; files stay where they are."""
        data = validated(ForwardSerializer(data=request.data))
        pacing.take_turn(self.principal)
        sent = forwarding.forward_message(
            principal=self.principal,
            message_id=message_id,
            conversation_id=data.pop("conversation"),
            **data,
        )
        answer = {
            "id": sent.id, "conversation": sent.conversation_id, "sequence": sent.sequence, "sent_at": sent.sent_at,
            "repeated": sent.repeated,
        }  # fmt: skip
        return Response(answer, status=200 if sent.repeated else 201)


class MessageAcknowledgement(ChatView):
    """The caller's acknowledgement of an important message; `acknowledged` of the message lists everyone's."""

    @extend_schema(request=None, responses={204: NOTHING}, tags=["messages"])
    def put(self, request: Request, message_id: UUID) -> Response:  # noqa: ARG002 - DRF's signature
        """Say that one has seen it."""
        acknowledging.acknowledge(principal=self.principal, message_id=message_id)
        return Response(status=204)

    @extend_schema(responses={204: NOTHING}, tags=["messages"])
    def delete(self, request: Request, message_id: UUID) -> Response:  # noqa: ARG002 - DRF's signature
        """Take it back within five minutes."""
        acknowledging.withdraw(principal=self.principal, message_id=message_id)
        return Response(status=204)
