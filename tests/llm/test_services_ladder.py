"""The ladder says which rung wrote; it changes rungs only while nothing was said."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import numpy as np
import pytest

from apps.llm.models import DailyUsage, UsageEntry
from apps.llm.services.embedding import embed
from apps.llm.services.ladder import answer_stream
from apps.llm.types import Answered, AnswerPassage, Caller, ChatMessage, Completion, Rung, TextDelta, Trouble
from tests.llm.model_server import HEAD, Step, answer, chunk, model_server, refusal

UseLlm = Callable[..., None]
TEXT = "The cafeteria opens at eight. Guest passwords are reset at the service desk. Parking is free."
PASSAGES = [AnswerPassage("p1", TEXT, "en")]
QUESTION = "Where are guest passwords reset?"


def run(*, text: str = QUESTION) -> tuple[str, Answered]:
    wanted = Completion([ChatMessage("user", text)], Caller("answer"), timeout_seconds=5, budget_tokens=50)
    *deltas, end = answer_stream(completion=wanted, question=QUESTION, passages=PASSAGES)
    assert isinstance(end, Answered)
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)), end


def test_a_configured_model_answers(organization_id: UUID, use_llm: UseLlm) -> None:
    with model_server([answer("At the service desk.")]) as server:
        use_llm(server.base_url, embedding="hashed")
        text, end = run()
    assert (text, end.rung, end.extract, end.passed_over) == ("At the service desk.", Rung.MODEL, None, None)


@pytest.mark.parametrize(
    ("script", "times", "why"),
    [
        (refusal(401), 1, Trouble.REFUSED),
        (refusal(500), 3, Trouble.BUSY),
        ([HEAD, b"data: {broken\n\n"], 1, Trouble.MALFORMED),
    ],
)
def test_a_model_that_fails_at_once_is_replaced_by_the_extract(
    organization_id: UUID, use_llm: UseLlm, script: list[Step], times: int, why: Trouble
) -> None:
    with model_server([script] * times) as server:
        use_llm(server.base_url, embedding="hashed")
        text, end = run()
    assert (text, end.rung, end.passed_over) == ("", Rung.EXTRACTIVE, why)
    assert end.extract is not None
    assert end.extract.sentences[0].text == "Guest passwords are reset at the service desk."


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"llm_base_url": ""}, Trouble.NOT_CONFIGURED),
        ({"llm_daily_tokens": 0}, Trouble.BUDGET_SPENT),
        ({"llm_context_tokens": 10}, Trouble.TOO_LONG),
    ],
)
def test_without_a_model_the_extract_answers_and_says_why(
    organization_id: UUID, use_llm: UseLlm, values: dict[str, object], why: Trouble
) -> None:
    use_llm("http://127.0.0.1:9/v1", embedding="hashed", **values)
    _, end = run()
    assert (end.rung, end.passed_over) == (Rung.EXTRACTIVE, why)
    assert end.extract is not None
    assert end.extract.found


def test_an_answer_that_breaks_off_is_marked_and_not_replaced(organization_id: UUID, use_llm: UseLlm) -> None:
    with model_server([[HEAD, chunk("At the "), "reset"]]) as server:
        use_llm(server.base_url, embedding="hashed")
        text, end = run()
    assert (text, end.rung, end.extract, end.broken) == ("At the ", Rung.MODEL, None, Trouble.UNREACHABLE)


def test_local_vectors_are_in_the_ledger_and_cost_no_budget(organization_id: UUID, use_llm: UseLlm) -> None:
    use_llm("", embedding="hashed")
    made = embed(texts=["one two", "three"], caller=Caller("index"))
    assert made.vectors.shape == (2, 384)
    assert np.linalg.norm(made.vectors, axis=1) == pytest.approx([1, 1], abs=1e-5)
    entry = UsageEntry.objects.get()
    assert (entry.purpose, entry.model, entry.cost) == ("index", "hashed-ngram-v1", 0)
    assert not DailyUsage.objects.exists()
