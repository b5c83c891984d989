"""Asking, being mentioned, stopping and asking again; and what an answer may never show."""

from __future__ import annotations

from uuid import UUID

import pytest

from apps.accounts.types import Principal
from apps.agents.errors import AnswerNotFound, QuestionInvalid, StillWriting
from apps.agents.handlers import answer_when_asked, answer_when_asked_by_an_edit
from apps.agents.models import Agent, Answer
from apps.agents.selectors import answers as selectors
from apps.agents.services import answering, answers, assistants
from apps.agents.types import AnswerState, AnswerView, Outcome
from apps.chat.events import MessageSent
from apps.chat.models import Message
from apps.chat.services.messages import edit_message
from apps.core.events import types as event_types
from apps.core.models import Event
from apps.rag.handlers import index_message
from apps.rag.models import SearchTrace
from apps.rag.selectors.explaining import explained_hit
from apps.rag.services import embedding
from apps.runs.services.working import work_on
from tests.chat.world import World, make_world

FACT = "Das Getriebeöl wird alle 18 Monate gewechselt, spätestens nach 12.000 Betriebsstunden."
SECRET = "Das Codewort für die Leitwarte lautet Kormoran."


def index_all() -> None:
    """Let the index hear of everything that was said."""
    rows = Event.objects.filter(type="message.sent").order_by("id")
    for row in rows.values():
        event = event_types.restore(row)
        assert isinstance(event, MessageSent)
        index_message(event)
    embedding.refresh_terms()


def told(message_id: UUID) -> MessageSent:
    """Return the event of a message."""
    row = Event.objects.filter(type="message.sent", payload__message__id=str(message_id)).values().get()
    event = event_types.restore(row)
    assert isinstance(event, MessageSent)
    return event


def answer(view: AnswerView) -> Answer:
    """Let the run work and return the answer."""
    assert view.run_id is not None
    work_on(run_id=view.run_id)
    return Answer.objects.get(pk=view.id)


@pytest.fixture
def scene(world: World) -> tuple[World, Principal, Principal, Principal]:
    """Ada and Ben work, Gast is a guest; one open and one private channel say something."""
    assistants.ensure_assistant(organization_id=world.organization.pk)
    ada, ben, guest = world.person("Ada"), world.person("Ben"), world.person("Gast", role="guest")
    world.say(ada, world.channel(ada, "betrieb", [ben]), FACT)
    world.say(ada, world.channel(ada, "geheim", is_private=True), SECRET)
    index_all()
    return world, ada, ben, guest


def test_a_question_is_answered_with_the_sentence_and_its_source(scene) -> None:
    _, _, ben, _ = scene
    row = answer(answers.ask(principal=ben, question="Wie oft wird das Getriebeöl gewechselt?"))
    assert (row.state, row.outcome) == (AnswerState.DONE, Outcome.EXCERPT)
    assert "18 Monate" in row.body
    (source, *_) = row.sources
    citation = source["citation"]
    body = Message.objects.get(pk=citation["source"]).body
    assert body[citation["start"] : citation["end"]] == citation["quote"]
    assert 'class="cite"' in row.html


@pytest.mark.parametrize("before", ["", "@**Lotse** ", "@Lotse, ", "@**Ada** "])
def test_a_question_asked_before_is_no_source_of_its_answer(world: World, before: str) -> None:
    assistants.ensure_assistant(organization_id=world.organization.pk)
    ada, ben = world.person("Ada"), world.person("Ben")
    asked = [
        world.say(ada, world.channel(ada, name, [ben]), f"{before}Wie oft wird das Getriebeöl gewechselt?")
        for name in ("fragen", "nochmals")
    ]
    world.say(ada, asked[1].conversation_id, f"{before}wie oft wird das Getriebeöl gewechselt")
    fact = world.say(ada, world.channel(ada, "betrieb", [ben]), FACT)
    index_all()
    row = answer(answers.ask(principal=ben, question="wie oft wird das Getriebeöl gewechselt"))
    found = {read["source"] for read in row.read}
    assert str(fact.id) in found
    assert not {str(one.id) for one in asked} & found


