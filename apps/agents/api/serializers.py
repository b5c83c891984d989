"""Shapes of the endpoints of agents."""

from rest_framework import serializers

from apps.agents.types import QUESTION_LIMIT, AnswerState, Outcome
from apps.core.api.serializers import CleanText, StrictSerializer
from apps.elyza.types import Support, SupportDoubt
from apps.rag.types import SourceType


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


class EvidenceSerializer(serializers.Serializer[object]):
    """The sentence of a source that comes nearest to one of the answer: offsets in its page or message."""

    number = serializers.IntegerField()
    source_type = serializers.ChoiceField(choices=SourceType.choices)
    source = serializers.UUIDField()  # type: ignore[assignment]  # the name hides DRF's own property
    page = serializers.IntegerField(allow_null=True)
    start = serializers.IntegerField()
    end = serializers.IntegerField()


class ClaimSerializer(serializers.Serializer[object]):
    """A sentence of an answer, where it stands in the body, and whether its sources say so."""

    start = serializers.IntegerField()
    end = serializers.IntegerField()
    numbers = serializers.ListField(child=serializers.IntegerField())
    answer = serializers.ListField(
        child=serializers.IntegerField(),
        allow_null=True,
        help_text="Start and end of the exact answer in the body, where one of an excerpt is likely enough.",
    )
    support = serializers.ChoiceField(choices=[one.value for one in Support])
    doubts = serializers.ListField(
        child=serializers.ChoiceField(choices=[one.value for one in SupportDoubt]),
        help_text="What speaks against it: a number, a name or a negation that its sources don't have, other words.",
    )
    evidence = EvidenceSerializer(many=True)


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
    claims = ClaimSerializer(many=True)
    words_only = serializers.BooleanField()
    left_out = serializers.BooleanField()
    conversation = serializers.UUIDField(allow_null=True)
    message = serializers.UUIDField(allow_null=True)
    regenerated_from = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    completed_by = serializers.UUIDField(
        allow_null=True, help_text="The asker's private answer from better sources."
    )
    is_withheld = serializers.BooleanField(help_text="The asker lost a source of it; the text is kept back.")


class PageBoxSerializer(serializers.Serializer[object]):
    """A rectangle on a page, in points from its top left corner."""

    x0 = serializers.FloatField()
    top = serializers.FloatField()
    x1 = serializers.FloatField()
    bottom = serializers.FloatField()


class OriginSerializer(serializers.Serializer[object]):
    """Where a document was read from: a web address, or a path that cannot be opened."""

    address = serializers.CharField()
    is_link = serializers.BooleanField()


class OpenedSerializer(serializers.Serializer[object]):
    """A cited passage in its surroundings, with the reader's rights of this moment."""

    source_type = serializers.ChoiceField(choices=SourceType.choices)
    source = serializers.UUIDField()  # type: ignore[assignment]  # the name hides DRF's own property
    title = serializers.CharField()
    page = serializers.IntegerField(allow_null=True)
    page_count = serializers.IntegerField(allow_null=True)
    text = serializers.CharField()
    start = serializers.IntegerField(source="span.start")
    end = serializers.IntegerField(source="span.end")
    boxes = PageBoxSerializer(many=True)
    width = serializers.FloatField(allow_null=True)
    height = serializers.FloatField(allow_null=True)
    conversation = serializers.UUIDField(allow_null=True)
    author_name = serializers.CharField()
    time = serializers.DateTimeField(allow_null=True)
    origin = OriginSerializer(allow_null=True)
    renewed_at = serializers.DateTimeField(
        allow_null=True, help_text="When the document's content was replaced the last time."
    )
    is_changed = serializers.BooleanField()


class AgentSerializer(serializers.Serializer[object]):
    """An agent to ask or mention."""

    id = serializers.UUIDField()
    principal = serializers.UUIDField()
    key = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
