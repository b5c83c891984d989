"""The ask page as people open it: their own questions, answers and sources, and nothing of others."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse
from lxml import html

from apps.accounts.models import Member, Role, User
from apps.accounts.types import Principal
from apps.agents.handlers import answer_when_asked
from apps.agents.models import Agent, Answer
from apps.agents.services import answering, answers, assistants
from apps.agents.types import AnswerState, AnswerView
from apps.chat.services import members
from apps.core.ids import uuid7
from tests.accounts.sessions import open_session
from tests.agents.test_answers import FACT, answer, index_all, told
from tests.agents.test_safety import use_model  # noqa: F401 - a fixture
from tests.chat.world import World
from tests.llm.model_server import answer as says
from tests.llm.model_server import model_server

QUESTION = "Wie oft wird das Getriebeöl gewechselt?"
PLAN = "Der Umzug nach Emden ist am 4. Mai geplant."
MOVE = "Wann ist der Umzug nach Emden geplant?"


class Reader:
    """A person with a browser without scripts."""

    def __init__(self, person: Principal) -> None:
        self.person = person
        self.client = Client()
        self.client.cookies["session"] = open_session(User.objects.get(pk=person.id))

    def url(self, name: str, **which: object) -> str:
        return reverse(f"agents:{name}", kwargs={"slug": self.person.organization_slug, **which})

    def get(self, name: str, *, part: bool = False, **which: object):
        return self.client.get(self.url(name, **which), headers={"HX-Request": "true"} if part else {})

    def page(self, name: str, **which: object) -> html.HtmlElement:
        response = self.get(name, **which)
        assert response.status_code == 200
        return html.fromstring(response.content)

    def post(self, name: str, data: dict[str, str] | None = None, **which: object):
        return self.client.post(self.url(name, **which), data or {})


@pytest.fixture
def people(world: World) -> tuple[World, Reader, Reader, Reader]:
    """Ada, Ben and a guest; an open channel names the fact."""
    assistants.ensure_assistant(organization_id=world.organization.pk)
    ada, ben, guest = world.person("Ada"), world.person("Ben"), world.person("Gast", role="guest")
    world.say(ada, world.channel(ada, "betrieb", [ben]), FACT)
    index_all()
    return world, Reader(ada), Reader(ben), Reader(guest)


def ask(reader: Reader, question: str = QUESTION) -> AnswerView:
    return answers.ask(principal=reader.person, question=question)


def texts(page: html.HtmlElement, path: str) -> list[str]:
    return [" ".join(found.text_content().split()) for found in page.xpath(path)]


def test_a_question_without_script_leads_to_its_answer_and_back(people) -> None:
    _, _, ben, _ = people
    asked = ben.post("ask", {"question": QUESTION})
    row = Answer.objects.get()
    assert (asked.status_code, asked.url) == (302, ben.url("answer", answer_id=row.pk))
    writing = ben.page("answer", answer_id=row.pk)
    (article,) = writing.xpath('//article[contains(@class, "answer")]')
    assert (article.get("aria-busy"), article.get("data-follow")) == ("true", str(row.run_id))
    assert writing.xpath("//noscript//meta[@http-equiv='refresh']")
    assert article.xpath(f'.//form[@action="{ben.url("stop", answer_id=row.pk)}"]')

    row = answer(answers.view_of(row))
    done = ben.page("answer", answer_id=row.pk)
    assert not done.xpath("//*[@aria-busy] | //meta[@http-equiv='refresh']")
    (claim,) = done.xpath('//span[@class="claim"]')
    assert "18 Monate" in claim.text_content()
    (number,) = claim.xpath('.//*[contains(@class, "cite")]')
    assert number.text_content() == "1"
    assert texts(done, '//section[contains(@class, "sources")]//span[@class="cite"]') == ["1"]
    assert "Visible only to you" in "".join(texts(done, '//div[@class="trust"]'))
    assert "Excerpts" in "".join(texts(done, '//div[@class="trust"]'))
    assert done.xpath(f'//form[@action="{ben.url("again", answer_id=row.pk)}"]')


@pytest.mark.parametrize("question", ["", "   ", "x" * 2001, "a\x00b\ud800"])
def test_a_bad_question_is_refused_in_its_form(people, question: str) -> None:
    _, _, ben, _ = people
    body = question.encode("utf-8", "surrogatepass")
    refused = ben.client.post(
        ben.url("ask"), b"question=" + body, content_type="application/x-www-form-urlencoded"
    )
    assert refused.status_code == 422
    field = html.fromstring(refused.content).get_element_by_id("question-error")
    assert field.text_content().strip()
    assert not Answer.objects.exists()


def test_own_questions_are_listed_newest_first_and_no_others(people) -> None:
    _, ada, ben, _ = people
    for reader, question in ((ben, "Erste?"), (ben, "Zweite?"), (ada, "Fremde?")):
        ask(reader, question)
    assert texts(ben.page("ask"), '//nav[@id="list"]//a[contains(@class, "conv")]') == ["Zweite?", "Erste?"]


@pytest.mark.parametrize("role", ["owner", "admin", "moderator", "member", "guest"])
def test_every_role_may_ask_and_sees_the_area(people, role: str) -> None:
    world, *_ = people
    page = Reader(world.person("Jemand", role=role)).page("ask")
    assert page.xpath('//nav[@class="rail"]//a[@data-area="ask"][@aria-current="page"]')


def test_without_the_permission_there_is_no_area_and_no_page(people) -> None:
    world, *_ = people
    Role.objects.create(
        organization=world.organization, key="reader", name="Reader", permissions=["search.use"]
    )
    member = world.person("Nur Leser")
    Member.objects.filter(pk=member.member_id).update(role=Role.objects.get(key="reader"))
    reader = Reader(member)
    assert reader.get("ask").status_code == 403
    assert reader.post("ask", {"question": QUESTION}).status_code == 403
    assert not Answer.objects.exists()


@pytest.mark.parametrize(("name", "which"), [("answer", {}), ("fragment", {}), ("source", {"number": 1})])
def test_the_answer_of_another_is_as_if_it_were_not(people, name: str, which: dict[str, int]) -> None:
    _, ada, ben, _ = people
    row = answer(ask(ben))
    foreign = ada.get(name, answer_id=row.pk, **which)
    missing = ada.get(name, answer_id=uuid7(), **which)
    assert (foreign.status_code, missing.status_code) == (404, 404)
    assert _readable(foreign.content) == _readable(missing.content)
    assert "18 Monate" not in foreign.content.decode()


@pytest.mark.parametrize("name", ["stop", "again"])
def test_nobody_stops_or_repeats_the_answer_of_another(people, name: str) -> None:
    _, ada, ben, _ = people
    view = ask(ben)
    assert ada.post(name, answer_id=view.id).status_code == 404
    assert Answer.objects.get().state == AnswerState.WRITING


def test_stopping_keeps_the_page_and_asking_again_keeps_the_old_answer(people) -> None:
    _, _, ben, _ = people
    view = ask(ben)
    early = ben.post("again", answer_id=view.id)
    assert (early.status_code, early.url) == (302, ben.url("answer", answer_id=view.id))
    assert Answer.objects.count() == 1
    stopped = ben.post("stop", answer_id=view.id)
    assert (stopped.status_code, stopped.url) == (302, ben.url("answer", answer_id=view.id))
    answering.end_unfinished(run_id=view.run_id, is_cancelled=True)
    (said,) = texts(ben.page("answer", answer_id=view.id), '//div[@class="trust"]')
    assert said.endswith("Stopped before the end")
    repeated = ben.post("again", answer_id=view.id)
    new = Answer.objects.exclude(pk=view.id).get()
    assert (repeated.status_code, repeated.url) == (302, ben.url("answer", answer_id=new.pk))
    row = answer(answers.view_of(new))
    page = ben.page("answer", answer_id=row.pk)
    assert page.xpath(f'//article//a[@href="{ben.url("answer", answer_id=view.id)}"]')
    assert ben.get("answer", answer_id=view.id).status_code == 200


def test_nothing_found_is_said_and_what_is_near_is_no_answer(people) -> None:
    _, _, ben, _ = people
    row = answer(ask(ben, "Wer gewann 1954 die Weltmeisterschaft im Fußball?"))
    Answer.objects.filter(pk=row.pk).update(sources=[_related()])
    page = ben.page("answer", answer_id=row.pk)
    assert "Your documents say nothing about this" in "".join(
        texts(page, "//article//p[@class='notice__title']")
    )
    assert not page.xpath('//*[contains(@class, "claim")]')
    (near,) = page.xpath('//section[contains(@class, "sources")]')
    assert near.get("aria-label") == "Nearest passages"


def test_a_source_opens_at_its_passage_as_a_page_and_as_a_panel(people) -> None:
    _, _, ben, _ = people
    row = answer(ask(ben))
    for part in (False, True):
        response = ben.get("source", part=part, answer_id=row.pk, number=1)
        (mark,) = html.fromstring(response.content.decode()).xpath("//mark")
        assert mark.text_content() == row.sources[0]["citation"]["quote"]
    assert ben.get("source", answer_id=row.pk, number=9).status_code == 404


@pytest.mark.parametrize("part", [False, True])
def test_a_source_is_closed_to_who_lost_access(people, part: bool) -> None:
    world, ada, ben, _ = people
    private = world.channel(ada.person, "plan", [ben.person], is_private=True)
    world.say(ada.person, private, PLAN)
    index_all()
    row = answer(ask(ben, MOVE))
    (source, *_) = [one for one in row.sources if one["citation"]["quote"] in PLAN]
    number = source["number"]
    assert ben.get("source", part=part, answer_id=row.pk, number=number).status_code == 200
    members.remove_person(principal=ada.person, conversation_id=private, person_id=ben.person.id)
    closed = ben.get("source", part=part, answer_id=row.pk, number=number)
    Answer.objects.filter(pk=row.pk).update(
        sources=[{**source, "citation": {**source["citation"], "source": str(uuid7())}}]
    )
    missing = ben.get("source", part=part, answer_id=row.pk, number=number)
    assert (closed.status_code, missing.status_code) == (404, 404)
    assert _readable(closed.content) == _readable(missing.content)
    assert "Emden" not in closed.content.decode()


def test_an_answer_that_is_kept_back_says_so_and_nothing_else(people) -> None:
    world, ada, ben, _ = people
    private = world.channel(ada.person, "plan", [ben.person], is_private=True)
    world.say(ada.person, private, PLAN)
    index_all()
    row = answer(ask(ben, MOVE))
    members.remove_person(principal=ada.person, conversation_id=private, person_id=ben.person.id)
    page = ben.page("answer", answer_id=row.pk)
    (notice,) = texts(page, '//article//div[@class="notice"]')
    assert notice.startswith("You no longer have access to every source of this answer.")
    assert not page.xpath('//*[contains(@class, "claim")] | //div[@class="trust"] | //*[@data-source]')
    assert page.xpath(f'//form[@action="{ben.url("again", answer_id=row.pk)}"]')


def test_older_questions_are_reached_thirty_at_a_time(people) -> None:
    _, _, ben, _ = people
    for number in range(31):
        ask(ben, f"Frage {number}?")
    page = ben.page("ask")
    listed = texts(page, '//ul[@id="earlier"]/li')
    assert (listed[0], listed[29:]) == ("Frage 30?", ["Frage 1?", "Older questions"])
    (older,) = page.xpath('//li[@id="older"]/a/@href')
    rest = ben.client.get(ben.url("ask") + older, headers={"HX-Request": "true"})
    assert texts(html.fromstring(rest.content), '//ul[@id="earlier"]/li') == ["Frage 0?"]
    assert ben.client.get(ben.url("ask") + "?earlier=x").status_code == 200


def test_a_switched_off_assistant_takes_no_question(people) -> None:
    _, _, ben, _ = people
    row = answer(ask(ben))
    Agent.objects.update(is_enabled=False)
    for page in (ben.page("ask"), ben.page("answer", answer_id=row.pk)):
        assert not page.xpath("//textarea")
    assert "The assistant is switched off" in texts(ben.page("ask"), "//h2")
    assert ben.post("again", answer_id=row.pk).url == ben.url("answer", answer_id=row.pk)
    assert "it is switched off" in ben.get("answer", answer_id=row.pk).content.decode()
    assert Answer.objects.count() == 1


def test_the_card_in_a_conversation_is_written_then_answered_for_all_its_readers(people) -> None:
    world, ada, ben, _ = people
    channel = world.channel(ada.person, "fragen", [ben.person])
    asked = world.say(ben.person, channel, f"@Lotse {QUESTION}")
    answer_when_asked(told(asked.id))
    row = Answer.objects.get()
    stop = ben.url("stop", answer_id=row.pk)
    (own,) = _cards(ben, channel, row.message_id)
    (other,) = _cards(ada, channel, row.message_id)
    assert {own.get("data-follow"), other.get("data-follow")} == {str(row.run_id)}
    assert {own.get("aria-busy"), other.get("aria-busy")} == {"true"}
    assert own.xpath(f'.//form[@action="{stop}"]')
    assert not other.xpath(".//form")
    drawn = ada.client.get(other.get("data-refresh"))  # what the script draws when the run is over
    assert drawn.status_code == 200
    assert html.fromstring(drawn.content.decode()).xpath("//*[@aria-busy]")

    answer(answers.view_of(row))
    (card,) = _cards(ada, channel, row.message_id)
    assert not card.get("aria-busy")
    assert "18 Monate" in card.text_content()
    assert "Visible to everyone in this conversation" in card.text_content()
    assert "better sources" not in card.text_content()
    cited = card.xpath('.//*[contains(@class, "cite")]')
    assert [number.text_content() for number in cited] == ["1", "1"]
    assert ada.get("source", part=True, answer_id=row.pk, number=1).status_code == 200


def test_a_card_keeps_quiet_about_what_it_left_out_and_what_is_near_is_no_answer(people) -> None:
    world, ada, ben, _ = people
    world.say(ada.person, world.channel(ada.person, "plan", is_private=True), PLAN)
    index_all()
    channel = world.channel(ada.person, "fragen", [ben.person])
    asked = world.say(ada.person, channel, f"@Lotse {MOVE}")
    answer_when_asked(told(asked.id))
    row = answer(answers.view_of(Answer.objects.get()))
    answering._store(row.pk, outcome="nothing", sources=[_related()])
    (card,) = _cards(ben, channel, row.message_id)
    assert row.left_out
    for reader in (ada, ben):
        (card,) = _cards(reader, channel, row.message_id)
        assert "better sources" not in card.text_content()
    assert card.xpath('.//section[@aria-label="Nearest passages"]')
    assert not card.xpath('.//*[contains(@class, "claim")]')
    assert "Emden" not in card.text_content()


def test_a_card_shows_markup_of_a_source_as_text(people) -> None:
    world, ada, ben, _ = people
    channel = world.channel(ada.person, "fragen", [ben.person])
    asked = world.say(ben.person, channel, f"@Lotse {QUESTION}")
    answer_when_asked(told(asked.id))
    row = answer(answers.view_of(Answer.objects.get()))
    answering._store(row.pk, body='<img src=x onerror="alert(1)"> [1]')
    (card,) = _cards(ada, channel, row.message_id)
    assert not card.xpath(".//img")
    assert "<img src=x" in card.text_content()


@pytest.mark.parametrize("rows", [1, 20])
def test_pages_cost_the_same_for_many(
    people, rows: int, django_assert_num_queries: Callable[..., object]
) -> None:
    _, _, ben, _ = people
    row = answer(ask(ben))
    for number in range(rows - 1):
        ask(ben, f"Frage {number}?")
    ben.get("ask")
    with django_assert_num_queries(QUERIES["ask"]):
        ben.page("ask")
    with django_assert_num_queries(QUERIES["answer"]):
        ben.page("answer", answer_id=row.pk)
    with django_assert_num_queries(QUERIES["source"]):
        ben.get("source", part=True, answer_id=row.pk, number=1)


QUERIES = {"ask": 8, "answer": 11, "source": 9}  # the bell counts on whole pages


def _cards(reader: Reader, conversation: UUID, message: UUID) -> list[html.HtmlElement]:
    kwargs = {"slug": reader.person.organization_slug, "conversation_id": conversation, "message_id": message}
    page = reader.client.get(f"{reverse('chat:message', kwargs=kwargs)}fragment/?thread=1")
    assert page.status_code == 200
    return html.fromstring(page.content).xpath('//div[contains(concat(" ", @class, " "), " answer ")]')


def _related() -> dict[str, object]:
    citation = {
        "source_type": "document",
        "source": str(uuid7()),
        "page": 1,
        "start": 0,
        "end": 4,
        "quote": "Nahe",
    }
    return {"number": 1, "title": "Handbuch", "place": "page 1", "citation": citation, "used": False}


def _readable(page: bytes) -> str:
    """What an error page says, without the number of the request."""
    text = " ".join(html.fromstring(page.decode()).text_content().split())
    return re.sub(r"(request )?[0-9a-f]{32}", "", text)


def test_a_sentence_its_source_does_not_say_is_grey_and_says_so(people, use_model) -> None:  # noqa: F811
    world, ada, ben, _ = people
    made_up = "Das Getriebeöl wird alle 19 Monate gewechselt [1]."
    with model_server([says(f"{FACT} [1] {made_up}"), says(f"{FACT} [1] {made_up}")]) as server:
        use_model(server.base_url)
        row = answer(ask(ben))
        channel = world.channel(ada.person, "fragen", [ben.person])
        asked = world.say(ben.person, channel, f"@Lotse {QUESTION}")
        answer_when_asked(told(asked.id))
        shared = answer(answers.view_of(Answer.objects.get(conversation_id=channel)))
    thread = reverse(
        "chat:message",
        kwargs={
            "slug": ben.person.organization_slug,
            "conversation_id": channel,
            "message_id": shared.message_id,
        },
    )
    card = html.fromstring(ben.client.get(f"{thread}fragment/").content)
    for page in (ben.page("answer", answer_id=row.pk), card):
        (grey,) = texts(page, '//span[contains(@class, "claim--none")]')
        assert "wird alle 19 Monate gewechselt" in grey
        assert texts(page, '//span[@class="claim-note"]') == [
            "not supported: A number in it is not in its source."
        ]
        assert "1 of 2 sentences supported" in " ".join(texts(page, '//div[@class="trust"]'))
    ben.client.cookies["django_language"] = "de"
    german = ben.client.get(ben.url("answer", answer_id=row.pk), headers={"Accept-Language": "de"})
    assert "nicht belegt" in german.content.decode()