@pytest.mark.parametrize(
    ("turns", "is_source"),
    [
        (("Die Boje liegt aus", "@**Lotse** {}"), False),
        (("Die Boje liegt aus", "{}", "@**Lotse** {}"), False),
        (("Das Getriebeöl reicht noch", "{}"), True),
        (("{}", "Zweimal im Jahr."), True),
        (("Die Boje liegt aus", "{}", "Zweimal im Jahr."), True),
    ],
)
def test_what_was_said_beside_a_question_is_a_source_where_it_may_answer(
    world: World, turns: tuple[str, ...], is_source: bool
) -> None:
    assistants.ensure_assistant(organization_id=world.organization.pk)
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "fragen", [ben])
    question = "Wie oft wird das Getriebeöl gewechselt?"
    said = {str(world.say(ada, channel, turn.format(question)).id) for turn in turns}
    fact = world.say(ada, world.channel(ada, "betrieb", [ben]), FACT)
    index_all()
    row = answer(answers.ask(principal=ben, question=question))
    found = {read["source"] for read in row.read}
    assert str(fact.id) in found
    assert bool(said & found) is is_source


def test_the_search_of_an_agent_is_kept_for_its_asker(scene) -> None:
    _, _, ben, _ = scene
    question = "-Wie oft wird das Getriebeöl gewechselt?"
    row = answer(answers.ask(principal=ben, question=question))
    (kept,) = SearchTrace.objects.all()
    assert (kept.origin, kept.searcher_id, kept.agent_id) == ("agent", ben.id, row.agent.principal_id)
    assert (kept.query, kept.has_grammar) == (question, False)
    assert [hit["source"] for hit in kept.hits] == [read["source"] for read in row.read]
    assert explained_hit(ben, search_id=kept.pk, number=1).hit.text == FACT


def test_a_private_channel_is_in_no_answer_of_others(scene) -> None:
    _, ada, ben, guest = scene
    for person in (ben, guest):
        row = answer(answers.ask(principal=person, question="Wie lautet das Codewort für die Leitwarte?"))
        assert "Kormoran" not in row.body + str(row.sources) + str(row.read)
    own = answer(answers.ask(principal=ada, question="Wie lautet das Codewort für die Leitwarte?"))
    assert "Kormoran" in own.body


def test_nothing_found_is_an_answer(scene) -> None:
    _, _, ben, _ = scene
    row = answer(answers.ask(principal=ben, question="Wer gewann 1954 die Weltmeisterschaft im Fußball?"))
    assert row.outcome == Outcome.NOTHING
    assert all(not source["used"] for source in row.sources)


@pytest.mark.parametrize("question", ["", "   ", "x" * 2001])
def test_a_question_has_a_length(scene, question: str) -> None:
    _, _, ben, _ = scene
    with pytest.raises(QuestionInvalid):
        answers.ask(principal=ben, question=question)
    assert not Answer.objects.exists()


def test_a_mention_is_answered_once_in_its_thread(scene) -> None:
    world, ada, ben, _ = scene
    channel = world.channel(ada, "fragen", [ben])
    asked = world.say(ben, channel, "@Lotse Wie oft wird das Getriebeöl gewechselt?")
    for _ in range(2):
        answer_when_asked(told(asked.id))
    (row,) = Answer.objects.all()
    row = answer(selectors.view_of(row))
    message = Message.objects.get(pk=row.message_id)
    assert message.thread_id == asked.id
    assert message.body == row.body
    assert message.card["data"]["state"] == "done"


def test_a_mention_with_too_long_a_question_is_told_so_once_and_not_cut(scene) -> None:
    world, ada, ben, _ = scene
    channel = world.channel(ada, "fragen", [ben])
    words = "Wie oft wird das Getriebeöl der Anlage gewechselt? " * 50
    asked = world.say(ben, channel, f"@Lotse {words}")
    for _ in range(2):
        answer_when_asked(told(asked.id))
    assert not Answer.objects.exists()
    (said,) = Message.objects.filter(thread_id=asked.id)
    assert said.body == "Eine Frage hat 1 bis 2000 Zeichen."
    edit_message(principal=ben, message_id=asked.id, body="Wie oft?")
    edit_message(principal=ben, message_id=asked.id, body="@Lotse Wie oft wird das Getriebeöl gewechselt?")
    row = Event.objects.filter(type="message.edited").order_by("id").values().last()
    answer_when_asked_by_an_edit(event_types.restore(row))
    assert answer(selectors.view_of(Answer.objects.get())).outcome == Outcome.EXCERPT


def test_who_only_names_the_agent_asks_what_the_thread_begins_with(scene) -> None:
    world, ada, ben, _ = scene
    channel = world.channel(ada, "fragen", [ben])
    first = world.say(ada, channel, "Wie oft wird das Getriebeöl gewechselt?")
    named = world.say(ben, channel, "@Lotse", thread=first.id)
    answer_when_asked(told(named.id))
    row = Answer.objects.get()
    assert (row.question, row.asker_id, row.thread_id) == (
        "Wie oft wird das Getriebeöl gewechselt?", ben.id, first.id,
    )  # fmt: skip
    assert answer(selectors.view_of(row)).outcome == Outcome.EXCERPT


