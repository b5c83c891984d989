"""Endpoints of imports: look through an uploaded export, read the report, store it, stop."""

from __future__ import annotations

import dataclasses
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api.permissions import Requires, RequiresRecentSignIn, principal_of
from apps.chat.api.views import NOTHING
from apps.chat.selectors import importing as selectors
from apps.chat.selectors.importing import ImportView
from apps.chat.services.slack import imports
from apps.chat.types import ImportState
from apps.core.api.idempotency import repeatable
from apps.core.api.paging import Order, page_of_list, read_page
from apps.core.api.serializers import ExactBoolean, StrictSerializer, validated

_TAGS = ["imports"]
NEWEST = Order((("id", UUID),), descending=True)
_IMPORTS: list[type[BasePermission]] = [
    *(Requires(right) for right in selectors.RIGHTS),
    RequiresRecentSignIn,
]


class NewImportSerializer(StrictSerializer):
    """An export that the caller uploaded."""

    file = serializers.UUIDField(help_text="A ZIP file, uploaded by you with `files/`.")


class ConfirmationSerializer(StrictSerializer):
    """How to store it."""

    fetches_files = ExactBoolean(
        default=False, help_text="Fetch files that the export only links to; otherwise the links stay."
    )


class ImportSerializer(serializers.Serializer[object]):
    """An import: what its archive holds, and what was stored."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    state = serializers.ChoiceField(choices=ImportState.choices)
    file_name = serializers.CharField(allow_blank=True)
    fetches_files = serializers.BooleanField()
    run = serializers.UUIDField(allow_null=True)
    percent = serializers.IntegerField(allow_null=True)
    report = serializers.DictField(help_text="Numbers, channels, and how often each code of the notes came.")
    result = serializers.DictField(help_text="What was stored; empty before it is done.")
    error_code = serializers.CharField(allow_blank=True)
    error = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    confirmed_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


def import_json(view: ImportView) -> dict[str, Any]:
    """Return the documented shape."""
    found = {field.name: getattr(view, field.name) for field in dataclasses.fields(view)}
    found["run"], found["error"] = found.pop("run_id"), found.pop("error_text")
    del found["stage"]
    return {**found, "state": view.state.value}


class ImportList(APIView):
    """`imports/`."""

    permission_classes = _IMPORTS

    @extend_schema(responses=ImportSerializer(many=True), tags=_TAGS)
    def get(self, request: Request) -> Response:
        """List imports, newest first."""
        position, limit, _ = read_page(request, NEWEST)
        found = selectors.list_imports(principal_of(request))
        page = page_of_list(found, order=NEWEST, position=position, limit=limit)
        return Response(page.as_dict(request, map(import_json, page.rows)))

    @extend_schema(
        request=NewImportSerializer, responses={201: OpenApiResponse(ImportSerializer)}, tags=_TAGS
    )
    @repeatable
    def post(self, request: Request) -> Response:
        """Look through a Slack export; nothing is stored before it is confirmed."""
        asked = validated(NewImportSerializer(data=request.data))
        import_id = imports.start_check(principal=principal_of(request), file_id=asked["file"])
        return Response(import_json(selectors.get_import(principal_of(request), import_id)), status=201)


class ImportDetail(APIView):
    """`imports/{id}/`."""

    permission_classes = _IMPORTS

    @extend_schema(responses=ImportSerializer, tags=_TAGS)
    def get(self, request: Request, import_id: UUID) -> Response:
        """Show an import with its report."""
        return Response(import_json(selectors.get_import(principal_of(request), import_id)))

    @extend_schema(responses={204: NOTHING}, tags=_TAGS)
    def delete(self, request: Request, import_id: UUID) -> Response:
        """Put an import away and delete its archive; what it stored stays."""
        imports.discard(principal=principal_of(request), import_id=import_id)
        return Response(status=204)


class ImportConfirmation(APIView):
    """`imports/{id}/confirm/`."""

    permission_classes = _IMPORTS

    @extend_schema(request=ConfirmationSerializer, responses=ImportSerializer, tags=_TAGS)
    @repeatable
    def post(self, request: Request, import_id: UUID) -> Response:
        """Store what was looked through; what failed or was stopped goes on where it ended."""
        asked = validated(ConfirmationSerializer(data=request.data))
        principal = principal_of(request)
        imports.confirm(principal=principal, import_id=import_id, fetches_files=asked["fetches_files"])
        return Response(import_json(selectors.get_import(principal, import_id)))


class ImportStop(APIView):
    """`imports/{id}/stop/`."""

    permission_classes = _IMPORTS

    @extend_schema(request=None, responses=ImportSerializer, tags=_TAGS)
    @repeatable
    def post(self, request: Request, import_id: UUID) -> Response:
        """Stop; what was stored stays."""
        principal = principal_of(request)
        imports.stop(principal=principal, import_id=import_id)
        return Response(import_json(selectors.get_import(principal, import_id)))


class ImportReport(APIView):
    """`imports/{id}/report`."""

    permission_classes = _IMPORTS

    @extend_schema(responses={(200, "application/x-ndjson"): OpenApiTypes.BINARY}, tags=_TAGS)
    def get(self, request: Request, import_id: UUID) -> HttpResponse:
        """Fetch the rows of the report, one JSON object a line: part, code, place, moment, detail."""
        return HttpResponse(
            selectors.report_lines(principal_of(request), import_id),
            content_type="application/x-ndjson",
            headers={"Cache-Control": "private, no-store"},
        )
