"""Shapes of the REST endpoints of privacy."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.core.api.paging import PageQuery
from apps.core.api.serializers import CleanText, StrictSerializer
from apps.security.types import RequestKind, RequestState


class RequestQuery(PageQuery):
    """Filters of the list."""

    kind = serializers.ChoiceField(choices=RequestKind.choices, required=False)
    state = serializers.ChoiceField(choices=RequestState.choices, required=False)


class NewRequestSerializer(StrictSerializer):
    """What is asked for; without `subject`, of the caller's own data (exports only)."""

    kind = serializers.ChoiceField(choices=RequestKind.choices)
    subject = serializers.UUIDField(required=False, allow_null=True, default=None)
    reason = CleanText(max_length=500, required=False, allow_blank=True, default="")


class PreviewLineSerializer(serializers.Serializer[Any]):
    """A kind of data."""

    name = serializers.CharField()
    title = serializers.CharField()
    rows = serializers.IntegerField()
    fate = serializers.CharField(help_text="delete, anonymize or keep.")
    why = serializers.CharField()


class PrivacyRequestSerializer(serializers.Serializer[Any]):
    """A privacy request."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=RequestKind.choices)
    state = serializers.ChoiceField(choices=RequestState.choices)
    subject = serializers.UUIDField(allow_null=True, help_text="Null once the person is erased.")
    pseudonym = serializers.CharField()
    requested_by = serializers.UUIDField(allow_null=True)
    approved_by = serializers.UUIDField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)
    run = serializers.UUIDField(allow_null=True)
    percent = serializers.IntegerField(allow_null=True)
    error_code = serializers.CharField(allow_blank=True)
    error = serializers.CharField(allow_blank=True)
    preview = PreviewLineSerializer(many=True)
    proof = serializers.DictField(help_text="Rows erased by kind of data, and what the verification counted.")
    certificate = serializers.DictField(allow_null=True)
    file_size_bytes = serializers.IntegerField(allow_null=True)
    expires_at = serializers.DateTimeField(
        allow_null=True, help_text="When the file of an export is deleted."
    )
    created_at = serializers.DateTimeField()
    approved_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
