"""Endpoints of the organization's own emoji."""

from __future__ import annotations

import dataclasses
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.chat.api.views import NOTHING, ChatView
from apps.chat.selectors.emoji import custom_emoji, find_emoji
from apps.chat.services import emoji
from apps.core.api.paging import Order, page_of_list, read_page
from apps.core.api.serializers import CleanText, StrictSerializer, validated
from apps.files.selectors.files import get_content
from apps.files.services.contents import local_path

BY_CODE = Order((("code", str), ("id", UUID)))


class CustomEmojiSerializer(serializers.Serializer[object]):
    """An emoji; a reaction holds its name between colons. `file` is its picture."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    file = serializers.UUIDField()


class NewCustomEmojiSerializer(StrictSerializer):
    """A name, and an uploaded picture that the caller may open."""

    code = CleanText(max_length=30)
    file = serializers.UUIDField()


class EmojiList(ChatView):
    """The organization's own emoji."""

    @extend_schema(responses=CustomEmojiSerializer(many=True), tags=["messages"])
    def get(self, request: Request) -> Response:
        """List them by name."""
        position, limit, _ = read_page(request, BY_CODE)
        page = page_of_list(custom_emoji(self.principal), order=BY_CODE, position=position, limit=limit)
        return Response(page.as_dict(request, map(dataclasses.asdict, page.rows)))

    @extend_schema(
        request=NewCustomEmojiSerializer, responses={201: CustomEmojiSerializer}, tags=["messages"]
    )
    def post(self, request: Request) -> Response:
        """Add one; a small square is made of the picture."""
        data = validated(NewCustomEmojiSerializer(data=request.data))
        content = get_content(principal=self.principal, file_id=data["file"])
        with local_path(content) as place:
            picture = place.read_bytes()
        emoji.add_emoji(principal=self.principal, code=data["code"], name=content.name, data=picture)
        made = find_emoji(self.principal, data["code"])
        return Response(dataclasses.asdict(made) if made else None, status=201)


class EmojiDetail(ChatView):
    """One of the organization's own emoji."""

    @extend_schema(responses={204: NOTHING}, tags=["messages"])
    def delete(self, request: Request, code: str) -> Response:  # noqa: ARG002 - DRF's signature
        """Take it away."""
        emoji.remove_emoji(principal=self.principal, code=code)
        return Response(status=204)
