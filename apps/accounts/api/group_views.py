"""REST endpoints of groups of people. Services and selectors decide about rights."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api.permissions import principal_of
from apps.accounts.api.serializers import page_of
from apps.accounts.selectors import groups as group_selectors
from apps.accounts.services import access, groups
from apps.core.api.idempotency import repeatable
from apps.core.api.paging import BY_NAME, PageQuery, page_of_list, read_page
from apps.core.api.serializers import CleanText, ExactBoolean, StrictSerializer, validated

MOST_AT_ONCE = 200


class GroupSerializer(serializers.Serializer[Any]):
    """A group of people."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    description = serializers.CharField()
    is_mentionable = serializers.BooleanField()
    members = serializers.IntegerField()


class GroupInput(StrictSerializer):
    """A new group."""

    name = CleanText(max_length=60)
    description = CleanText(max_length=200, allow_blank=True, default="")
    is_mentionable = ExactBoolean(default=True)


class GroupChange(StrictSerializer):
    """What is left out stays."""

    name = CleanText(max_length=60, required=False)
    description = CleanText(max_length=200, allow_blank=True, required=False)
    is_mentionable = ExactBoolean(required=False)


class GroupPersonSerializer(serializers.Serializer[Any]):
    """Somebody in a group."""

    id = serializers.UUIDField(help_text="The principal.")
    name = serializers.CharField()
    kind = serializers.CharField()


class GroupPeople(StrictSerializer):
    """Principals by id."""

    people = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=MOST_AT_ONCE)


class GroupList(APIView):
    """`groups/`."""

    @extend_schema(parameters=[PageQuery], responses=page_of(GroupSerializer), tags=["groups"])
    def get(self, request: Request) -> Response:
        """List the groups by name."""
        principal = principal_of(request)
        access.require(principal, "directory.read")
        position, limit, _ = read_page(request, BY_NAME)
        found = group_selectors.list_groups(principal)
        page = page_of_list(found, order=BY_NAME, position=position, limit=limit)
        return Response(page.as_dict(request, GroupSerializer(page.rows, many=True).data))

    @extend_schema(request=GroupInput, responses={201: GroupSerializer}, tags=["groups"])
    @repeatable
    def post(self, request: Request) -> Response:
        """Make an empty group."""
        principal = principal_of(request)
        made = groups.create_group(principal=principal, **validated(GroupInput(data=request.data)))
        return Response(GroupSerializer(group_selectors.get_group(principal, made)).data, status=201)


class GroupDetail(APIView):
    """`groups/{id}/`."""

    @extend_schema(responses=GroupSerializer, tags=["groups"])
    def get(self, request: Request, group_id: UUID) -> Response:
        """Show one group."""
        principal = principal_of(request)
        access.require(principal, "directory.read")
        return Response(GroupSerializer(group_selectors.get_group(principal, group_id)).data)

    @extend_schema(request=GroupChange, responses=GroupSerializer, tags=["groups"])
    def patch(self, request: Request, group_id: UUID) -> Response:
        """Change name, description, or whether it can be mentioned."""
        changes = validated(GroupChange(data=request.data))
        groups.update_group(principal=principal_of(request), group_id=group_id, **changes)
        return self.get(request, group_id)

    @extend_schema(responses={204: None}, tags=["groups"])
    def delete(self, request: Request, group_id: UUID) -> Response:
        """Delete it; its people lose the roles they had by it."""
        groups.delete_group(principal=principal_of(request), group_id=group_id)
        return Response(status=204)


class GroupMembers(APIView):
    """`groups/{id}/members/`."""

    @extend_schema(parameters=[PageQuery], responses=page_of(GroupPersonSerializer), tags=["groups"])
    def get(self, request: Request, group_id: UUID) -> Response:
        """List who is in it, by name."""
        principal = principal_of(request)
        access.require(principal, "directory.read")
        position, limit, _ = read_page(request, BY_NAME)
        found = group_selectors.people_of_group(principal, group_id)
        page = page_of_list(found, order=BY_NAME, position=position, limit=limit)
        return Response(page.as_dict(request, GroupPersonSerializer(page.rows, many=True).data))

    @extend_schema(request=GroupPeople, responses={204: None}, tags=["groups"])
    @repeatable
    def post(self, request: Request, group_id: UUID) -> Response:
        """Take people in."""
        people = validated(GroupPeople(data=request.data))["people"]
        groups.add_people(principal=principal_of(request), group_id=group_id, people=people)
        return Response(status=204)


class GroupMember(APIView):
    """`groups/{id}/members/{person}/`."""

    @extend_schema(responses={204: None}, tags=["groups"])
    def delete(self, request: Request, group_id: UUID, person_id: UUID) -> Response:
        """Take somebody out."""
        groups.remove_person(principal=principal_of(request), group_id=group_id, person_id=person_id)
        return Response(status=204)
