"""Endpoints of documents: add, list, look, read a page, try again, rename, replace, delete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api.permissions import principal_of
from apps.core.api.idempotency import repeatable
from apps.core.api.paging import Order, paginate, read_page
from apps.core.api.serializers import validated
from apps.documents.api import serializers as shapes
from apps.documents.selectors.documents import get_document, list_documents, list_page_states, view_of
from apps.documents.selectors.pages import get_page
from apps.documents.selectors.sources import find_origins
from apps.documents.services import documents
from apps.documents.services.pictures import page_picture
from apps.documents.types import DocumentKind, DocumentState, DocumentView, Origin, PageStatus
from apps.files.selectors.files import sizes

NEWEST_DOCUMENT = Order((("id", UUID),), descending=True)
_TAGS = ["documents"]


def documents_json(documents: Sequence[DocumentView]) -> list[dict[str, Any]]:
    """Return the documented shapes of an organization's documents. At most two queries."""
    if not documents:
        return []
    organization_id = documents[0].organization_id
    bytes_of = sizes(organization_id=organization_id, file_ids={one.file_id for one in documents})
    origins = find_origins(organization_id=organization_id, document_ids=[one.id for one in documents])
    return [
        _document_json(one, size=bytes_of.get(one.file_id), origin=origins.get(one.id)) for one in documents
    ]


def document_json(document: DocumentView) -> dict[str, Any]:
    """Return the documented shape. Two queries."""
    return documents_json([document])[0]


def _document_json(document: DocumentView, *, size: int | None, origin: Origin | None) -> dict[str, Any]:
    return {
        "id": document.id,
        "title": document.title,
        "name": document.name,
        "media_type": document.media_type,
        "kind": document.kind.value,
        "language": document.language,
        "file": document.file_id,
        "size": size,
        "conversation": document.conversation_id,
        "message": document.message_id,
        "created_by": document.created_by_id,
        "state": document.state.value,
        "error_code": document.error_code,
        "error": document.error,
        "page_count": document.page_count,
        "pages_parsed": document.pages_parsed,
        "pages_failed": document.pages_failed,
        "percent": document.percent,
        "run": document.run_id,
        "version": document.version,
        "renewed_at": document.renewed_at,
        "is_renewing": document.is_renewing,
        "renewal_error": document.renewal_error,
        "origin": asdict(origin) if origin else None,
        "created_at": document.created_at,
    }


def status_json(page: PageStatus) -> dict[str, Any]:
    """Return the documented shape."""
    return {
        "number": page.number,
        "state": page.state.value,
        "error_code": page.error_code,
        "error": page.error,
    }


class DocumentList(APIView):
    """`documents/`."""

    @extend_schema(
        parameters=[shapes.DocumentQuery], responses=shapes.DocumentSerializer(many=True), tags=_TAGS
    )
    def get(self, request: Request) -> Response:
        """List visible documents, newest first."""
        position, limit, query = read_page(request, NEWEST_DOCUMENT, shapes.DocumentQuery)
        rows = list_documents(
            principal=principal_of(request),
            conversation_id=query.get("conversation"),
            state=DocumentState(query["state"]) if "state" in query else None,
            kind=DocumentKind(query["kind"]) if "kind" in query else None,
        )
        page = paginate(rows, order=NEWEST_DOCUMENT, position=position, limit=limit)
        return Response(page.as_dict(request, documents_json([view_of(row) for row in page.rows])))

    @extend_schema(
        request=shapes.NewDocumentSerializer, responses={201: shapes.DocumentSerializer}, tags=_TAGS
    )
    @repeatable
    def post(self, request: Request) -> Response:
        """Make an upload a document; its pages are read in the background."""
        data = validated(shapes.NewDocumentSerializer(data=request.data))
        document = documents.add_document(
            principal=principal_of(request),
            file_id=data["file"],
            conversation_id=data["conversation"],
            title=data["title"],
        )
        headers = {"Location": f"/api/v1/documents/{document.id}/"}
        return Response(document_json(document), status=201, headers=headers)


class DocumentDetail(APIView):
    """`documents/{id}/`."""

    @extend_schema(responses=shapes.DocumentDetailSerializer, tags=_TAGS)
    def get(self, request: Request, document_id: UUID) -> Response:
        """Show a document, how far its reading is, and each settled page."""
        document = get_document(principal=principal_of(request), document_id=document_id)
        pages = [status_json(page) for page in list_page_states(document_id=document_id)]
        return Response({**document_json(document), "pages": pages})

    @extend_schema(request=shapes.DocumentChangeSerializer, responses=shapes.DocumentSerializer, tags=_TAGS)
    def patch(self, request: Request, document_id: UUID) -> Response:
        """Rename a document that no source keeps up to date."""
        title = validated(shapes.DocumentChangeSerializer(data=request.data))["title"]
        document = documents.rename_document(
            principal=principal_of(request), document_id=document_id, title=title
        )
        return Response(document_json(document))

    @extend_schema(responses={204: OpenApiResponse(description="Gone.")}, tags=_TAGS)
    def delete(self, request: Request, document_id: UUID) -> Response:
        """Delete a document with its pages; nothing of it is found any more."""
        documents.delete_document(principal=principal_of(request), document_id=document_id)
        return Response(status=204)


class DocumentRetry(APIView):
    """`documents/{id}/retry/`."""

    @extend_schema(request=None, responses=shapes.DocumentSerializer, tags=_TAGS)
    @repeatable
    def post(self, request: Request, document_id: UUID) -> Response:
        """Try failed pages again; pages that were read stay."""
        document = documents.retry_document(principal=principal_of(request), document_id=document_id)
        return Response(document_json(document))


class DocumentReplacement(APIView):
    """`documents/{id}/replace/`."""

    @extend_schema(request=shapes.NewVersionSerializer, responses=shapes.DocumentSerializer, tags=_TAGS)
    @repeatable
    def post(self, request: Request, document_id: UUID) -> Response:
        """Let an upload take the place of a document's file; what was read stays until the new one is read."""
        file_id = validated(shapes.NewVersionSerializer(data=request.data))["file"]
        document = documents.replace_document(
            principal=principal_of(request), document_id=document_id, file_id=file_id
        )
        return Response(document_json(document))


class PageDetail(APIView):
    """`documents/{id}/pages/{number}/`."""

    @extend_schema(responses=shapes.PageSerializer, tags=_TAGS)
    def get(self, request: Request, document_id: UUID, number: int) -> Response:
        """Show a page's text and its blocks."""
        page = get_page(principal=principal_of(request), document_id=document_id, number=number)
        return Response(
            {
                **status_json(PageStatus(page.number, page.state, page.error_code, page.error)),
                "width": page.width,
                "height": page.height,
                "text": page.text,
                "blocks": [asdict(block) for block in page.blocks],
                "has_picture": page.has_picture,
            }
        )


class PagePicture(APIView):
    """`documents/{id}/pages/{number}/image`."""

    @extend_schema(responses={(200, "image/png"): OpenApiTypes.BINARY}, tags=_TAGS)
    def get(self, request: Request, document_id: UUID, number: int) -> HttpResponse:
        """Fetch a PDF page as a picture, 800 pixels wide."""
        data = page_picture(principal=principal_of(request), document_id=document_id, number=number)
        headers = {"Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
        return HttpResponse(data, content_type="image/png", headers=headers)
