"""What every operation has in common in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import Direction, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from apps.core.api.problems import MEDIA_TYPE
from apps.core.api.serializers import StrictSerializer


class WrongFieldSerializer(serializers.Serializer[Any]):
    """One wrong value of the input."""

    field = serializers.CharField(
        allow_blank=True, help_text=_("Path of the field; empty for the whole input.")
    )
    code = serializers.CharField()
    detail = serializers.CharField()
    start = serializers.IntegerField(
        required=False, help_text=_("First wrong character, where only a part of the text is wrong.")
    )
    end = serializers.IntegerField(required=False, help_text=_("The character after the last wrong one."))


class ProblemSerializer(serializers.Serializer[Any]):
    """A refusal (RFC 9457)."""

    type = serializers.CharField(help_text=_("urn:chatsystem:problem: and the code."))
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text=_("Stable, for programs."))
    detail = serializers.CharField(help_text=_("One sentence for people, in their language."))
    request_id = serializers.CharField(allow_blank=True)
    errors = WrongFieldSerializer(many=True)  # type: ignore[assignment]  # the name hides DRF's own property


ORGANIZATION = OpenApiParameter(
    "Organization",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description=_("Id or short name; needed when the caller belongs to several organizations."),
)
RETRY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description=_("The same key with the same body has one effect and one answer for 48 hours."),
)
RATE = [
    OpenApiParameter(name, OpenApiTypes.INT, OpenApiParameter.HEADER, response=True, description=text)
    for name, text in (
        ("RateLimit-Limit", _("Requests at once.")),
        ("RateLimit-Remaining", _("Requests left now.")),
        ("RateLimit-Reset", _("Seconds until all are back.")),
    )
]
_PROBLEMS = {
    "400": _("The input is wrong; `errors` names each field."),
    "401": _("Not signed in, or the key is not valid."),
    "403": _("The role or the key does not allow this."),
    "404": _("Missing, or not visible to the caller."),
    "429": _("Too many requests; `Retry-After` says when to come back."),
    "default": _("Any other refusal."),
}


class PageShape:
    """The shape of `apps.core.api.paging.Page`, where drf-spectacular asks a paginator."""

    @staticmethod
    def get_paginated_response_schema(rows: dict[str, Any]) -> dict[str, Any]:
        """Return the schema of a page of these rows."""
        address = {
            "type": ["string", "null"],
            "format": "uri",
            "description": str(_("Address of that page.")),
        }
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {"results": rows, "next": address, "previous": address},
        }

    @staticmethod
    def get_schema_operation_parameters(_view: Any) -> list[Any]:
        """Return nothing: the operation names limit and cursor itself."""
        return []


class Schema(AutoSchema):
    """Adds the shared headers and refusals, and says that unknown fields are refused."""

    def get_override_parameters(self) -> list[Any]:
        """Return the shared headers."""
        shared = [ORGANIZATION, *RATE]
        return [*shared, RETRY_KEY] if self._is_repeatable() else shared

    def get_operation_id(self) -> str:
        """Return `resource_action`; a GET or DELETE of a collection is `list` or `clear`."""
        name = str(super().get_operation_id())
        words = self._tokenize_path()
        is_collection = not self.path.endswith("}/") and bool(words) and words[-1].endswith("s")
        if not is_collection:
            return name
        return (
            name.removesuffix("retrieve") + "list"
            if name.endswith("_retrieve")
            else name.replace("_destroy", "_clear")
        )

    def _get_paginator(self) -> PageShape:
        """Return the page's shape: every list is answered as a page."""
        return PageShape()

    def _is_repeatable(self) -> bool:
        return hasattr(getattr(self.view, self.method.lower(), None), "is_repeatable")

    def _get_response_bodies(self, direction: Direction = "response") -> Any:
        responses = super()._get_response_bodies(direction)
        for code, description in _PROBLEMS.items():
            if code not in responses and (code != "404" or "{" in self.path):
                answer = OpenApiResponse(ProblemSerializer, description=str(description))
                responses[code] = self._get_response_for_code(answer, code, [MEDIA_TYPE], direction)  # type: ignore[no-untyped-call]
        return responses

    def _map_basic_serializer(self, serializer: Any, direction: str) -> Any:
        schema = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        kind = serializer if isinstance(serializer, type) else type(serializer)
        if direction == "request" and issubclass(kind, StrictSerializer):
            schema["additionalProperties"] = False
        return schema
