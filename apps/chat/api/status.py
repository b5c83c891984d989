"""REST of the caller's own status, and of what an organization shows of its people."""

from __future__ import annotations

import dataclasses

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api.permissions import Requires, principal_of
from apps.chat.api.views import ChatView
from apps.chat.selectors.statuses import get_status, rules
from apps.chat.services import statuses
from apps.core.api.serializers import CleanText, ExactBoolean, StrictSerializer, validated


class StatusSerializer(serializers.Serializer[object]):
    """The caller's status; the same fields as `status.changed`."""

    emoji = serializers.CharField()
    text = serializers.CharField()
    is_away = serializers.BooleanField()
    expires_at = serializers.DateTimeField(allow_null=True)
    shows_presence = serializers.BooleanField()
    shows_typing = serializers.BooleanField()


class NewStatusSerializer(StrictSerializer):
    """A status; all empty takes it back. `is_undisturbed` needs `expires_at`."""

    emoji = CleanText(max_length=32, allow_blank=True, default="")
    text = CleanText(max_length=100, allow_blank=True, default="")
    is_away = ExactBoolean(default=False)
    is_undisturbed = ExactBoolean(default=False)
    expires_at = serializers.DateTimeField(allow_null=True, default=None)


class SharingSerializer(StrictSerializer):
    """What others see."""

    shows_presence = ExactBoolean()
    shows_typing = ExactBoolean()


class SharedSerializer(serializers.Serializer[object]):
    """What is shown of people."""

    shows_presence = serializers.BooleanField()
    shows_typing = serializers.BooleanField()


class OwnStatus(ChatView):
    """`me/status/`."""

    @extend_schema(responses=StatusSerializer, tags=["people"])
    def get(self, request: Request) -> Response:  # noqa: ARG002 - DRF's signature
        """Show the caller's status."""
        return Response(dataclasses.asdict(get_status(self.principal)))

    @extend_schema(request=NewStatusSerializer, responses=StatusSerializer, tags=["people"])
    def put(self, request: Request) -> Response:
        """Say what the caller is doing, until a moment."""
        statuses.set_status(self.principal, **validated(NewStatusSerializer(data=request.data)))
        return self.get(request)


class OwnSharing(ChatView):
    """`me/status/sharing/`."""

    @extend_schema(request=SharingSerializer, responses=StatusSerializer, tags=["people"])
    def put(self, request: Request) -> Response:
        """Let others see, or not, whether the caller is here and writing."""
        statuses.set_sharing(self.principal, **validated(SharingSerializer(data=request.data)))
        return Response(dataclasses.asdict(get_status(self.principal)))


class OrganizationPresence(APIView):
    """`presence-rules/`."""

    permission_classes = [Requires("organization.manage")]

    @extend_schema(responses=SharedSerializer, tags=["people"])
    def get(self, request: Request) -> Response:  # noqa: ARG002 - DRF's signature
        """Show what the organization shows of its people."""
        row = rules()
        return Response({"shows_presence": row.shows_presence, "shows_typing": row.shows_typing})

    @extend_schema(request=SharingSerializer, responses=SharedSerializer, tags=["people"])
    def put(self, request: Request) -> Response:
        """Show it, or not, for everybody."""
        statuses.set_rules(principal_of(request), **validated(SharingSerializer(data=request.data)))
        return self.get(request)
