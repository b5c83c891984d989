"""Endpoints of the audit trail: read it, verify it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api.permissions import Requires, principal_of
from apps.core.api.idempotency import repeatable
from apps.core.api.paging import read_page
from apps.security.api import trail_serializers as shapes
from apps.security.selectors import trail
from apps.security.services.verifying import start_verification
from apps.security.types import Filters

_TAGS = ["audit"]


class TrailView(APIView):
    """Everyone with the right to read the trail."""

    permission_classes = [Requires("audit.read")]


class TrailList(TrailView):
    """`audit/`."""

    throttle_cost = 2

    @extend_schema(
        parameters=[shapes.TrailQuery],
        responses=shapes.EntrySerializer(many=True),
        tags=_TAGS,
        operation_id="audit_list",
    )
    def get(self, request: Request) -> Response:
        """List entries of the organization's audit trail, newest first."""
        position, limit, query = read_page(request, trail.NEWEST, shapes.TrailQuery)
        page = trail.page_of_entries(principal_of(request), filters_of(query), position=position, limit=limit)
        return Response(page.as_dict(request, shapes.EntrySerializer(page.rows, many=True).data))


class TrailEntry(TrailView):
    """`audit/{id}/`."""

    @extend_schema(responses=shapes.EntrySerializer, tags=_TAGS, operation_id="audit_retrieve")
    def get(self, request: Request, entry_id: UUID) -> Response:
        """Show one entry."""
        view = trail.get_entry(principal_of(request), entry_id)
        return Response(shapes.EntrySerializer(view).data)


class TrailVerification(TrailView):
    """`audit/verify/`."""

    @extend_schema(responses=shapes.TrailStateSerializer, tags=_TAGS, operation_id="audit_verify_retrieve")
    def get(self, request: Request) -> Response:
        """Show how the trail is doing, and what the last verification found."""
        return Response(shapes.TrailStateSerializer(trail.get_state(principal_of(request))).data)

    @extend_schema(
        request=None,
        responses={202: shapes.StartedSerializer},
        tags=_TAGS,
        operation_id="audit_verify_create",
    )
    @repeatable
    def post(self, request: Request) -> Response:
        """Start a verification of the whole trail."""
        run = start_verification(principal=principal_of(request))
        return Response({"run": run.id}, status=202)


def filters_of(query: dict[str, Any]) -> Filters:
    """Return the filters that validated parameters name."""
    person = query.get("person", "").strip()
    return Filters(
        people=trail.people_named(person) if person else None,
        typed=person,
        action=query.get("action", ""),
        object_type=query.get("object_type", ""),
        object_id=query.get("object", ""),
        outcome=query.get("outcome", ""),
        request_id=query.get("request", ""),
        since=query.get("since"),
        until=query.get("until"),
    )
