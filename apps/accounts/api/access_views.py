"""REST endpoints that explain access, and roles in single audiences."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api.permissions import Requires, principal_of
from apps.accounts.api.serializers import page_of
from apps.accounts.errors import ObjectUnknown, ScopeNotFound
from apps.accounts.selectors.scoped_roles import list_scoped_roles
from apps.accounts.services import explaining, objects
from apps.accounts.services.explaining import EXPLAIN
from apps.accounts.services.scoped_roles import (
    give_group_role,
    give_scoped_role,
    may_manage,
    take_scoped_role,
)
from apps.accounts.types import MOST_SCOPED_ROLES, ObjectRef, Principal
from apps.core.api.idempotency import repeatable
from apps.core.api.paging import BY_NAME, PageQuery, paginate, read_page
from apps.core.api.serializers import CleanText, StrictSerializer, read_query, validated


class DecisionQuery(StrictSerializer):
    """A question about one person."""

    principal = serializers.UUIDField()
    action = CleanText(max_length=60, default="read")
    object = CleanText(max_length=80, required=False, help_text="`kind:id`, like `message:0197…`.")


class LineSerializer(serializers.Serializer[Any]):
    """A ground; `holds` is null where it depends on circumstances."""

    code = serializers.CharField()
    holds = serializers.BooleanField(allow_null=True)
    text = serializers.CharField()


class ExplanationSerializer(serializers.Serializer[Any]):
    """An answer with its grounds."""

    principal_id = serializers.UUIDField(source="person_id")
    action = serializers.CharField()
    object = serializers.SerializerMethodField()
    allowed = serializers.BooleanField(source="is_allowed")
    depends = serializers.BooleanField()
    rule = serializers.CharField(source="decision.rule")
    reason = serializers.CharField()
    grounds = LineSerializer(many=True, source="lines")

    def get_object(self, found: explaining.Explanation) -> str:
        """`kind:id`, or empty."""
        return str(found.ref or "")


class ReaderQuery(PageQuery):
    """Whose readers are asked for."""

    object = CleanText(max_length=80, help_text="`kind:id`, like `conversation:0197…`.")


class ReaderSerializer(serializers.Serializer[Any]):
    """A member that might see a thing, with the decision."""

    principal_id = serializers.UUIDField(source="person_id")
    name = serializers.CharField()
    kind = serializers.CharField()
    role = serializers.CharField()
    allowed = serializers.BooleanField(source="is_allowed")
    rule = serializers.CharField()
    reason = serializers.CharField()


class ScopedRoleQuery(StrictSerializer):
    """Which audience is asked for."""

    object = CleanText(max_length=80, help_text="`conversation:id`.")


class ScopedRoleInput(ScopedRoleQuery):
    """A role for one audience."""

    member_id = serializers.UUIDField(required=False)
    group_id = serializers.UUIDField(required=False, help_text="Instead of one member: everyone in a group.")
    role = CleanText(max_length=40)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of the two says who gets it."""
        if ("member_id" in attrs) == ("group_id" in attrs):
            raise serializers.ValidationError({"member_id": "Give `member_id` or `group_id`."})
        return attrs


class ScopedRoleSerializer(serializers.Serializer[Any]):
    """A role that a member, or everyone in a group, has in one audience."""

    id = serializers.UUIDField()
    principal_id = serializers.UUIDField(allow_null=True)
    group_id = serializers.UUIDField(allow_null=True)
    name = serializers.CharField()
    role = serializers.CharField()
    created_at = serializers.DateTimeField()


class ScopedRolesSerializer(serializers.Serializer[Any]):
    """All roles of one audience."""

    results = ScopedRoleSerializer(many=True)


class AccessDecision(APIView):
    """`access/decision/`."""

    permission_classes = [Requires(EXPLAIN)]

    @extend_schema(parameters=[DecisionQuery], responses=ExplanationSerializer, tags=["access"])
    def get(self, request: Request) -> Response:
        """Say whether a member may see a thing or has a right, by which rule, and why not. Is in the audit trail."""
        asked: dict[str, Any] = read_query(request, DecisionQuery)
        found = explaining.explain(
            principal=principal_of(request),
            person_id=asked["principal"],
            action=asked["action"],
            ref=_ref(principal_of(request), asked["object"]) if asked.get("object") else None,
        )
        return Response(ExplanationSerializer(found).data)


class ReaderList(APIView):
    """`access/readers/`."""

    permission_classes = [Requires(EXPLAIN)]

    @extend_schema(parameters=[ReaderQuery], responses=page_of(ReaderSerializer), tags=["access"])
    def get(self, request: Request) -> Response:
        """List who might see a thing, by name, each with the decision."""
        principal = principal_of(request)
        position, limit, asked = read_page(request, BY_NAME, ReaderQuery)
        ref = _ref(principal, asked["object"])
        rows = explaining.candidates(principal=principal, ref=ref)
        page = paginate(rows, order=BY_NAME, position=position, limit=limit)
        readers = [explaining.reader_of(principal=principal, member=row, ref=ref) for row in page.rows]
        return Response(page.as_dict(request, ReaderSerializer(readers, many=True).data))


class ScopedRoleList(APIView):
    """`access/scoped-roles/`."""

    @extend_schema(parameters=[ScopedRoleQuery], responses=ScopedRolesSerializer, tags=["access"])
    def get(self, request: Request) -> Response:
        """List who has which role in one audience, for who manages members there."""
        principal = principal_of(request)
        asked: dict[str, Any] = read_query(request, ScopedRoleQuery)
        scope_id = scope_named(principal, asked["object"])
        if not may_manage(principal, scope_id):
            raise ScopeNotFound
        rows = list_scoped_roles(principal, scope_id=scope_id, limit=MOST_SCOPED_ROLES * 10)
        return Response(ScopedRolesSerializer({"results": rows}).data)

    @extend_schema(request=ScopedRoleInput, responses={201: ScopedRoleSerializer}, tags=["access"])
    @repeatable
    def post(self, request: Request) -> Response:
        """Give a member or a group a role in one audience: no more than the caller may do there."""
        principal = principal_of(request)
        asked: dict[str, Any] = validated(ScopedRoleInput(data=request.data))
        scope_id = scope_named(principal, asked["object"])
        where = {"principal": principal, "role": asked["role"], "scope_id": scope_id}
        if "group_id" in asked:
            made = give_group_role(group_id=asked["group_id"], **where)
        else:
            made = give_scoped_role(member_id=asked["member_id"], **where)
        rows = list_scoped_roles(principal, scope_id=scope_id, limit=MOST_SCOPED_ROLES * 10)
        return Response(ScopedRoleSerializer(next(row for row in rows if row.id == made)).data, status=201)


class ScopedRoleDetail(APIView):
    """`access/scoped-roles/{id}/`."""

    @extend_schema(responses={204: None}, tags=["access"])
    def delete(self, request: Request, scoped_role_id: UUID) -> Response:
        """Take a role in one audience back."""
        take_scoped_role(principal=principal_of(request), scoped_role_id=scoped_role_id)
        return Response(status=204)


def _ref(principal: Principal, text: str) -> ObjectRef:
    ref = objects.find_ref(principal, text)
    if ref is None:
        raise ObjectUnknown
    return ref


def scope_named(principal: Principal, text: str) -> UUID:
    """Return the audience of a thing named as `kind:id`.

    Raises:
        ObjectUnknown: there is none, or it lies in no audience.
    """
    facts = objects.find_facts(principal, _ref(principal, text))
    if facts is None or not facts.scopes:
        raise ObjectUnknown
    return facts.scopes[0]
