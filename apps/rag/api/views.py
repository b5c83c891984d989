"""Endpoints of search."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api.permissions import Requires, principal_of
from apps.accounts.types import Principal
from apps.core.api.serializers import read_query, validated
from apps.core.http.afterwards import after_answer
from apps.rag.api import serializers as shapes
from apps.rag.selectors.agreement import with_offer
from apps.rag.selectors.explaining import explain, query_of
from apps.rag.selectors.search import documents_being_read, search
from apps.rag.selectors.suggestions import sealed, unsealed
from apps.rag.services import thumbs
from apps.rag.services.reading import note_read
from apps.rag.services.rewriting import rewrite, with_stage
from apps.rag.services.traces import keep_trace
from apps.rag.types import (
    ExpansionKind,
    Filters,
    Rewriting,
    RewritingState,
    SearchOrigin,
    SearchResult,
    SourceType,
)


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
        result, rewriting = _searched(caller, query)
        if query["order"] == "best":
            result = with_offer(caller, query["q"], result)
        if caller.kind != "person":
            note_read(
                organization_id=caller.organization_id,
                reader_id=caller.id,
                on_behalf_of=caller.on_behalf_of,
                hits=result.hits,
                purpose="search",
            )
        being_read = documents_being_read(caller, result)
        suggested = rewriting.suggestions if rewriting else ()
        related = [one.term for one in result.expanded_by(ExpansionKind.RELATED)]
        texts = partial(
            query_of, caller, query["q"], has_grammar=True, left_out=query["plain"], related=related
        )
        response = Response(
            shapes.result_json(
                result,
                documents_being_read=being_read,
                explained=explain(result, texts(suggested=suggested)) if query["explain"] else None,
                rewriting=rewriting,
                words=sealed(caller.organization_id, query["q"], suggested) if suggested else "",
            )
        )
        after_answer(
            response,
            lambda: keep_trace(principal=caller, origin=SearchOrigin.API, query=query["q"], result=result),
        )
        return response


def _searched(caller: Principal, query: Mapping[str, Any]) -> tuple[SearchResult, Rewriting | None]:
    """Return what is found: with the words that come with the query, or once more with a model's if it is wished."""
    find = partial(
        search,
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
        related=query["related"],
    )
    if brought := unsealed(caller.organization_id, query["q"], query["words"]):
        return find(suggested=brought), Rewriting(state=RewritingState.REWRITTEN, suggestions=brought)
    result = find()
    if not query["rewrite"]:
        return result, None
    rewriting = rewrite(principal=caller, text=query["q"], result=result, origin=SearchOrigin.API)
    if rewriting.suggestions:
        result = find(suggested=rewriting.suggestions)
    return with_stage(result, rewriting), rewriting


class Thumb(APIView):
    """`search/{search_id}/hits/{number}/thumb/`."""

    permission_classes = [Requires("search.use")]

    @extend_schema(request=shapes.ThumbSerializer, responses={204: None}, tags=["search"])
    def put(self, request: Request, search_id: UUID, number: int) -> Response:
        """Say whether a hit of an own search was good; `number` is its place on the page, from 1."""
        asked = validated(shapes.ThumbSerializer(data=request.data))
        thumbs.give_thumb(principal=principal_of(request), search_id=search_id, number=number, **asked)
        return Response(status=204)

    @extend_schema(responses={204: None}, tags=["search"])
    def delete(self, request: Request, search_id: UUID, number: int) -> Response:
        """Take back what was said about a hit."""
        thumbs.take_thumb_back(principal=principal_of(request), search_id=search_id, number=number)
        return Response(status=204)
