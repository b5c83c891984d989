"""Shapes of the REST endpoints of the audit trail."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.core.api.paging import PageQuery
from apps.core.api.serializers import CleanText
from apps.security.types import ChainState, Problem

OUTCOMES = ("done", "refused", "failed")


class TrailQuery(PageQuery):
    """Filters of the trail."""

    person = CleanText(max_length=200, required=False, help_text="Id, or part of a name or e-mail.")
    action = serializers.RegexField(
        r"^[a-z_.]{1,60}$", required=False, help_text="A whole act, or its first part such as `member`."
    )
    object_type = serializers.RegexField(r"^[a-z_.]{1,60}$", required=False)
    object = CleanText(max_length=300, required=False)
    outcome = serializers.ChoiceField(choices=OUTCOMES, required=False)
    request = CleanText(max_length=64, required=False)
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)


class EntrySerializer(serializers.Serializer[Any]):
    """One entry; `number` and `hash` come within a second of the act."""

    id = serializers.UUIDField(source="key")
    number = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()
    action = serializers.CharField()
    outcome = serializers.ChoiceField(choices=OUTCOMES)
    actor = serializers.UUIDField(source="actor_id", allow_null=True)
    on_behalf_of = serializers.UUIDField(allow_null=True)
    object_type = serializers.CharField(allow_blank=True)
    object = serializers.CharField(source="object_id", allow_blank=True)
    request_id = serializers.CharField(allow_blank=True)
    session = serializers.CharField(allow_blank=True)
    address = serializers.CharField(allow_null=True)
    person = serializers.CharField(allow_null=True)
    details = serializers.DictField()
    hash = serializers.CharField(allow_null=True)
    chained_at = serializers.DateTimeField(allow_null=True)


class FindingSerializer(serializers.Serializer[Any]):
    """One thing a verification found wrong."""

    problem = serializers.ChoiceField(choices=[problem.value for problem in Problem])
    chain = serializers.UUIDField(allow_null=True)
    number = serializers.IntegerField(allow_null=True)
    text = serializers.CharField()


class TrailStateSerializer(serializers.Serializer[Any]):
    """How the trail is doing, and what the last verification said."""

    state = serializers.ChoiceField(choices=[state.value for state in ChainState])
    head = serializers.IntegerField()
    waiting = serializers.IntegerField()
    oldest_seconds = serializers.FloatField()
    checked_at = serializers.DateTimeField(allow_null=True)
    last_anchor = serializers.IntegerField()
    findings_total = serializers.IntegerField()
    findings = FindingSerializer(many=True)


class StartedSerializer(serializers.Serializer[Any]):
    """The run that verifies; follow it like any other."""

    run = serializers.UUIDField()
