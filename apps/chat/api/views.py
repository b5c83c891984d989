"""Endpoints of conversations and single messages. The hot ones, sending and listing, are in `hot`."""

from __future__ import annotations

import dataclasses
from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api.permissions import principal_of
from apps.accounts.types import Principal
from apps.chat import asyncapi
from apps.chat.api import serializers as shapes
from apps.chat.api.rights import ChatKey
from apps.chat.rendering.differences import differences
from apps.chat.selectors import conversations as conversation_selectors
from apps.chat.selectors import messages as message_selectors
from apps.chat.services import conversations, drafts, members, messages, reactions
from apps.chat.types import ConversationView
from apps.core.api.etags import etag, expected_version
from apps.core.api.idempotency import repeatable
from apps.core.api.paging import BY_NAME, page_of_list, read_page
from apps.core.api.serializers import validated
from apps.core.errors import FieldError, InvalidInput

NOTHING = OpenApiResponse(description="Done.")


class ChatView(APIView):
    """Reading needs the key scope `chat:read`, writing `chat:write`; services decide the rest."""

    permission_classes = [ChatKey]

    @property
    def principal(self) -> Principal:
        """Who asks."""
        return principal_of(self.request)


def conversation_json(view: ConversationView) -> dict[str, Any]:
    """Return the documented shape."""
    data = view._asdict() | {"people": [dataclasses.asdict(person) for person in view.people]}
    del data["scope"]
    return data


class ConversationList(ChatView):
    """The caller's conversations."""

    @extend_schema(
        parameters=[shapes.ConversationQuery],
        responses=shapes.ConversationSerializer(many=True),
        tags=["conversations"],
    )
    def get(self, request: Request) -> Response:
        """List own conversations by name, or all visible channels."""
        position, limit, query = read_page(request, BY_NAME, shapes.ConversationQuery)
        find = (
            conversation_selectors.list_conversations
            if query["joined"]
            else conversation_selectors.list_channels
        )
        page = page_of_list(find(self.principal), order=BY_NAME, position=position, limit=limit)
        return Response(page.as_dict(request, map(conversation_json, page.rows)))

    @extend_schema(
        request=shapes.NewConversationSerializer,
        responses={201: shapes.ConversationSerializer},
        tags=["conversations"],
    )
    @repeatable
    def post(self, request: Request) -> Response:
        """Create a channel, or open the direct or group conversation of exactly these people."""
        data = validated(shapes.NewConversationSerializer(data=request.data))
        if data["kind"] == "channel":
            if "name" not in data:
                raise InvalidInput(
                    errors=[FieldError(field="name", code="required", detail="A channel has a name.")]
                )
            pk = conversations.create_channel(
                principal=self.principal,
                name=data["name"],
                description=data["description"],
                is_private=data["is_private"],
                people=data["people"],
            )
        else:
            pk = conversations.open_direct(principal=self.principal, people=data["people"])
        view = conversation_selectors.get_conversation(self.principal, pk)
        return Response(conversation_json(view), status=201)


class ConversationDetail(ChatView):
    """One conversation."""

    @extend_schema(responses=shapes.ConversationSerializer, tags=["conversations"])
    def get(self, request: Request, conversation_id: UUID) -> Response:  # noqa: ARG002 - DRF's signature
        """Return it with the caller's counts."""
        return Response(
            conversation_json(conversation_selectors.get_conversation(self.principal, conversation_id))
        )

    @extend_schema(
        request=shapes.ChangeConversationSerializer,
        responses=shapes.ConversationSerializer,
        tags=["conversations"],
    )
    def patch(self, request: Request, conversation_id: UUID) -> Response:
        """Change it for everyone (name, description, privacy, archive) or for oneself (mute, star)."""
        data = validated(shapes.ChangeConversationSerializer(data=request.data))
        own = {name: data.pop(name) for name in ("is_muted", "is_starred") if name in data}
        if data:
            conversations.update_conversation(
                principal=self.principal, conversation_id=conversation_id, **data
            )
        if own:
            members.set_preferences(principal=self.principal, conversation_id=conversation_id, **own)
        return self.get(request, conversation_id)


class ConversationMembers(ChatView):
    """Who is in a conversation."""

    @extend_schema(responses=shapes.PersonSerializer(many=True), tags=["conversations"])
    def get(self, request: Request, conversation_id: UUID) -> Response:
        """List the people by name."""
        position, limit, _ = read_page(request, BY_NAME)
        people = conversation_selectors.members(self.principal, conversation_id)
        refs = [conversation_selectors.ref(person) for person in people]
        page = page_of_list(refs, order=BY_NAME, position=position, limit=limit)
        return Response(page.as_dict(request))

    @extend_schema(request=shapes.PeopleSerializer, responses={204: NOTHING}, tags=["conversations"])
    @repeatable
    def post(self, request: Request, conversation_id: UUID) -> Response:
        """Bring people in; naming only oneself joins an open channel."""
        people = validated(shapes.PeopleSerializer(data=request.data))["people"]
        if people == [self.principal.id]:
            members.join(principal=self.principal, conversation_id=conversation_id)
        else:
            members.add_people(principal=self.principal, conversation_id=conversation_id, people=people)
        return Response(status=204)


