"""An answer in stages: hits by words, all hits, text, badges; each with the rights of its moment, none of it lost."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.test import AsyncClient

from apps.accounts.models import Member
from apps.accounts.types import Principal
from apps.agents import presenting
from apps.agents.handlers import answer_when_asked
from apps.agents.models import Answer
from apps.agents.selectors import answers as selectors
from apps.agents.services import answers, assistants, finding, writing
from apps.agents.services.erasing import erase_quotes_of
from apps.agents.types import Outcome
from apps.chat.models import Message
from apps.chat.services import members
from apps.core import tenancy
from apps.core.data_subjects import Person
from apps.elyza.services import encoder
from apps.rag.handlers import index_message
from apps.rag.models import Chunk, SearchTrace
from apps.rag.selectors.traces import get_search
from apps.runs.models import Run
from tests.agents.test_answers import answer, index_all, told
from tests.agents.test_safety import frames, use_model  # noqa: F401 - a fixture
from tests.chat.world import World, make_world
from tests.factories.accounts import MemberFactory, api_key, principal_of
from tests.llm.model_server import answer as says
from tests.llm.model_server import model_server

FACT = "Das Getriebeöl wird alle 18 Monate gewechselt, spätestens nach 12.000 Betriebsstunden."
QUESTION = "Wie oft wird das Getriebeöl gewechselt?"
PLAN = "Der Umzug nach Emden ist am 4. Mai geplant."
MOVE = "Wann ist der Umzug nach Emden geplant?"


@pytest.fixture
def scene(world: World) -> tuple[World, Principal, Principal]:
    """Ada and Ben work; one channel of both names the fact, a private one the plan."""
    assistants.ensure_assistant(organization_id=world.organization.pk)
    ada, ben = world.person("Ada"), world.person("Ben")
    world.say(ada, world.channel(ada, "betrieb", [ben]), FACT)
    world.say(ada, world.channel(ada, "plan", [ben], is_private=True), PLAN)
    index_all()
    return world, ada, ben


@pytest.fixture
def dead_model(settings: Any) -> Iterator[Callable[[], None]]:
    """A model process that does not answer, from the moment it is asked for."""

    def die() -> None:
        chosen = {"model_url": "unix:///nonexistent/model.sock", "embedding": "minilm"}
        group = settings.CONFIGURATION.model.model_copy(update=chosen)
        settings.CONFIGURATION = replace(settings.CONFIGURATION, model=group)

    encoder.forget_queries()
    yield die
    encoder.forget_queries()


def kinds(row: Answer) -> list[str]:
    return [kind for kind, _ in frames(row)]


def hits(row: Answer) -> list[dict[str, Any]]:
    return [data for kind, data in frames(row) if kind == "hits"]


def test_hits_by_words_come_first_then_all_then_the_answer_then_its_badges(scene) -> None:
    _, _, ben = scene
    row = answer(answers.ask(principal=ben, question=QUESTION))
    assert kinds(row) == [
        "status", "status", "hits", "hits", "status", "delta", "citation", "answer", "support", "run.finished",
    ]  # fmt: skip
    by_words, found = hits(row)
    assert (by_words["stage"], by_words["words_only"]) == ("words", True)
    assert (found["stage"], found["words_only"]) == ("found", False)
    (hit,) = by_words["hits"]
    assert FACT.startswith(hit["snippet"][:40])
    body = Message.objects.get(pk=hit["source"]).body
    assert body[hit["start"] : hit["end"]] == FACT
    assert hit["url"].endswith(f"{hit['source']}/")
    support = dict(frames(row))["support"]["claims"]
    assert support == row.claims
    assert [claim["support"] for claim in support] == ["supported"]


def test_the_exact_answer_is_marked_in_the_sentence_that_holds_it(scene) -> None:
    world, ada, ben = scene
    spoken = "Die   Prüfung\nleitet seit 2019 Anna Petersen, siehe [2]."
    world.say(ada, world.channel(ada, "leitung", [ben]), spoken)
    index_all()
    row = answer(answers.ask(principal=ben, question="Wer leitet die Prüfung?"))
    (claim,) = [one for one in row.claims if one["answer"]]
    assert row.body[claim["start"] : claim["end"]] == "Die Prüfung leitet seit 2019 Anna Petersen, siehe (2)."
    first, last = claim["answer"]
    assert row.body[first:last] == "Anna Petersen"
    (shown,) = [
        one for part in presenting.paragraphs(row.body, [1, 2], row.claims) for one in part if one.answer
    ]
    assert shown.parts == ("Die Prüfung leitet seit 2019 ", "Anna Petersen", ", siehe (2).")


def test_each_sentence_carries_the_place_that_supports_it(scene, use_model) -> None:  # noqa: F811
    _, _, ben = scene
    with model_server([says("Das Getriebeöl wechselt man alle 18 Monate [1].")]) as server:
        use_model(server.base_url)
        row = answer(answers.ask(principal=ben, question=QUESTION))
    (claim,) = row.claims
    assert row.body[claim["start"] : claim["end"]] == "Das Getriebeöl wechselt man alle 18 Monate"
    assert (claim["numbers"], claim["support"]) == ([1], "supported")
    (evidence,) = claim["evidence"]
    assert Message.objects.get(pk=evidence["source"]).body[evidence["start"] : evidence["end"]] == FACT
    assert row.sources[0]["citation"]["quote"] == FACT


@pytest.mark.parametrize(
    ("written", "support"),
    [
        ("Das Getriebeöl wird alle 19 Monate gewechselt [1].", "unsupported"),
        ("Das Getriebeöl wird nie alle 18 Monate gewechselt [1].", "unsupported"),
        ("Frau Petersen wechselt das Getriebeöl alle 18 Monate [1].", "unsupported"),
        ("Das Getriebeöl wird alle 18 Monate gewechselt [7].", "unsupported"),
        ("Das Getriebeöl wird alle 18 Monate gewechselt [0].", "unsupported"),
        ("Das Getriebeöl wird alle 18 Monate gewechselt [-1].", "unsupported"),
        ("Das Getriebeöl wird alle 18 Monate gewechselt.", "unsupported"),
        (
            "Das Getriebeöl wird alle 18 Monate gewechselt, den Filter ersetzt dabei der Lieferant [1].",
            "partly",
        ),
    ],
)
def test_what_a_model_makes_up_is_said_and_never_silent(scene, use_model, written: str, support: str) -> None:  # noqa: F811
    _, _, ben = scene
    with model_server([says(written)]) as server:
        use_model(server.base_url)
        row = answer(answers.ask(principal=ben, question=QUESTION))
    (claim,) = row.claims
    assert claim["support"] == support
    assert 'class="claim-note"' in row.html
    assert all(number <= len(row.sources) for number in claim["numbers"])


def test_a_model_cannot_cite_what_the_asker_may_not_see(scene, use_model) -> None:  # noqa: F811
    world, ada, ben = scene
    secret = "Das Codewort für das Getriebeöl lautet Kormoran."
    world.say(ada, world.channel(ada, "geheim", is_private=True), secret)
    index_all()
    claims = " ".join(
        f"Das Codewort für das Getriebeöl lautet Kormoran [{number}]." for number in range(1, 10)
    )
    with model_server([says(claims)]) as server:
        use_model(server.base_url)
        row = answer(answers.ask(principal=ben, question="Wie lautet das Codewort für das Getriebeöl?"))
        prompt = json.dumps(server.requests[0], ensure_ascii=False)
    assert secret not in prompt + json.dumps([row.read, row.sources, hits(row)], ensure_ascii=False)
    assert {claim["support"] for claim in row.claims} == {"unsupported"}


def test_without_the_model_process_the_hits_by_words_stay_and_it_is_said(scene, dead_model) -> None:
    _, _, ben = scene
    dead_model()
    row = answer(answers.ask(principal=ben, question=QUESTION))
    by_words, found = hits(row)
    assert by_words["hits"] == found["hits"]
    assert found["words_only"]
    assert (row.outcome, row.words_only) == (Outcome.EXCERPT, True)
    assert [claim["support"] for claim in row.claims] == ["supported"]


def test_who_loses_a_source_between_the_stages_gets_nothing_of_it(scene, monkeypatch) -> None:
    _, ada, ben = scene
    plan = Message.objects.get(body=PLAN).conversation_id
    find = finding.find

    def find_and_lose(task: finding.Task, asking: finding.Asking) -> finding.Found:
        found = find(task, asking)
        if found.hits:
            members.remove_person(principal=ada, conversation_id=plan, person_id=ben.id)
        return found

    monkeypatch.setattr(finding, "find", find_and_lose)
    row = answer(answers.ask(principal=ben, question=MOVE))
    assert row.searched_again
    assert row.outcome == Outcome.NOTHING
    assert "Mai" not in row.body + str(row.sources) + str(row.read)
    assert "delta" not in kinds(row)


def test_what_was_written_is_taken_back_when_a_source_is_lost_meanwhile(scene, monkeypatch) -> None:
    _, ada, ben = scene
    plan = Message.objects.get(body=PLAN).conversation_id
    write = writing.write

    def write_and_lose(*args: Any, **options: Any) -> Iterator[Any]:
        yield from list(write(*args, **options))[:1]
        pieces = list(write(*args, **options))
        if len(pieces) > 1:
            members.remove_person(principal=ada, conversation_id=plan, person_id=ben.id)
        yield pieces[-1]

    monkeypatch.setattr(writing, "write", write_and_lose)
    row = answer(answers.ask(principal=ben, question=MOVE))
    assert (row.outcome, row.sources, row.claims, row.read) == (Outcome.NOTHING, [], [], [])
    assert "Mai" not in row.body + row.html
    after = kinds(row)[kinds(row).index("delta") + 1 :]
    assert after == [
        "restarted", "status", "hits", "hits", "status", "answer", "support", "run.finished",
    ]  # fmt: skip


def test_no_sentence_is_made_of_two_messages(scene) -> None:
    world, ada, ben = scene
    channel = world.channel(ada, "lager", [ben])
    world.say(ada, channel, "Morgen bin ich erst ab zehn da")
    said = world.say(ada, channel, "Der Schlüssel zum Lager liegt bei Frau Kessler")
    world.say(ada, channel, "@Lotse wo liegt der Schlüssel zum Lager?")
    index_all()
    row = answer(answers.ask(principal=ben, question="Wo liegt der Schlüssel zum Lager?"))
    assert row.body == "Der Schlüssel zum Lager liegt bei Frau Kessler [1]"
    citation = row.sources[0]["citation"]
    assert (citation["source"], citation["start"]) == (str(said.id), 0)
    assert citation["quote"] == "Der Schlüssel zum Lager liegt bei Frau Kessler"


def test_a_passage_that_goes_on_while_it_is_read_is_not_lost(scene, monkeypatch) -> None:
    """Who asks right after having said something, or goes on talking, makes its passage a new one."""
    world, ada, ben = scene
    channel = world.channel(ada, "lager", [ben])
    world.say(ada, channel, "Der Schlüssel zum Lager liegt bei Frau Kessler")
    index_all()
    write = writing.write

    def write_and_go_on(*args: Any, **options: Any) -> Iterator[Any]:
        *pieces, last = write(*args, **options)
        before = set(Chunk.objects.values_list("pk", flat=True))
        index_message(told(world.say(ada, channel, "Und das Werkzeug im Keller").id))
        assert before - set(Chunk.objects.values_list("pk", flat=True))
        yield from [*pieces, last]

    monkeypatch.setattr(writing, "write", write_and_go_on)
    row = answer(answers.ask(principal=ben, question="Wo liegt der Schlüssel zum Lager?"))
    assert row.outcome == Outcome.EXCERPT
    assert row.body == "Der Schlüssel zum Lager liegt bei Frau Kessler [1]"


def test_in_a_conversation_every_stage_shows_only_what_all_readers_may_see(scene) -> None:
    world, ada, ben = scene
    world.say(
        ada, world.channel(ada, "geheim", is_private=True), "Das Codewort der Leitwarte lautet Kormoran."
    )
    index_all()
    asked = world.say(
        ada, world.channel(ada, "fragen", [ben]), "@Lotse Wie lautet das Codewort der Leitwarte?"
    )
    answer_when_asked(told(asked.id))
    row = answer(selectors.view_of(Answer.objects.get()))
    assert "Kormoran" not in json.dumps(frames(row))


def test_what_was_left_out_is_kept_with_the_search_and_with_the_run(scene) -> None:
    world, ada, ben = scene
    owner = world.person("Olga", role="owner")
    elsewhere = world.channel(ada, "doppelt", [ben])
    world.say(ben, elsewhere, FACT)
    for number in range(9):
        sender = ben if number % 2 else ada
        world.say(
            sender,
            elsewhere,
            f"Getriebeöl {number}: Turm {number * 17} meldet Öldruck {number * 31} und Ruhe.",
        )
    index_all()
    row = answer(answers.ask(principal=ben, question=QUESTION))
    result = Run.objects.get(pk=row.run_id).result
    assert result["passages"] <= finding.PASSAGES
    assert result["tokens"] <= result["budget_tokens"]
    assert result["not_given"]["twice"] == 1
    assert len(row.read) == result["passages"] + result["neighbours"]
    assert len({json.dumps(one, sort_keys=True) for one in row.read}) == len(row.read)
    kept = get_search(owner, SearchTrace.objects.get(searcher_id=ben.id).pk)
    reasons = [str(hit.left_out) for hit in kept.hits]
    assert reasons.count("") == kept.counts["given"] == result["passages"]
    assert reasons.count("twice") == 1


def test_what_is_known_about_its_sentences_goes_with_the_texts_an_answer_quotes(scene) -> None:
    world, ada, ben = scene
    row = answer(answers.ask(principal=ben, question=QUESTION))
    assert row.claims[0]["evidence"]
    person = Person(
        organization_id=world.organization.pk,
        id=ada.id,
        member_id=ada.member_id,
        name="Ada",
        email="",
        placeholder_id=ben.id,
        placeholder_member_id=ben.member_id,
        leaves_for_good=False,
    )
    erase_quotes_of(person, None)
    row.refresh_from_db()
    assert (row.claims, row.sources, row.read) == ([], [], [])
    assert "18 Monate" not in row.body + row.html


@pytest.fixture
async def closing_thread() -> AsyncIterator[None]:
    """Close the connection of the thread in which the views of an async test ran."""
    yield
    await sync_to_async(connections.close_all)()


def _answered() -> tuple[Member, Answer]:
    world = make_world()
    with tenancy.use(world.organization.pk):
        assistants.ensure_assistant(organization_id=world.organization.pk)
        member = MemberFactory(organization=world.organization, name="Ada")
        ada = principal_of(member)
        world.say(ada, world.channel(ada, "betrieb"), FACT)
        index_all()
        return member, answer(answers.ask(principal=ada, question=QUESTION))


async def _told(secret: str, run_id: object, last: int) -> list[str]:
    headers = {"Authorization": f"Bearer {secret}", "Last-Event-ID": str(last)}
    response = await AsyncClient().get(f"/api/v1/runs/{run_id}/events", headers=headers)
    return [part.decode() async for part in response]  # type: ignore[attr-defined]  # an async iterable here


@pytest.mark.django_db(transaction=True)
async def test_the_stages_are_told_again_from_any_id_without_gap_or_double(closing_thread: None) -> None:
    member, row = await sync_to_async(_answered)()
    secret = (await sync_to_async(api_key)(member)).secret
    whole = await _told(secret, row.run_id, 0)
    names = [part.split("\n")[1].removeprefix("event: ") for part in whole]
    assert names == [
        "status", "status", "hits", "hits", "status", "delta", "citation", "answer", "support", "run.finished",
    ]  # fmt: skip
    for last in range(len(whole)):
        assert await _told(secret, row.run_id, last) == whole[last:]
