"""Endpoints of exports: ask for one of a conversation or the organization, look, stop, fetch."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api.permissions import (
    ReadingRequiresRecentSignIn,
    RequiresRecentSignIn,
    SignedInByPage,
    principal_of,
)
from apps.core.api.idempotency import repeatable
from apps.core.api.paging import Order, PageQuery, paginate, read_page
from apps.core.api.serializers import StrictSerializer, validated
from apps.security.errors import ExportNotFound
from apps.security.selectors import data_exports as selectors
from apps.security.selectors.data_exports import ExportView
from apps.security.services import data_exports
from apps.security.services.delivery import archive_response
from apps.security.types import RequestState

_TAGS = ["exports"]
NEWEST = Order((("id", UUID),), descending=True)
KINDS = ("conversation", "organization")


class NewExportSerializer(StrictSerializer):
    """What to export."""

    kind = serializers.ChoiceField(choices=KINDS)
    target = serializers.UUIDField(help_text="The conversation, or the organization.")


class ExportSerializer(serializers.Serializer[object]):
    """An export of the caller."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    target = serializers.UUIDField()
    name = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(choices=RequestState.choices)
    run = serializers.UUIDField(allow_null=True)
    percent = serializers.IntegerField(allow_null=True)
    error_code = serializers.CharField(allow_blank=True)
    file_size_bytes = serializers.IntegerField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True, help_text="When the archive is deleted.")
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


def export_json(view: ExportView) -> dict[str, Any]:
    """Return the documented shape."""
    return {
        "id": view.id,
        "kind": view.kind,
        "target": view.target_id,
        "name": view.name,
        "state": view.state.value,
        "run": view.run_id,
        "percent": view.percent,
        "error_code": view.error_code,
        "file_size_bytes": view.file_size_bytes,
        "expires_at": view.expires_at,
        "created_at": view.created_at,
        "finished_at": view.finished_at,
    }


class ExportList(APIView):
    """`exports/`."""

    permission_classes = [RequiresRecentSignIn]

    @extend_schema(parameters=[PageQuery], responses=ExportSerializer(many=True), tags=_TAGS)
    def get(self, request: Request) -> Response:
        """List the exports you asked for, newest first."""
        position, limit, _ = read_page(request, NEWEST)
        page = paginate(
            selectors.own_exports(principal_of(request)), order=NEWEST, position=position, limit=limit
        )
        return Response(page.as_dict(request, map(export_json, selectors.views(page.rows))))

    @extend_schema(
        request=NewExportSerializer, responses={201: OpenApiResponse(ExportSerializer)}, tags=_TAGS
    )
    @repeatable
    def post(self, request: Request) -> Response:
        """Export a conversation you manage or are in directly, or the organization as its owner."""
        asked = validated(NewExportSerializer(data=request.data))
        principal = principal_of(request)
        export_id = data_exports.start(principal=principal, kind=asked["kind"], target_id=asked["target"])
        return Response(export_json(selectors.get_export(principal, export_id)), status=201)


class ExportDetail(APIView):
    """`exports/{id}/`."""

    @extend_schema(responses=ExportSerializer, tags=_TAGS)
    def get(self, request: Request, export_id: UUID) -> Response:
        """Show one of your exports."""
        return Response(export_json(selectors.get_export(principal_of(request), export_id)))


class ExportCancellation(APIView):
    """`exports/{id}/cancel/`."""

    @extend_schema(request=None, responses=ExportSerializer, tags=_TAGS)
    @repeatable
    def post(self, request: Request, export_id: UUID) -> Response:
        """Stop an export."""
        principal = principal_of(request)
        data_exports.cancel(principal=principal, export_id=export_id)
        return Response(export_json(selectors.get_export(principal, export_id)))


class ExportFile(APIView):
    """`exports/{id}/file`: for people at a browser, never for keys."""

    permission_classes = [SignedInByPage, ReadingRequiresRecentSignIn]

    @extend_schema(responses={(200, "application/zip"): OpenApiTypes.BINARY}, tags=_TAGS)
    def get(self, request: Request, export_id: UUID) -> HttpResponseBase:
        """Fetch the archive, while it lives."""
        principal = principal_of(request)
        key = selectors.find_archive(principal, export_id)
        try:
            response = archive_response(key)
        except FileNotFoundError as error:
            raise ExportNotFound from error
        data_exports.note_fetched(principal, export_id)
        return response
