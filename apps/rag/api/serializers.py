"""Shapes of search: input is checked here, output is documented here and built from the views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rest_framework import serializers

from apps.chat.selectors.search.grammar import MOST_CHARACTERS
from apps.core.api.serializers import CleanText, StrictSerializer
from apps.rag.selectors.search import LARGEST_LIMIT
from apps.rag.selectors.suggestions import LONGEST_SEALED
from apps.rag.types import (
    LONGEST_SYNONYM,
    MOST_RELATED,
    ExpansionKind,
    Explanation,
    Hit,
    Rewriting,
    RewritingState,
    SearchPath,
    SearchResult,
    SourceType,
    Trace,
    WordMatchKind,
)


class SearchQuery(StrictSerializer):
    """`q` takes words, "phrases", operators such as `from:me has:link`, and `-` before what must not be.

    Operators that only messages fulfil, negated ones, and operators without words list messages, newest first; `file:`
    finds documents, too.
    """

    q = CleanText(max_length=MOST_CHARACTERS, allow_blank=True)
    limit = serializers.IntegerField(min_value=1, max_value=LARGEST_LIMIT, default=20)
    cursor = CleanText(max_length=300, allow_blank=True, default="")
    order = serializers.ChoiceField(choices=["best", "newest"], default="best")
    type = serializers.MultipleChoiceField(choices=SourceType.choices, required=False, default=set)
    conversation = serializers.ListField(
        child=serializers.UUIDField(), max_length=50, required=False, default=list
    )
    author = serializers.ListField(child=serializers.UUIDField(), max_length=50, required=False, default=list)
    explain = serializers.BooleanField(default=False, help_text="Say of each hit why it is there.")
    plain = serializers.ListField(
        child=CleanText(max_length=LONGEST_SYNONYM), max_length=50, required=False, default=list,
        help_text="Synonyms and words of the model that are not looked for.",
    )  # fmt: skip
    related = serializers.ListField(
        child=CleanText(max_length=LONGEST_SYNONYM), max_length=MOST_RELATED, required=False, default=list,
        help_text="Words of `related` of an answer that are looked for, too; they count less.",
    )  # fmt: skip
    rewrite = serializers.BooleanField(
        default=False, help_text="Ask the language model for other words where the first pass is weak."
    )
    words = CleanText(
        max_length=LONGEST_SEALED, allow_blank=True, default="",
        help_text="`rewritten.words` of an answer to the same `q`: look for them again without asking the model.",
    )  # fmt: skip


class SpanSerializer(serializers.Serializer[object]):
    """A half-open range of Unicode code points."""

    start = serializers.IntegerField()
    end = serializers.IntegerField()


class BoxSerializer(serializers.Serializer[object]):
    """A rectangle on a page, in points from its top left corner."""

    x0 = serializers.FloatField()
    top = serializers.FloatField()
    x1 = serializers.FloatField()
    bottom = serializers.FloatField()


class MessageSpanSerializer(SpanSerializer):
    """A message of a passage: its place in the passage's text, and where that begins in the message."""

    message = serializers.UUIDField()
    message_start = serializers.IntegerField()


class WordMatchSerializer(serializers.Serializer[object]):
    """A word of the passage that fits one of the query."""

    word = serializers.CharField(help_text="As it stands in the passage, in small letters.")
    asked = serializers.CharField(help_text="The word of the query.")
    kind = serializers.ChoiceField(choices=WordMatchKind.choices)
    weight = serializers.FloatField(help_text="What it counts; 1 is the word itself.")
    in_title = serializers.BooleanField()


class HitExplanationSerializer(serializers.Serializer[object]):
    """Why a hit is where it is."""

    rank = serializers.IntegerField(help_text="Among all hits, from 1.")
    words_rank = serializers.IntegerField(allow_null=True, help_text="By words alone; null: not found so.")
    meaning_rank = serializers.IntegerField(
        allow_null=True, help_text="By meaning alone; null: not found so."
    )
    words = WordMatchSerializer(many=True)


class SearchStageSerializer(serializers.Serializer[object]):
    """A stage of a search."""

    name = serializers.CharField()
    took_ms = serializers.FloatField()


class SearchTraceSerializer(serializers.Serializer[object]):
    """What the search did. Every number counts passages that the caller may see."""

    path = serializers.ChoiceField(choices=SearchPath.choices)
    language = serializers.CharField(allow_blank=True)
    visible = serializers.IntegerField(help_text="That fit the filters.")
    is_more = serializers.BooleanField(help_text="There are more visible ones than were counted.")
    with_words = serializers.IntegerField(help_text="That hold a word of the query.")
    near = serializers.IntegerField(help_text="That were taken for their meaning.")
    candidates = serializers.IntegerField(help_text="Both of them together.")
    ranked = serializers.IntegerField(help_text="That were kept of them.")
    collapsed = serializers.IntegerField(help_text="Of documents that stand in the list already.")
    withheld = serializers.IntegerField(help_text="That went or were hidden in the meantime.")
    stages = SearchStageSerializer(many=True)


