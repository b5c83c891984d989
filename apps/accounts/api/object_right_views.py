"""REST endpoints of exceptions: single rights in single audiences."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api.access_views import ScopedRoleQuery, scope_named
from apps.accounts.api.permissions import Requires, principal_of
from apps.accounts.selectors.object_rights import list_object_rights
from apps.accounts.services.object_rights import LONGEST_REASON, give_object_right, take_object_right
from apps.accounts.services.scoped_roles import MANAGE
from apps.accounts.types import MOST_OBJECT_DAYS, MOST_OBJECT_RIGHTS, OBJECT_PERMISSIONS
from apps.core.api.idempotency import repeatable
from apps.core.api.serializers import CleanText, read_query, validated


class ObjectRightInput(ScopedRoleQuery):
    """A right for one audience."""

    member_id = serializers.UUIDField()
    permission = serializers.ChoiceField(choices=sorted(OBJECT_PERMISSIONS))
    reason = CleanText(max_length=LONGEST_REASON)
    days = serializers.IntegerField(min_value=1, max_value=MOST_OBJECT_DAYS)


class ObjectRightSerializer(serializers.Serializer[Any]):
    """A right that a member has in one audience until it ends."""

    id = serializers.UUIDField()
    principal_id = serializers.UUIDField()
    name = serializers.CharField()
    permission = serializers.CharField()
    reason = serializers.CharField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    is_over = serializers.BooleanField()


class ObjectRightsSerializer(serializers.Serializer[Any]):
    """All single rights of one audience."""

    results = ObjectRightSerializer(many=True)


class ObjectRightList(APIView):
    """`access/object-rights/`."""

    permission_classes = [Requires(MANAGE)]

    @extend_schema(parameters=[ScopedRoleQuery], responses=ObjectRightsSerializer, tags=["access"])
    def get(self, request: Request) -> Response:
        """List who has which single right in one audience, until when and why."""
        principal = principal_of(request)
        asked: dict[str, Any] = read_query(request, ScopedRoleQuery)
        scope_id = scope_named(principal, asked["object"])
        rows = list_object_rights(principal, scope_id=scope_id, limit=MOST_OBJECT_RIGHTS * 10)
        return Response(ObjectRightsSerializer({"results": rows}).data)

    @extend_schema(request=ObjectRightInput, responses={201: ObjectRightSerializer}, tags=["access"])
    @repeatable
    def post(self, request: Request) -> Response:
        """Give a member one right in one audience for some days, with a reason; not more than the caller's own."""
        principal = principal_of(request)
        asked: dict[str, Any] = validated(ObjectRightInput(data=request.data))
        scope_id = scope_named(principal, asked.pop("object"))
        made = give_object_right(principal=principal, scope_id=scope_id, **asked)
        rows = list_object_rights(principal, scope_id=scope_id, limit=MOST_OBJECT_RIGHTS * 10)
        return Response(ObjectRightSerializer(next(row for row in rows if row.id == made)).data, status=201)


class ObjectRightDetail(APIView):
    """`access/object-rights/{id}/`."""

    permission_classes = [Requires(MANAGE)]

    @extend_schema(responses={204: None}, tags=["access"])
    def delete(self, request: Request, object_right_id: UUID) -> Response:
        """Take a single right back."""
        take_object_right(principal=principal_of(request), object_right_id=object_right_id)
        return Response(status=204)
