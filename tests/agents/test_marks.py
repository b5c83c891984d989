"""The exact answer that is marked in its sentence: seldom a wrong one, in sentences of a handbook and of a chat."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

import pytest

from apps.agents.services.wording import from_extract
from apps.elyza.services.answers import answer_from_passages
from apps.llm.types import AnswerPassage
from apps.rag.types import Hit, SourceType, Span
from tests.agents.marking import CASES

LEAST_RIGHT = 0.95  # of the marks
LEAST_MARKED = 0.7  # of the questions that a part of a sentence answers


def marks_in(question: str, text: str, language: str) -> list[str]:
    """Return what is marked in the answer, by words alone."""
    extract = answer_from_passages(
        question=question, passages=[AnswerPassage("1", text, language)], language=language
    )
    body, _sources, marks = from_extract(extract, [passage(text, language)])
    return [body[start:end] for start, end in marks]


def passage(text: str, language: str) -> Hit:
    return Hit(
        chunk=1, source_type=SourceType.DOCUMENT, source=UUID(int=1), scope=UUID(int=2), conversation=None,
        conversation_name="", title="Handbuch", heading="", page=1, span=Span(0, len(text)), boxes=(), text=text,
        snippet=text, snippet_start=0, highlights=(), messages=(), thread=None, author=None, author_name="",
        time=dt.datetime(2026, 1, 2, tzinfo=dt.UTC), language=language, media_type="", is_generated=False, score=1.0,
        words_score=1.0, meaning_score=None, words=(),
    )  # fmt: skip


@pytest.mark.parametrize("language", ["de", "en"])
def test_what_is_marked_is_nearly_always_the_answer(language: str) -> None:
    own = [(question, text, may) for question, text, spoken, may in CASES if spoken == language]
    marked = [
        (question, mark, may) for question, text, may in own for mark in marks_in(question, text, language)
    ]
    wrong = [(question, mark) for question, mark, may in marked if mark not in may]
    answered = {question for question, mark, may in marked if mark in may}
    assert len(wrong) <= (1 - LEAST_RIGHT) * len(marked), wrong
    assert len(answered) >= LEAST_MARKED * sum(bool(may) for _, _, may in own)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Wie oft wird Turm 7 gewartet?", "Turm 7 steht wie geplant für die Wartung."),
        ("Wie viele Türme stehen?", "Turm 7 steht wie geplant für die Wartung."),
        ("Wer wartet Turm 7?", "Turm 7 wird am Donnerstag gewartet."),
        ("When is tower 7 serviced?", "Tower 7 is serviced by Jonas Petersen in Emden."),
        ("Why is tower 7 serviced in Emden?", "Tower 7 is serviced in Emden because the crane is there."),
    ],
)
def test_what_has_another_shape_than_the_question_asks_for_is_not_marked(question: str, text: str) -> None:
    assert marks_in(question, text, "de" if "Turm" in text else "en") == []