def test_who_only_names_the_agent_elsewhere_is_asked_what_they_want_once(scene) -> None:
    world, ada, ben, _ = scene
    channel = world.channel(ada, "fragen", [ben])
    named = world.say(ben, channel, "@Lotse,")
    for _ in range(2):
        answer_when_asked(told(named.id))
    (said,) = Message.objects.filter(thread_id=named.id)
    assert said.body.startswith("What would you like to know?")
    below = world.say(ben, channel, "@Lotse", thread=named.id)  # nothing is asked above either
    answer_when_asked(told(below.id))
    assert Message.objects.filter(thread_id=named.id, sender_id=said.sender_id).count() == 2
    assert not Answer.objects.exists()


def test_a_mention_that_an_edit_adds_is_answered_once(scene) -> None:
    world, ada, ben, _ = scene
    channel = world.channel(ada, "fragen", [ben])
    asked = world.say(ben, channel, "Wie oft wird das Getriebeöl gewechselt?")
    answer_when_asked(told(asked.id))
    for body in (
        "Wie oft wird das Öl gewechselt?",
        "@Lotse Wie oft wird das Getriebeöl gewechselt?",
        "@Lotse Wie oft?",
    ):
        edit_message(principal=ben, message_id=asked.id, body=body)
        row = Event.objects.filter(type="message.edited").order_by("id").values().last()
        answer_when_asked_by_an_edit(event_types.restore(row))
        answer_when_asked_by_an_edit(event_types.restore(row))
    (row,) = Answer.objects.all()
    assert (row.asker_id, row.question) == (ben.id, "Wie oft wird das Getriebeöl gewechselt?")
    assert answer(selectors.view_of(row)).outcome == Outcome.EXCERPT


def test_an_answer_in_a_channel_uses_only_what_all_its_readers_may_see(scene) -> None:
    world, ada, ben, _ = scene
    channel = world.channel(ada, "fragen", [ben])
    asked = world.say(ada, channel, "@Lotse Wie lautet das Codewort für die Leitwarte?")
    answer_when_asked(told(asked.id))
    row = answer(selectors.view_of(Answer.objects.get()))
    assert "Kormoran" not in row.body + str(row.sources)
    assert row.left_out


def test_what_an_agent_writes_starts_nothing(scene) -> None:
    world, ada, _, _ = scene
    agent = Agent.objects.get()
    event = told(world.say(ada, world.channel(ada, "fragen"), "@Lotse hallo?").id)
    event.message["sender"]["kind"] = "agent"
    answer_when_asked(event)
    assert not Answer.objects.filter(agent=agent).exists()


def test_a_stopped_answer_stays_stopped_and_can_be_asked_again(scene) -> None:
    _, _, ben, _ = scene
    view = answers.ask(principal=ben, question="Wie oft wird das Getriebeöl gewechselt?")
    with pytest.raises(StillWriting):
        answers.regenerate(principal=ben, answer_id=view.id)
    answers.stop(principal=ben, answer_id=view.id)
    answering.end_unfinished(run_id=view.run_id, is_cancelled=True)
    assert Answer.objects.get(pk=view.id).state == AnswerState.STOPPED
    again = answer(answers.regenerate(principal=ben, answer_id=view.id))
    assert again.regenerated_from == view.id
    assert again.state == AnswerState.DONE
    assert Answer.objects.get(pk=view.id).state == AnswerState.STOPPED


def test_an_answer_is_invisible_to_others_and_to_other_organizations(scene) -> None:
    _, ada, ben, _ = scene
    view = answers.ask(principal=ben, question="Wie oft wird das Getriebeöl gewechselt?")
    stranger = make_world("andere").person("Eve", role="owner")
    for person in (ada, stranger):
        with pytest.raises(AnswerNotFound):
            selectors.get_answer(person, view.id)
        with pytest.raises(AnswerNotFound):
            answers.stop(principal=person, answer_id=view.id)


def test_losing_access_before_the_run_works_shows_nothing(scene) -> None:
    from apps.chat.services import members

    world, ada, ben, _ = scene
    private = world.channel(ada, "plan", [ben], is_private=True)
    world.say(ada, private, "Der Umzug nach Emden ist am 4. Mai geplant.")
    index_all()
    view = answers.ask(principal=ben, question="Wann ist der Umzug nach Emden geplant?")
    members.remove_person(principal=ada, conversation_id=private, person_id=ben.id)
    row = answer(view)
    assert "Mai" not in row.body + str(row.sources) + str(row.read)
