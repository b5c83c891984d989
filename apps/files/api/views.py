"""Endpoints of files: announce, send in parts, look, fetch, delete."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api.permissions import principal_of
from apps.accounts.services.requests import async_principal
from apps.accounts.types import Principal
from apps.core.api.encoding import encode
from apps.core.api.idempotency import repeatable
from apps.core.api.paging import Order, PageQuery, paginate, read_page
from apps.core.api.problems import speaks_problems
from apps.core.api.serializers import validated
from apps.core.api.throttling import throttle
from apps.core.errors import FieldError
from apps.core.http.errors import MethodNotAllowed
from apps.files.api import serializers as shapes
from apps.files.errors import ChunkTooLarge, RangeInvalid, WrongOffset
from apps.files.selectors.files import get_content, get_file, list_files, view_of
from apps.files.services import delivery, links, removal, uploads
from apps.files.types import CHUNK_BYTES, Content, FileView

NEWEST_UPLOAD = Order((("id", UUID),), descending=True)
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")
_TAGS = ["files"]


def file_json(view: FileView) -> dict[str, Any]:
    """Return the documented shape."""
    return {
        "id": view.id,
        "name": view.name,
        "media_type": view.media_type,
        "size_bytes": view.size_bytes,
        "received_bytes": view.received_bytes,
        "chunk_bytes": CHUNK_BYTES,
        "state": view.state.value,
        "failure_code": view.failure_code,
        "width": view.width,
        "height": view.height,
        "created_at": view.created_at,
    }


class FileList(APIView):
    """`files/`."""

    @extend_schema(parameters=[PageQuery], responses=shapes.FileSerializer(many=True), tags=_TAGS)
    def get(self, request: Request) -> Response:
        """List own uploads, newest first."""
        position, limit, _query = read_page(request, NEWEST_UPLOAD)
        page = paginate(
            list_files(principal_of(request)), order=NEWEST_UPLOAD, position=position, limit=limit
        )
        return Response(page.as_dict(request, (file_json(view_of(row)) for row in page.rows)))

    @extend_schema(request=shapes.NewFileSerializer, responses={201: shapes.FileSerializer}, tags=_TAGS)
    @repeatable
    def post(self, request: Request) -> Response:
        """Announce a file; send its bytes with `PUT content` then."""
        data = validated(shapes.NewFileSerializer(data=request.data))
        view = uploads.begin(principal=principal_of(request), **data)
        return Response(file_json(view), status=201, headers={"Location": f"/api/v1/files/{view.id}/"})


class FileDetail(APIView):
    """`files/{id}/`."""

    @extend_schema(responses=shapes.FileSerializer, tags=_TAGS)
    def get(self, request: Request, file_id: UUID) -> Response:
        """Show a file, or how far an own upload is."""
        return Response(file_json(get_file(principal=principal_of(request), file_id=file_id)))

    @extend_schema(responses={204: OpenApiResponse(description="Gone.")}, tags=_TAGS)
    def delete(self, request: Request, file_id: UUID) -> Response:
        """Cancel an own upload, or delete an own file that no message and no document carries."""
        removal.delete_file(principal=principal_of(request), file_id=file_id)
        return Response(status=204)


class FileContent(APIView):
    """Documents `files/{id}/content`; `content` answers it, so that no file passes a worker thread whole."""

    @extend_schema(
        responses={
            (200, "*/*"): OpenApiTypes.BINARY,  # of whatever type the file is
            302: OpenApiResponse(
                description="Where files have a host of their own: a link there, for five minutes."
            ),
        },
        tags=_TAGS,
        operation_id="files_content_retrieve",
    )
    def get(self, request: Request, file_id: UUID) -> Response:
        """Fetch a file, or one range of it."""
        raise NotImplementedError

    @extend_schema(
        request=OpenApiTypes.BINARY,
        parameters=[
            OpenApiParameter(
                "Content-Range",
                OpenApiTypes.STR,
                OpenApiParameter.HEADER,
                required=True,
                description="`bytes first-last/total`, beginning at `received_bytes`.",
            )
        ],
        responses={200: shapes.FileSerializer},
        tags=_TAGS,
        operation_id="files_content_update",
    )
    def put(self, request: Request, file_id: UUID) -> Response:
        """Send the next part; the last one finishes the file. 409 names the byte to go on from."""
        raise NotImplementedError


@csrf_exempt  # async_principal checks the token where a cookie is what authenticates
@speaks_problems
async def content(request: HttpRequest, file_id: UUID) -> HttpResponseBase:
    """Answer `/files/{id}/content`."""
    if request.method not in ("GET", "HEAD", "PUT"):
        raise MethodNotAllowed
    principal = await async_principal(request)
    headers = await throttle(principal)
    if request.method == "PUT":
        answer: HttpResponseBase = await sync_to_async(_append)(request, principal, file_id)
    else:
        found = await sync_to_async(get_content)(principal=principal, file_id=file_id)
        answer = await _deliver(request, principal, file_id, found)
    for name, value in headers.items():
        answer.headers[name] = value
    return answer


async def _deliver(
    request: HttpRequest, principal: Principal, file_id: UUID, found: Content
) -> HttpResponseBase:
    """Answer with the file, or with a short-lived link where a host of their own serves files, as pages do."""
    if not links.files_host() or found.is_made_by_us:
        return await delivery.file_response(request, found)
    link = links.link_to(principal=principal, file_id=file_id, name=found.name, as_attachment=False)
    return HttpResponseRedirect(link)


def _append(request: HttpRequest, principal: Principal, file_id: UUID) -> HttpResponse:
    offset = _offset(request)
    data = request.read(CHUNK_BYTES + 1)
    if len(data) > CHUNK_BYTES:
        raise ChunkTooLarge(limit_mb=CHUNK_BYTES // (1024 * 1024))
    try:
        view = uploads.append(principal=principal, file_id=file_id, offset=offset, data=data)
    except WrongOffset as error:
        here = str(error.fields["received_bytes"])
        error.errors = [FieldError(field="Content-Range", code="received_bytes", detail=here)]
        raise
    return HttpResponse(encode(file_json(view)), content_type="application/json")


def _offset(request: HttpRequest) -> int:
    """Return where the part begins; its end follows from the bytes that came."""
    found = _CONTENT_RANGE.fullmatch(request.headers.get("Content-Range", ""))
    if found is None:
        raise RangeInvalid
    return int(found.group(1))


# What the schema generator looks for on a view.
content.cls = FileContent  # type: ignore[attr-defined]
content.initkwargs = {}  # type: ignore[attr-defined]