class HitSerializer(serializers.Serializer[object]):
    """A passage that was found. Texts are plain: escape them where they are shown."""

    source_type = serializers.ChoiceField(choices=SourceType.choices)
    source = serializers.UUIDField(help_text="The message or the document.")  # type: ignore[assignment]  # the name hides DRF's own property
    conversation = serializers.UUIDField(allow_null=True)
    conversation_name = serializers.CharField()
    title = serializers.CharField()
    heading = serializers.CharField()
    page = serializers.IntegerField(allow_null=True)
    span = SpanSerializer()
    boxes = BoxSerializer(many=True)
    text = serializers.CharField()
    snippet = serializers.CharField()
    snippet_start = serializers.IntegerField()
    highlights = SpanSerializer(many=True, help_text="In the snippet.")
    messages = MessageSpanSerializer(many=True)
    thread = serializers.UUIDField(allow_null=True)
    author = serializers.UUIDField(allow_null=True)
    author_name = serializers.CharField()
    time = serializers.DateTimeField()
    language = serializers.CharField()
    media_type = serializers.CharField()
    is_generated = serializers.BooleanField()
    score = serializers.FloatField()
    words_score = serializers.FloatField()
    meaning_score = serializers.FloatField(allow_null=True)
    words = serializers.ListField(child=serializers.CharField())
    more_in_source = serializers.IntegerField()
    explanation = HitExplanationSerializer(allow_null=True, help_text="Null unless it is asked for.")


class ChipSerializer(serializers.Serializer[object]):
    """An operator of the query as it was understood; it stands in `q` from `start` to `end`."""

    kind = serializers.CharField()
    text = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the name hides DRF's own property
    is_known = serializers.BooleanField()
    is_negated = serializers.BooleanField()
    start = serializers.IntegerField()
    end = serializers.IntegerField()


class ExpansionSerializer(serializers.Serializer[object]):
    """What is looked for, too: `term` is another way to say `text` of the query. A related word stands for none."""

    text = serializers.CharField()
    term = serializers.CharField()
    is_used = serializers.BooleanField(help_text="False: left out by `plain`.")
    kind = serializers.ChoiceField(choices=ExpansionKind.choices, help_text="Of whom it is.")


class RewritingSerializer(serializers.Serializer[object]):
    """What came of the wish for other words."""

    state = serializers.ChoiceField(choices=RewritingState.choices)
    reason = serializers.CharField(allow_blank=True, help_text="Of a failure.")
    words = serializers.CharField(
        allow_blank=True, help_text="The words of the model, to be sent as `words` with the next page."
    )


class SearchSerializer(serializers.Serializer[object]):
    """One page of hits."""

    id = serializers.UUIDField(help_text="Of this page of this search; thumbs are given under it.")
    results = HitSerializer(many=True)
    next_cursor = serializers.CharField(allow_blank=True)
    words_only = serializers.BooleanField(help_text="The meaning was not compared: no vector in time.")
    total_hint = serializers.IntegerField()
    took_ms = serializers.FloatField()
    is_list = serializers.BooleanField(
        help_text="Messages that fulfil every operator and hold every word, newest first; else a ranking."
    )
    chips = ChipSerializer(many=True)
    documents_being_read = serializers.IntegerField(
        help_text="Documents the caller may see that are still being read, counted up to 100: what they say may be "
        "missing."
    )
    expanded = ExpansionSerializer(
        many=True,
        help_text="Synonyms of the organization, words of the model, and related words that were looked for.",
    )
    related = serializers.ListField(
        child=serializers.CharField(),
        max_length=MOST_RELATED,
        help_text="Rare words that at least three of the best results of different sources share, to be added.",
    )
    rewritten = RewritingSerializer(
        allow_null=True, help_text="Null unless `rewrite` or `words` asks for it."
    )
    explanation = SearchTraceSerializer(allow_null=True, help_text="Null unless it is asked for.")


class ThumbSerializer(StrictSerializer):
    """What is said about a hit."""

    is_good = serializers.BooleanField()


_INTERNAL = ("chunk", "scope", "face", "words_rank", "meaning_rank")


def hit_json(hit: Hit, why: Explanation | None = None) -> dict[str, Any]:
    """Return the published form: nothing internal."""
    data = asdict(hit)
    for name in _INTERNAL:
        del data[name]
    data["explanation"] = why and {
        "rank": why.rank,
        "words_rank": why.words_rank,
        "meaning_rank": why.meaning_rank,
        "words": [asdict(match) for match in why.words],
    }
    return data


def result_json(
    result: SearchResult,
    *,
    documents_being_read: int,
    explained: Sequence[Explanation] | None = None,
    rewriting: Rewriting | None = None,
    words: str = "",
) -> dict[str, Any]:
    """Return the documented shape.

    Args:
        explained: why each hit is there; None tells nothing of that.
        rewriting: what came of the wish for other words; None where there was none. `words` carries them.
    """
    reasons = [None] * len(result.hits) if explained is None else explained
    return {
        "id": str(result.id),
        "results": [hit_json(hit, why) for hit, why in zip(result.hits, reasons, strict=True)],
        "next_cursor": result.next_cursor,
        "words_only": result.words_only,
        "total_hint": result.total_hint,
        "is_list": result.is_list,
        "took_ms": round(result.took_ms, 1),
        "chips": [asdict(chip) for chip in result.chips],
        "documents_being_read": documents_being_read,
        "expanded": [asdict(one) for one in result.expanded],
        "related": list(result.related),
        "rewritten": rewriting and {"state": rewriting.state, "reason": rewriting.reason, "words": words},
        "explanation": None if explained is None else _explanation(result.trace),
    }


def _explanation(trace: Trace) -> dict[str, Any]:
    data = asdict(trace)
    del data["offset"]
    data["stages"] = [{"name": name, "took_ms": took} for name, took in trace.stages]
    return data
