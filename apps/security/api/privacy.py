"""Endpoints of privacy requests: ask, look, approve, withdraw, fetch."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
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
from apps.core.api.paging import Order, paginate, read_page
from apps.core.api.serializers import validated
from apps.security.api import privacy_serializers as shapes
from apps.security.errors import RequestNotFound, SubjectNotFound
from apps.security.selectors.privacy import find_file, get_request, views, visible_requests
from apps.security.services import erasure, exporting
from apps.security.services.delivery import archive_response
from apps.security.types import RequestKind, RequestView

NEWEST_REQUEST = Order((("id", UUID),), descending=True)
_TAGS = ["privacy"]


def request_json(request: RequestView) -> dict[str, Any]:
    """Return the documented shape."""
    return {
        "id": request.id,
        "kind": request.kind.value,
        "state": request.state.value,
        "subject": request.subject_id,
        "pseudonym": request.pseudonym,
        "requested_by": request.requested_by,
        "approved_by": request.approved_by,
        "reason": request.reason,
        "run": request.run_id,
        "percent": request.percent,
        "error_code": request.error_code,
        "error": request.error_text,
        "preview": [asdict(line) for line in request.preview],
        "proof": request.proof,
        "certificate": request.certificate,
        "file_size_bytes": request.file_size_bytes,
        "expires_at": request.expires_at,
        "created_at": request.created_at,
        "approved_at": request.approved_at,
        "finished_at": request.finished_at,
    }


class PrivacyRequestList(APIView):
    """`privacy/requests/`."""

    permission_classes = [RequiresRecentSignIn]

    @extend_schema(
        parameters=[shapes.RequestQuery], responses=shapes.PrivacyRequestSerializer(many=True), tags=_TAGS
    )
    def get(self, request: Request) -> Response:
        """List requests, newest first: all for who manages privacy, the own exports for everyone else."""
        principal = principal_of(request)
        position, limit, query = read_page(request, NEWEST_REQUEST, shapes.RequestQuery)
        rows = visible_requests(principal)
        for name in ("kind", "state"):
            if name in query:
                rows = rows.filter(**{name: query[name]})
        page = paginate(rows, order=NEWEST_REQUEST, position=position, limit=limit)
        shown = views(principal, page.rows)
        return Response(page.as_dict(request, (request_json(one) for one in shown)))

    @extend_schema(
        request=shapes.NewRequestSerializer,
        responses={201: OpenApiResponse(shapes.PrivacyRequestSerializer)},
        tags=_TAGS,
    )
    @repeatable
    def post(self, request: Request) -> Response:
        """Ask for an export or an erasure; an erasure waits for a second administrator."""
        principal = principal_of(request)
        asked = validated(shapes.NewRequestSerializer(data=request.data))
        if asked["kind"] == RequestKind.EXPORT:
            request_id = exporting.start_export(
                principal=principal, subject_id=asked["subject"], reason=asked["reason"]
            )
        elif asked["subject"] is None:
            raise SubjectNotFound
        else:
            request_id = erasure.request_erasure(
                principal=principal, subject_id=asked["subject"], reason=asked["reason"]
            )
        return Response(request_json(get_request(principal, request_id)), status=201)


class PrivacyRequestDetail(APIView):
    """`privacy/requests/{id}/`."""

    @extend_schema(responses=shapes.PrivacyRequestSerializer, tags=_TAGS)
    def get(self, request: Request, request_id: UUID) -> Response:
        """Show a request with its preview, its proof and its certificate."""
        return Response(request_json(get_request(principal_of(request), request_id)))


class PrivacyRequestApproval(APIView):
    """`privacy/requests/{id}/approve/`: for people at a browser, never for keys."""

    permission_classes = [SignedInByPage, RequiresRecentSignIn]

    @extend_schema(request=None, responses=shapes.PrivacyRequestSerializer, tags=_TAGS)
    def post(self, request: Request, request_id: UUID) -> Response:
        """Approve an erasure as the second administrator; it begins at once."""
        principal = principal_of(request)
        erasure.approve_erasure(principal=principal, request_id=request_id)
        return Response(request_json(get_request(principal, request_id)))


class PrivacyRequestCancellation(APIView):
    """`privacy/requests/{id}/cancel/`."""

    @extend_schema(request=None, responses=shapes.PrivacyRequestSerializer, tags=_TAGS)
    @repeatable
    def post(self, request: Request, request_id: UUID) -> Response:
        """Withdraw a request, or stop its work; what was erased by then stays erased."""
        principal = principal_of(request)
        erasure.cancel_request(principal=principal, request_id=request_id)
        return Response(request_json(get_request(principal, request_id)))


class PrivacyRequestRetry(APIView):
    """`privacy/requests/{id}/retry/`."""

    @extend_schema(request=None, responses=shapes.PrivacyRequestSerializer, tags=_TAGS)
    @repeatable
    def post(self, request: Request, request_id: UUID) -> Response:
        """Go on with what failed, for example after a hold was released."""
        principal = principal_of(request)
        erasure.retry_request(principal=principal, request_id=request_id)
        return Response(request_json(get_request(principal, request_id)))


class PrivacyRequestFile(APIView):
    """`privacy/requests/{id}/file`: for people at a browser, never for keys."""

    permission_classes = [SignedInByPage, ReadingRequiresRecentSignIn]

    @extend_schema(responses={(200, "application/zip"): OpenApiTypes.BINARY}, tags=_TAGS)
    def get(self, request: Request, request_id: UUID) -> HttpResponseBase:
        """Fetch the archive of an export, while it lives: the person concerned, or who asked for it."""
        key = find_file(principal_of(request), request_id)
        try:
            response = archive_response(key)
        except FileNotFoundError as error:
            raise RequestNotFound from error
        exporting.note_fetched(principal_of(request), request_id)
        return response
