"""The directory of channels."""

from __future__ import annotations

import dataclasses

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.services import access
from apps.chat.api.views import ChatView
from apps.chat.selectors.channels import list_directory
from apps.core.api.paging import BY_NAME, PageQuery, page_of_list, read_page
from apps.core.api.serializers import CleanText


class ChannelSerializer(serializers.Serializer[object]):
    """A channel in the directory."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    description = serializers.CharField()
    is_private = serializers.BooleanField()
    archived_at = serializers.DateTimeField(allow_null=True)
    who_posts = serializers.ChoiceField(choices=["everyone", "announcers"])
    is_member = serializers.BooleanField()
    members = serializers.IntegerField()
    last_message_at = serializers.DateTimeField(allow_null=True)


class DirectoryQuery(PageQuery):
    """Words of name or description; archived channels are found on demand."""

    query = CleanText(max_length=100, required=False, default="")
    state = serializers.ChoiceField(choices=["open", "archived", "all"], default="open")


class ChannelDirectory(ChatView):
    """Channels the caller may see, joined or not."""

    @extend_schema(
        parameters=[DirectoryQuery], responses=ChannelSerializer(many=True), tags=["conversations"]
    )
    def get(self, request: Request) -> Response:
        """List them by name; not for guests."""
        access.require(self.principal, "directory.read")
        position, limit, query = read_page(request, BY_NAME, DirectoryQuery)
        found = list_directory(self.principal, **query)
        page = page_of_list(found, order=BY_NAME, position=position, limit=limit)
        return Response(page.as_dict(request, map(dataclasses.asdict, page.rows)))
