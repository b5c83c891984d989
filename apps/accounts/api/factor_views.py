"""REST endpoints of second factors: the caller's own, and who needs one in the organization."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api.permissions import Requires, RequiresRecentSignIn, SignedInByPage, principal_of
from apps.accounts.api.serializers import page_of
from apps.accounts.selectors import factors as selectors
from apps.accounts.services import factors
from apps.accounts.services.factor_policy import LONGEST_GRACE_DAYS, set_factor_policy
from apps.accounts.types import FactorPolicyView
from apps.core.api.paging import BY_NAME, Order, PageQuery, page_of_list, read_page
from apps.core.api.serializers import StrictSerializer, validated

_OLDEST_FIRST = Order((("created_at", dt.datetime), ("id", int)))
_POLICIES = [selectors.NOBODY, selectors.ADMINISTRATORS, selectors.EVERYBODY]
_MOST_LISTED = 10_000


class FactorSerializer(serializers.Serializer[Any]):
    """A second factor, without its secret."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=["totp", "webauthn", "recovery_codes"])
    name = serializers.CharField()
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)
    left = serializers.IntegerField(help_text="Unused recovery codes; 0 for others.")


class FactorPolicySerializer(serializers.Serializer[Any]):
    """Who needs a second factor."""

    policy = serializers.ChoiceField(choices=_POLICIES)
    since = serializers.DateTimeField()
    grace_days = serializers.IntegerField()


class FactorPolicyChange(StrictSerializer):
    """Another policy."""

    policy = serializers.ChoiceField(choices=_POLICIES, required=False)
    grace_days = serializers.IntegerField(min_value=0, max_value=LONGEST_GRACE_DAYS, required=False)


class LackingQuery(PageQuery):
    """A policy to look at before it is set."""

    policy = serializers.ChoiceField(choices=_POLICIES, required=False)
    grace_days = serializers.IntegerField(min_value=0, max_value=LONGEST_GRACE_DAYS, required=False)


class LackingMemberSerializer(serializers.Serializer[Any]):
    """A member who would need a second factor and has none; shut out from `due_at` on."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    email = serializers.EmailField(allow_null=True)
    role = serializers.CharField()
    due_at = serializers.DateTimeField()


class FactorList(APIView):
    """`me/factors/`."""

    permission_classes = [SignedInByPage]

    @extend_schema(parameters=[PageQuery], responses=page_of(FactorSerializer))
    def get(self, request: Request) -> Response:
        """List the caller's second factors."""
        position, limit, _ = read_page(request, _OLDEST_FIRST)
        found = selectors.list_factors(user_id=principal_of(request).id)
        page = page_of_list(found, order=_OLDEST_FIRST, position=position, limit=limit)
        return Response(page.as_dict(request, FactorSerializer(page.rows, many=True).data))


class FactorDetail(APIView):
    """`me/factors/{id}/`."""

    permission_classes = [SignedInByPage, RequiresRecentSignIn]

    @extend_schema(responses={204: None})
    def delete(self, request: Request, factor_id: int) -> Response:
        """Remove one; other browsers are signed out. Needs a proof of the last ten minutes."""
        factors.remove_factor(
            user_id=principal_of(request).id, factor_id=factor_id, keep_key=request.session.session_key
        )
        return Response(status=204)


class FactorPolicy(APIView):
    """`second-factor-policy/`."""

    permission_classes = [Requires("console.view"), RequiresRecentSignIn]

    @extend_schema(responses=FactorPolicySerializer)
    def get(self, request: Request) -> Response:
        """Show who needs a second factor in the organization."""
        return Response(FactorPolicySerializer(_policy(request)).data)

    @extend_schema(request=FactorPolicyChange, responses=FactorPolicySerializer)
    def patch(self, request: Request) -> Response:
        """Ask nobody, administrators or everybody. Needs a proof of the last ten minutes in a browser."""
        changes = validated(FactorPolicyChange(data=request.data))
        present = _policy(request)
        set_factor_policy(
            principal=principal_of(request),
            policy=changes.get("policy", present.policy),
            grace_days=changes.get("grace_days", present.grace_days),
        )
        return Response(FactorPolicySerializer(_policy(request)).data)


class LackingList(APIView):
    """`second-factor-policy/lacking/`."""

    permission_classes = [Requires("member.manage")]

    @extend_schema(parameters=[LackingQuery], responses=page_of(LackingMemberSerializer))
    def get(self, request: Request) -> Response:
        """List the members who need a second factor and have none, under the present policy or the named one."""
        position, limit, filters = read_page(request, BY_NAME, LackingQuery)
        policy = _policy(request)
        named = {name: filters[name] for name in ("policy", "grace_days") if filters.get(name) is not None}
        if named:
            policy = replace(policy, **named, since=timezone.now())
        found = selectors.list_lacking(
            organization_id=principal_of(request).organization_id, policy=policy, limit=_MOST_LISTED
        )
        page = page_of_list(found, order=BY_NAME, position=position, limit=limit)
        return Response(page.as_dict(request, LackingMemberSerializer(page.rows, many=True).data))


def _policy(request: Request) -> FactorPolicyView:
    organization_id: UUID = principal_of(request).organization_id
    return selectors.get_policy(organization_id)
