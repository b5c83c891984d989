"""The OpenAPI document at `/api/v1/schema/`."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponse
from django.utils.translation import get_language
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.request import Request

from apps.core.api.encoding import encode


class SchemaDocument(SpectacularJSONAPIView):
    """Made once per language and process; it holds nothing of an organization."""

    made: ClassVar[dict[str, bytes]] = {}

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:  # noqa: ARG002 - its signature
        """Return the document as JSON."""
        language = get_language() or "en"
        if language not in self.made:
            generator = SchemaGenerator(api_version="1")  # type: ignore[no-untyped-call]
            document = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
            self.made[language] = encode(document)
        return HttpResponse(self.made[language], content_type="application/vnd.oai.openapi+json")
