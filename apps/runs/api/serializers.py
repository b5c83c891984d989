"""Shapes of the REST endpoints of runs."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.core.api.paging import PageQuery
from apps.runs.types import RunState, StepState


class RunQuery(PageQuery):
    """Filters of the list."""

    kind = serializers.CharField(max_length=60, required=False)
    subject = serializers.UUIDField(required=False)
    state = serializers.MultipleChoiceField(choices=RunState.choices, required=False)


class SubjectSerializer(serializers.Serializer[Any]):
    """What a run works for."""

    type = serializers.CharField()
    id = serializers.UUIDField()


class RunSerializer(serializers.Serializer[Any]):
    """A run."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    queue = serializers.CharField()
    state = serializers.ChoiceField(choices=RunState.choices)
    is_cancelling = serializers.BooleanField()
    principal = serializers.UUIDField(allow_null=True)
    conversation = serializers.UUIDField(allow_null=True)
    subject = SubjectSerializer(allow_null=True)
    result = serializers.DictField()
    error_code = serializers.CharField(allow_blank=True)
    error = serializers.CharField(allow_blank=True)
    stage = serializers.CharField(allow_blank=True)
    percent = serializers.IntegerField(allow_null=True)
    progress_current = serializers.IntegerField()
    progress_total = serializers.IntegerField()
    steps_total = serializers.IntegerField()
    steps_done = serializers.IntegerField()
    steps_failed = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class StepSerializer(serializers.Serializer[Any]):
    """A part of a run."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    key = serializers.CharField(allow_blank=True)
    position = serializers.IntegerField()
    state = serializers.ChoiceField(choices=StepState.choices)
    is_optional = serializers.BooleanField()
    progress_current = serializers.IntegerField()
    progress_total = serializers.IntegerField()
    attempts = serializers.IntegerField()
    error_code = serializers.CharField(allow_blank=True)
    error = serializers.CharField(allow_blank=True)
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class RunDetailSerializer(RunSerializer):
    """A run with its steps."""

    steps = StepSerializer(many=True)


class StreamEventSerializer(serializers.Serializer[Any]):
    """One server-sent event; `data` is JSON as text."""

    id = serializers.CharField(required=False, help_text="For `Last-Event-ID`.")
    event = serializers.CharField(required=False)
    data = serializers.CharField(required=False, allow_blank=True)  # type: ignore[assignment]  # the name hides DRF's own property
