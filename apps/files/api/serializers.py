"""Shapes of the REST endpoints of files."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.core.api.serializers import StrictSerializer
from apps.files.types import FileState


class NewFileSerializer(StrictSerializer):
    """An upload that begins. The name may hold anything; it is cleaned."""

    name = serializers.CharField(max_length=1000, trim_whitespace=False)
    size_bytes = serializers.IntegerField(min_value=0, max_value=2**53)


class FileSerializer(serializers.Serializer[Any]):
    """A file or an upload."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    media_type = serializers.CharField(help_text="By content, once ready.")
    size_bytes = serializers.IntegerField()
    received_bytes = serializers.IntegerField(help_text="Where an upload goes on.")
    chunk_bytes = serializers.IntegerField(help_text="The most bytes of one part.")
    state = serializers.ChoiceField(choices=FileState.choices)
    failure_code = serializers.CharField(allow_blank=True)
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()
