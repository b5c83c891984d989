"""The exact answer inside a sentence: the candidates, the trained file, and what it scores."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from apps.core.text.marking import is_exact
from apps.elyza.answering.features import Question
from apps.elyza.answering.ranker import Ranker
from apps.elyza.answering.span_ranker import SPANS_FILE, SpanRanker
from apps.elyza.answering.spans import NAMES, candidates, kind_of
from apps.elyza.services.answers import answer_from_passages
from apps.llm.types import AnswerPassage

COLLECTIONS = os.environ.get("CHATSYSTEM_TEST_COLLECTIONS", "")
HANDBOOK = "Dr. Weber approved the travel request on 3 March 2025 because the fair had been moved to Hamburg."
HANDBUCH = "Frau Petersen leitet seit 2019 die Leitwarte in Emden, die aus 42 Fachleuten besteht."


def found(question: str, sentence: str, language: str) -> str:
    weight = partial(Ranker.shipped().rarity, language=language)
    asked = Question.read(question, language=language, weight=weight)
    best = SpanRanker.shipped().best(asked, sentence, language=language, weight=weight)
    return "" if best is None else sentence[best.span.start : best.span.end]


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How many people work there?", "number"), ("Wie viele Gäste kommen?", "number"), ("Since when?", "date"),
        ("In welchem Jahr begann es?", "date"), ("Wer leitet das?", "who"), ("Where is it?", "where"),
        ("Warum steht der Kran?", "why"), ("How does it work?", "how"), ("Which tower?", "which"),
        ("Was ist das?", "what"), ("Nenne das Öl.", "other"), ("", "other"),
    ],
)  # fmt: skip
def test_a_question_wants_a_kind_of_answer(question: str, kind: str) -> None:
    assert kind_of(question) == kind


@pytest.mark.parametrize(
    ("question", "sentence", "language", "answer"),
    [
        ("Who approved the travel request?", HANDBOOK, "en", "Dr. Weber"),
        ("When was the travel request approved?", HANDBOOK, "en", "3 March 2025"),
        ("Wer leitet die Leitwarte in Emden?", HANDBUCH, "de", "Frau Petersen"),
        ("Aus wie vielen Fachleuten besteht die Leitwarte?", HANDBUCH, "de", "42"),
    ],
)
def test_the_answer_is_what_the_question_does_not_say(
    question: str, sentence: str, language: str, answer: str
) -> None:
    assert is_exact(found(question, sentence, language), [answer], language)


@pytest.mark.parametrize(
    "sentence", ["", "...", "word", "a " * 500, "1. 2. 3.", "\x00", "Ж" * 300, "(" * 50 + "x"]
)
def test_whatever_stands_in_a_sentence_gives_spans_inside_it_or_none(sentence: str) -> None:
    weight = partial(Ranker.shipped().rarity, language="en")
    asked = Question.read("Who was it?", language="en", weight=weight)
    given = candidates(asked, sentence, language="en", weight=weight)
    assert given.rows.shape == (len(given.spans), len(NAMES))
    assert np.isfinite(given.rows).all()
    assert all(0 <= span.start < span.end <= len(sentence) for span in given.spans)
    assert len(set(given.spans)) == len(given.spans)


def test_spans_of_an_answer_stand_where_they_say() -> None:
    passage = AnswerPassage("p", f"The cafeteria opens at eight o'clock. {HANDBOOK} Parking is free.", "en")
    answer = answer_from_passages(question="Who approved the travel request?", passages=[passage])
    span = answer.sentences[0].span
    assert span is not None
    assert passage.text[span.start : span.end] == span.text
    assert answer.sentences[0].start <= span.start < span.end <= answer.sentences[0].end
    assert 0 < span.probability <= 1


def test_the_trained_file_says_where_it_comes_from_and_is_small() -> None:
    stored = json.loads(SPANS_FILE.read_text(encoding="utf-8"))
    said = stored["provenance"]
    assert {source["name"] for source in said["sources"]} == {"squadshifts-wiki", "mlqa-de-dev"}
    assert all(source["licence"] and source["origin"] for source in said["sources"])
    assert (said["seeds"], said["questions"]) == ([0, 1, 2, 3], 8450)
    assert said["command"].startswith("python manage.py train_answer_ranker --train-spans")
    assert SPANS_FILE.stat().st_size < 100_000
    with pytest.raises(ValueError, match="other features"):
        SpanRanker({**stored, "features": [*NAMES, "more"]})


@pytest.mark.skipif(
    not COLLECTIONS, reason="CHATSYSTEM_TEST_COLLECTIONS names no folder with retrieval/xquad-a"
)
def test_the_trained_file_scores_what_it_did() -> None:
    from apps.elyza.answering.datasets import Collection
    from apps.elyza.answering.span_training import lessons_of

    collection = Collection.read(Path(COLLECTIONS) / "retrieval" / "xquad-a")
    ranker = SpanRanker.shipped()
    exact: dict[str, list[bool]] = {"de": [], "en": []}
    shared: dict[str, list[float]] = {"de": [], "en": []}
    for lesson in lessons_of(collection):
        chosen, _span = ranker.choose(lesson.found)
        exact[lesson.language].append(bool(lesson.f1[chosen] >= 0.999))
        shared[lesson.language].append(float(lesson.f1[chosen]))
    assert {language: round(float(np.mean(own)), 2) for language, own in exact.items()} == {
        "de": 0.26,
        "en": 0.42,
    }
    assert {language: round(float(np.mean(own)), 2) for language, own in shared.items()} == {
        "de": 0.43,
        "en": 0.56,
    }
