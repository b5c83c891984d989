"""Endpoints of synonyms."""

from __future__ import annotations

import dataclasses
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api.permissions import Requires, principal_of
from apps.core.api.idempotency import repeatable
from apps.core.api.paging import OLDEST_FIRST, PageQuery, page_of_list, read_page
from apps.core.api.serializers import CleanText, StrictSerializer, validated
from apps.rag.selectors import synonyms as selectors
from apps.rag.services import synonyms
from apps.rag.types import LEAST_SYNONYMS, LONGEST_SYNONYM, MOST_SYNONYMS, SET_LANGUAGES

_TAGS = ["search"]
_LANGUAGES = [code for code, _label in SET_LANGUAGES]
_MOST_IN_QUERY = 200


def _terms(**options: Any) -> serializers.ListField:
    return serializers.ListField(
        child=CleanText(max_length=LONGEST_SYNONYM),
        min_length=LEAST_SYNONYMS,
        max_length=MOST_SYNONYMS,
        help_text="Words or phrases of up to 6 words; each stands in one set of the organization only.",
        **options,
    )


class SynonymSetSerializer(serializers.Serializer[object]):
    """Terms that mean the same. `language` is that of the texts that are looked through; empty is every one."""

    id = serializers.UUIDField()
    terms = serializers.ListField(child=serializers.CharField())
    language = serializers.ChoiceField(choices=_LANGUAGES, allow_blank=True)
    created_at = serializers.DateTimeField()


class NewSynonymsSerializer(StrictSerializer):
    """A new set."""

    terms = _terms()
    language = serializers.ChoiceField(choices=_LANGUAGES, allow_blank=True, default="")


class SynonymsChange(StrictSerializer):
    """What is left out stays; terms are replaced as a whole."""

    terms = _terms(required=False)
    language = serializers.ChoiceField(choices=_LANGUAGES, allow_blank=True, required=False)


class SynonymsQuery(PageQuery):
    """Which sets."""

    q = CleanText(
        max_length=_MOST_IN_QUERY, allow_blank=True, default="", help_text="Sets with a term that holds it."
    )


class SynonymList(APIView):
    """`search/synonyms/`."""

    permission_classes = [Requires(selectors.MANAGE)]

    @extend_schema(
        parameters=[SynonymsQuery], responses=SynonymSetSerializer(many=True), tags=_TAGS,
        operation_id="search_synonyms_list",
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List the sets, the oldest first."""
        position, limit, query = read_page(request, OLDEST_FIRST, SynonymsQuery)
        found = selectors.list_synonyms(principal_of(request), words=query["q"])
        page = page_of_list(found, order=OLDEST_FIRST, position=position, limit=limit)
        return Response(page.as_dict(request, map(dataclasses.asdict, page.rows)))

    @extend_schema(
        request=NewSynonymsSerializer, responses={201: SynonymSetSerializer}, tags=_TAGS,
        operation_id="search_synonyms_create",
    )  # fmt: skip
    @repeatable
    def post(self, request: Request) -> Response:
        """Add a set; the next search looks for it."""
        asked = validated(NewSynonymsSerializer(data=request.data))
        made = synonyms.add_synonyms(principal=principal_of(request), **asked)
        return Response(dataclasses.asdict(selectors.get_synonyms(principal_of(request), made)), status=201)


class SynonymDetail(APIView):
    """`search/synonyms/{id}/`."""

    permission_classes = [Requires(selectors.MANAGE)]

    @extend_schema(request=SynonymsChange, responses=SynonymSetSerializer, tags=_TAGS)
    def patch(self, request: Request, set_id: UUID) -> Response:
        """Replace the terms or the language."""
        changes = validated(SynonymsChange(data=request.data))
        synonyms.change_synonyms(principal=principal_of(request), set_id=set_id, **changes)
        return Response(dataclasses.asdict(selectors.get_synonyms(principal_of(request), set_id)))

    @extend_schema(responses={204: None}, tags=_TAGS)
    def delete(self, request: Request, set_id: UUID) -> Response:
        """Remove a set."""
        synonyms.remove_synonyms(principal=principal_of(request), set_id=set_id)
        return Response(status=204)
