"""Shapes of the endpoints of agents."""

from rest_framework import serializers

from apps.agents.types import QUESTION_LIMIT, AnswerState, Outcome
from apps.core.api.serializers import CleanText, StrictSerializer


class AskSerializer(StrictSerializer):
    """A question; without an agent the assistant answers."""

    question = CleanText(multiline=True, max_length=QUESTION_LIMIT)
    agent = serializers.UUIDField(required=False, allow_null=True, default=None)


class SourceSerializer(serializers.Serializer[object]):
    """A numbered source."""

    number = serializers.IntegerField()
    title = serializers.CharField()
    place = serializers.CharField()
    citation = serializers.JSONField()
    used = serializers.BooleanField()


class AnswerSerializer(serializers.Serializer[object]):
    """An answer and what it rests on."""

    id = serializers.UUIDField()
    run = serializers.UUIDField(allow_null=True, source="run_id")
    agent = serializers.UUIDField()
    agent_name = serializers.CharField()
    asker = serializers.UUIDField()
    question = serializers.CharField()
    body = serializers.CharField()
    html = serializers.CharField()
    state = serializers.ChoiceField(choices=AnswerState.choices)
    outcome = serializers.ChoiceField(choices=Outcome.choices)
    sources = SourceSerializer(many=True)
    words_only = serializers.BooleanField()
    left_out = serializers.BooleanField()
    conversation = serializers.UUIDField(allow_null=True)
    message = serializers.UUIDField(allow_null=True)
    regenerated_from = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class AgentSerializer(serializers.Serializer[object]):
    """An agent to ask or mention."""

    id = serializers.UUIDField()
    principal = serializers.UUIDField()
    key = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
