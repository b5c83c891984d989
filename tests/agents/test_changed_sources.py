"""A source that is edited or deleted while an answer is written: searched once more, and never for ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest

from apps.accounts.types import Principal
from apps.agents.services import answers, assistants, writing
from apps.agents.types import Outcome
from apps.chat.models import Message
from apps.chat.services.messages import delete_message, edit_message
from apps.core.events import types as event_types
from apps.core.models import Event
from apps.rag.handlers import index_message
from apps.runs.models import Run
from tests.agents.test_answers import answer, index_all, told
from tests.agents.test_stages import FACT, QUESTION, kinds
from tests.chat.world import World


@pytest.fixture
def scene(world: World) -> tuple[World, Principal, Principal]:
    """Ada and Ben work; a channel of both names the fact."""
    assistants.ensure_assistant(organization_id=world.organization.pk)
    ada, ben = world.person("Ada"), world.person("Ben")
    world.say(ada, world.channel(ada, "betrieb", [ben]), FACT)
    index_all()
    return world, ada, ben


def write_and_then(monkeypatch: pytest.MonkeyPatch, act: Callable[[int], None]) -> list[int]:
    """Let something happen between the text of an answer and its end; return the attempts that were made.

    Args:
        act: gets the number of the attempt, from 1.
    """
    write, made = writing.write, list[int]()

    def write_then_act(*args: Any, **options: Any) -> Iterator[Any]:
        *pieces, last = write(*args, **options)
        yield from pieces
        made.append(len(made) + 1)
        act(made[-1])
        yield last

    monkeypatch.setattr(writing, "write", write_then_act)
    return made


def change(principal: Principal, message_id: UUID, body: str) -> None:
    """Edit a message, and let the index hear of it."""
    edit_message(principal=principal, message_id=message_id, body=body)
    row = Event.objects.filter(type="message.edited").order_by("id").values().last()
    index_message(event_types.restore(row))


def test_an_answer_whose_source_is_edited_meanwhile_is_taken_from_what_it_says_now(
    scene, monkeypatch
) -> None:
    _, ada, ben = scene
    source = Message.objects.get(body=FACT).pk
    made = write_and_then(
        monkeypatch,
        lambda attempt: change(ada, source, FACT.replace("18", "24")) if attempt == 1 else None,
    )
    row = answer(answers.ask(principal=ben, question=QUESTION))
    assert (made, row.searched_again, row.outcome) == ([1, 2], True, Outcome.EXCERPT)
    assert "24 Monate" in row.body
    assert kinds(row) == [
        "status", "status", "hits", "hits", "status", "delta", "restarted",
        "status", "hits", "hits", "status", "delta", "citation", "answer", "support", "run.finished",
    ]  # fmt: skip
    assert Run.objects.get(pk=row.run_id).state == "succeeded"


def test_an_answer_whose_source_is_deleted_meanwhile_is_taken_from_another_one(scene, monkeypatch) -> None:
    world, ada, ben = scene
    other = "Wir wechseln das Getriebeöl inzwischen alle 30 Monate."
    source = Message.objects.get(body=FACT)

    def replace_source(attempt: int) -> None:
        if attempt == 1:
            delete_message(principal=ada, message_id=source.pk)
            index_message(told(world.say(ada, source.conversation_id, other).id))

    made = write_and_then(monkeypatch, replace_source)
    row = answer(answers.ask(principal=ben, question=QUESTION))
    assert (made, row.outcome) == ([1, 2], Outcome.EXCERPT)
    assert "30 Monate" in row.body


def test_sources_that_change_all_the_time_are_searched_twice_and_not_for_ever(scene, monkeypatch) -> None:
    _, ada, ben = scene
    source = Message.objects.get(body=FACT).pk
    made = write_and_then(
        monkeypatch, lambda attempt: change(ada, source, FACT.replace("18", str(20 + attempt)))
    )
    row = answer(answers.ask(principal=ben, question=QUESTION))
    assert (made, row.outcome, row.sources) == ([1, 2], Outcome.NOTHING, [])
    assert kinds(row)[-4:] == ["restarted", "answer", "support", "run.finished"]


def test_where_nothing_was_lost_nothing_is_searched_again(scene, monkeypatch) -> None:
    _, _, ben = scene
    made = write_and_then(monkeypatch, lambda attempt: None)
    row = answer(answers.ask(principal=ben, question="Wer gewann 1954 die Weltmeisterschaft im Fußball?"))
    assert (made, row.outcome, row.searched_again) == ([1], Outcome.NOTHING, False)
