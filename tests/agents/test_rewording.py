"""An answer whose search found little asks the model for other words first, and searches once more with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from apps.accounts.types import Principal
from apps.agents.services import answers, assistants
from apps.agents.types import Outcome
from apps.llm.models import UsageEntry
from apps.rag.models import SearchTrace
from tests.agents.test_answers import answer, index_all
from tests.agents.test_safety import (
    frames,
    use_model,  # noqa: F401 - a fixture
)
from tests.agents.test_stages import kinds
from tests.chat.world import World
from tests.llm.model_server import answer as says
from tests.llm.model_server import model_server, refusal

FACT = "Die Freistellung beantragt man im Sekretariat."
SECRET = "Die Freistellung der Leitung ist geheim."
QUESTION = "Wie reiche ich Ferienwünsche ein?"
WORDS = '{"Ferienwünsche": ["Freistellung"]}'


@pytest.fixture
def scene(world: World, settings: Any) -> tuple[World, Principal]:
    """Ada and Ben work; a channel of both names the fact in other words, a private one a secret. A weak search asks."""
    assistants.ensure_assistant(organization_id=world.organization.pk)
    ada, ben = world.person("Ada"), world.person("Ben")
    world.say(ada, world.channel(ada, "betrieb", [ben]), FACT)
    world.say(ada, world.channel(ada, "leitung", is_private=True), SECRET)
    index_all()
    group = settings.CONFIGURATION.search.model_copy(update={"search_rewriting": True})
    settings.CONFIGURATION = replace(settings.CONFIGURATION, search=group)
    return world, ben


def test_a_question_in_other_words_than_the_sources_is_answered(
    scene: tuple[World, Principal],
    use_model: Callable[[str], None],  # noqa: F811
) -> None:
    _, ben = scene
    with model_server([says(WORDS), says("Man beantragt die Freistellung im Sekretariat [1].")]) as server:
        use_model(server.base_url)
        row = answer(answers.ask(principal=ben, question=QUESTION))
        asked = str(server.requests)
    assert (row.outcome, row.sources[0]["citation"]["quote"]) == (Outcome.MODEL, FACT)
    assert SECRET not in asked + str(row.read) + str(frames(row))
    stages = [data["stage"] for kind, data in frames(row) if kind == "status"]
    assert stages == ["Waiting", "Searching", "Rewording", "Reading"]
    assert sorted(UsageEntry.objects.values_list("purpose", "principal_id", "run_id")) == [
        ("answer", ben.id, row.run_id), ("rewrite", ben.id, row.run_id)
    ]  # fmt: skip
    kept = SearchTrace.objects.get()
    assert [(one["term"], one["kind"]) for one in kept.synonyms] == [("Freistellung", "suggested")]
    assert [name for name, _ in kept.stages][-1] == "rewriting"


def test_a_model_that_names_no_words_changes_nothing(
    scene: tuple[World, Principal],
    use_model: Callable[[str], None],  # noqa: F811
) -> None:
    _, ben = scene
    with model_server([refusal(400)]) as server:
        use_model(server.base_url)
        row = answer(answers.ask(principal=ben, question=QUESTION))
    assert row.outcome == Outcome.NOTHING
    assert SearchTrace.objects.get().synonyms == []


def test_a_question_in_the_words_of_its_source_asks_for_no_others(
    scene: tuple[World, Principal],
    use_model: Callable[[str], None],  # noqa: F811
) -> None:
    _, ben = scene
    with model_server([says("Im Sekretariat [1].")]) as server:
        use_model(server.base_url)
        row = answer(answers.ask(principal=ben, question="Wo beantragt man die Freistellung im Sekretariat?"))
    assert row.outcome == Outcome.MODEL
    assert "Rewording" not in str(frames(row))
    assert kinds(row).count("status") == 3
