"""The endpoint of an organization's rules of searches."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api.permissions import Requires, principal_of
from apps.core.api.serializers import ExactBoolean, StrictSerializer, validated
from apps.rag.selectors.policy import has_other_words
from apps.rag.selectors.synonyms import MANAGE
from apps.rag.services.policy import set_other_words


class SearchPolicySerializer(StrictSerializer):
    """What the organization decided about searches."""

    other_words = ExactBoolean(
        help_text="Weak searches may ask the language model, where operators allow it."
    )


class SearchPolicyDetail(APIView):
    """`search/policy/`."""

    permission_classes = [Requires(MANAGE)]

    @extend_schema(responses=SearchPolicySerializer, tags=["search"])
    def get(self, request: Request) -> Response:
        """Return it."""
        return Response({"other_words": has_other_words(principal_of(request).organization_id)})

    @extend_schema(request=SearchPolicySerializer, responses=SearchPolicySerializer, tags=["search"])
    def put(self, request: Request) -> Response:
        """Decide whether weak searches may ask the language model."""
        asked = validated(SearchPolicySerializer(data=request.data))
        set_other_words(principal=principal_of(request), is_on=asked["other_words"])
        return self.get(request)
