"""Endpoints of retention: rules, and what a rule would delete."""

from __future__ import annotations

import dataclasses
from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api.permissions import Requires, RequiresRecentSignIn, principal_of
from apps.chat.api.views import NOTHING
from apps.chat.selectors import retention as selectors
from apps.chat.services import retention
from apps.core.api.idempotency import repeatable
from apps.core.api.paging import Order, page_of_list, read_page
from apps.core.api.serializers import ExactBoolean, QueryBoolean, StrictSerializer, read_query, validated

_TAGS = ["retention"]
BY_NAME = Order((("conversation_name", str), ("id", UUID)))
_MANAGES: list[type[BasePermission]] = [Requires(selectors.MANAGE), RequiresRecentSignIn]


class NewRuleSerializer(StrictSerializer):
    """A rule: `conversation` empty is for all without one of their own, `days` empty keeps messages for ever.

    `file_days` empty keeps files as long as their messages.
    """

    conversation = serializers.UUIDField(allow_null=True, default=None)
    days = serializers.IntegerField(min_value=1, max_value=retention.MOST_DAYS, allow_null=True)
    file_days = serializers.IntegerField(
        min_value=1, max_value=retention.MOST_DAYS, allow_null=True, default=None
    )
    keeps_marked = ExactBoolean(default=False, help_text="What is pinned, or saved by somebody, stays.")


class PreviewQuery(StrictSerializer):
    """The rule that is looked at."""

    conversation = serializers.UUIDField(required=False, default=None)
    days = serializers.IntegerField(
        min_value=1, max_value=retention.MOST_DAYS, required=False, default=None, help_text="Of messages."
    )
    file_days = serializers.IntegerField(
        min_value=1, max_value=retention.MOST_DAYS, required=False, default=None
    )
    keeps_marked = QueryBoolean(default=False)


class RuleSerializer(serializers.Serializer[object]):
    """A rule in force."""

    id = serializers.UUIDField()
    conversation = serializers.UUIDField(allow_null=True)
    conversation_name = serializers.CharField(allow_blank=True)
    days = serializers.IntegerField(allow_null=True)
    file_days = serializers.IntegerField(allow_null=True)
    keeps_marked = serializers.BooleanField()
    changed_at = serializers.DateTimeField()


class RetentionPreviewSerializer(serializers.Serializer[object]):
    """What a rule would delete today."""

    messages = serializers.IntegerField()
    conversations = serializers.IntegerField()
    oldest = serializers.DateTimeField(allow_null=True)
    held = serializers.IntegerField(help_text="As old, but kept by a legal hold.")
    files = serializers.IntegerField(
        help_text="Of these messages, and of those that stay without their files."
    )
    held_files = serializers.IntegerField(help_text="As old, but kept by a legal hold.")


class RuleList(APIView):
    """`retention/rules/`."""

    permission_classes = _MANAGES

    @extend_schema(responses=RuleSerializer(many=True), tags=_TAGS, operation_id="retention_rules_list")
    def get(self, request: Request) -> Response:
        """List the rules in force, the common one first, then by channel."""
        position, limit, _ = read_page(request, BY_NAME)
        found = selectors.list_rules(principal_of(request))
        page = page_of_list(found, order=BY_NAME, position=position, limit=limit)
        return Response(page.as_dict(request, map(dataclasses.asdict, page.rows)))

    @extend_schema(
        request=NewRuleSerializer, responses={201: OpenApiResponse(RuleSerializer)}, tags=_TAGS,
        operation_id="retention_rules_create",
    )  # fmt: skip
    @repeatable
    def post(self, request: Request) -> Response:
        """Set a rule, or replace the one for the same place. Due messages are emptied within the hour."""
        asked = validated(NewRuleSerializer(data=request.data))
        rule_id = retention.set_rule(
            principal=principal_of(request),
            conversation_id=asked["conversation"],
            days=asked["days"],
            file_days=asked["file_days"],
            keeps_marked=asked["keeps_marked"],
        )
        made = next(rule for rule in selectors.list_rules(principal_of(request)) if rule.id == rule_id)
        return Response(dataclasses.asdict(made), status=201)


class RuleDetail(APIView):
    """`retention/rules/{id}/`."""

    permission_classes = _MANAGES

    @extend_schema(responses={204: NOTHING}, tags=_TAGS)
    def delete(self, request: Request, rule_id: UUID) -> Response:
        """Take a rule away."""
        retention.remove_rule(principal=principal_of(request), rule_id=rule_id)
        return Response(status=204)


class Preview(APIView):
    """`retention/preview/`."""

    permission_classes = _MANAGES

    @extend_schema(
        parameters=[PreviewQuery],
        responses=RetentionPreviewSerializer,
        tags=_TAGS,
        operation_id="retention_preview_retrieve",
    )
    def get(self, request: Request) -> Response:
        """Tell what a rule would delete today; nothing is changed."""
        asked = read_query(request, PreviewQuery)
        found = selectors.preview(
            principal_of(request),
            conversation_id=asked["conversation"],
            days=asked["days"],
            file_days=asked["file_days"],
            keeps_marked=asked["keeps_marked"],
        )
        return Response(dataclasses.asdict(found))