class ConversationMember(ChatView):
    """One person in a conversation."""

    @extend_schema(responses={204: NOTHING}, tags=["conversations"])
    def delete(self, request: Request, conversation_id: UUID, person_id: UUID) -> Response:  # noqa: ARG002
        """Leave, or remove someone."""
        members.remove_person(principal=self.principal, conversation_id=conversation_id, person_id=person_id)
        return Response(status=204)


class ConversationDraft(ChatView):
    """The caller's draft."""

    @extend_schema(request=shapes.DraftSerializer, responses={204: NOTHING}, tags=["conversations"])
    def put(self, request: Request, conversation_id: UUID) -> Response:
        """Keep unsent text on all devices."""
        data = validated(shapes.DraftSerializer(data=request.data))
        drafts.save_draft(principal=self.principal, conversation_id=conversation_id, **data)
        return Response(status=204)


class MessageDetail(ChatView):
    """One message."""

    @extend_schema(responses=shapes.MessageSerializer, tags=["messages"])
    def get(self, request: Request, message_id: UUID) -> Response:  # noqa: ARG002 - DRF's signature
        """Return it; `ETag` is its version."""
        view = message_selectors.get_message(self.principal, message_id)
        return Response(view.as_json(), headers={"ETag": etag(view.version)})

    @extend_schema(request=shapes.EditSerializer, responses=shapes.MessageSerializer, tags=["messages"])
    def patch(self, request: Request, message_id: UUID) -> Response:
        """Replace the text; with `If-Match` nobody overwrites unseen."""
        data = validated(shapes.EditSerializer(data=request.data))
        messages.edit_message(
            principal=self.principal,
            message_id=message_id,
            expected_version=expected_version(request),
            **data,
        )
        return self.get(request, message_id)

    @extend_schema(responses={204: NOTHING}, tags=["messages"])
    def delete(self, request: Request, message_id: UUID) -> Response:  # noqa: ARG002 - DRF's signature
        """Take it away for everyone."""
        messages.delete_message(principal=self.principal, message_id=message_id)
        return Response(status=204)


class MessageRevisions(ChatView):
    """Older texts of a message."""

    @extend_schema(responses=shapes.RevisionSerializer(many=True), tags=["messages"])
    def get(self, request: Request, message_id: UUID) -> Response:  # noqa: ARG002 - DRF's signature
        """List them, newest first, each with the changes that led to the next text."""
        found = message_selectors.revisions(self.principal, message_id)
        newer = [
            message_selectors.get_message(self.principal, message_id).body,
            *(body for _, body, _ in found),
        ]
        results = [
            {
                "version": version,
                "body": body,
                "replaced_at": replaced_at,
                "changes": [dataclasses.asdict(change) for change in differences(body, after)],
            }
            for (version, body, replaced_at), after in zip(found, newer, strict=False)
        ]
        return Response({"results": results, "next": None, "previous": None})


class MessageReactions(ChatView):
    """Reactions to a message."""

    @extend_schema(request=shapes.EmojiSerializer, responses={204: NOTHING}, tags=["messages"])
    def post(self, request: Request, message_id: UUID) -> Response:
        """Choose an emoji; choosing it again changes nothing."""
        emoji = validated(shapes.EmojiSerializer(data=request.data))["emoji"]
        reactions.add_reaction(principal=self.principal, message_id=message_id, emoji=emoji)
        return Response(status=204)

    @extend_schema(request=shapes.EmojiSerializer, responses={204: NOTHING}, tags=["messages"])
    def delete(self, request: Request, message_id: UUID) -> Response:
        """Take an own emoji back."""
        emoji = validated(shapes.EmojiSerializer(data=request.data))["emoji"]
        reactions.remove_reaction(principal=self.principal, message_id=message_id, emoji=emoji)
        return Response(status=204)


class SocketDocument(ChatView):
    """The AsyncAPI document of the socket."""

    @extend_schema(
        responses={200: OpenApiResponse(OpenApiTypes.OBJECT, description="AsyncAPI 3.0 as JSON.")},
        tags=["schema"],
    )
    def get(self, request: Request) -> Response:
        """Return it."""
        url = request.build_absolute_uri("/").replace("http", "ws", 1).rstrip("/")
        return Response(asyncapi.document(url=url))
