"""Endpoints of search."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api.permissions import Requires, principal_of
from apps.core.api.serializers import read_query
from apps.rag.api import serializers as shapes
from apps.rag.selectors.search import documents_being_read, search
from apps.rag.services.reading import note_read
from apps.rag.types import Filters, SourceType


class Search(APIView):
    """Search in everything the caller may read."""

    permission_classes = [Requires("search.use")]
    throttle_cost = 5

    @extend_schema(
        parameters=[shapes.SearchQuery],
        responses=shapes.SearchSerializer,
        tags=["search"],
        operation_id="search_list",
    )
    def get(self, request: Request) -> Response:
        """Find passages of messages and documents by words and meaning, best first."""
        query = read_query(request, shapes.SearchQuery)
        caller = principal_of(request)
        result = search(
            principal=caller,
            query=query["q"],
            filters=Filters(
                sources=tuple(sorted(SourceType(name) for name in query["type"])),
                conversations=tuple(query["conversation"]),
                authors=tuple(query["author"]),
            ),
            limit=query["limit"],
            cursor=query["cursor"],
            order=query["order"],
            plain=query["plain"],
        )
        if caller.kind != "person":
            note_read(
                organization_id=caller.organization_id,
                reader_id=caller.id,
                on_behalf_of=caller.on_behalf_of,
                hits=result.hits,
                purpose="search",
            )
        being_read = documents_being_read(caller, result)
        return Response(shapes.result_json(result, documents_being_read=being_read))
