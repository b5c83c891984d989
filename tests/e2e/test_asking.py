"""Ask, watch it being written, stop, ask again; each number opens its source at the passage."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import WebSocketRoute, expect

from tests.e2e.conftest import Stack
from tests.e2e.visitor import Visitor
from tests.llm.model_server import HEAD, answer, chunk, model_server

Visit = Callable[..., Visitor]
QUESTION = "Wie oft wird das Getriebeöl gewechselt?"
SENTENCE = "Das Getriebeöl wird alle 18 Monate gewechselt, spätestens nach 12.000 Betriebsstunden."


def _ask(visitor: Visitor, question: str) -> None:
    visitor.page.goto("/o/nordlicht/ask/")
    visitor.page.fill("[name=question]", question)
    visitor.page.press("[name=question]", "Enter")
    visitor.page.wait_for_url(re.compile("/ask/[0-9a-f-]{36}/"))


def test_without_a_model_the_answer_is_the_sentence_of_the_handbook(visit: Visit) -> None:
    maren = visit("Maren")
    _ask(maren, QUESTION)
    page = maren.page
    expect(page.locator(".claim").first).to_contain_text(SENTENCE)
    expect(page.locator(".trust")).to_contain_text("1 of 1 sentence supported by its source")
    expect(page.locator(".trust")).to_contain_text("no language model was used")
    assert maren.look() == []

    page.locator(".claim .cite").first.click()
    panel = page.locator("[data-source-panel]")
    expect(panel.locator(".bar__title")).to_have_text("Betriebshandbuch Offshore")
    expect(panel.locator(".viewer__bar")).to_contain_text("page 3 of 7")
    expect(panel.locator("rect.mark")).to_be_in_viewport()
    picture = panel.locator("svg image").get_attribute("href")
    assert picture is not None
    assert page.request.get(picture).headers["content-type"] == "image/png"
    expect(page.locator(".claim .cite").first).to_have_attribute("aria-current", "true")
    assert maren.look() == []
    panel.get_by_role("link", name="Text", exact=True).click()
    expect(page.locator("[data-source-panel] mark")).to_have_text(SENTENCE)

    opened = page.url
    page.keyboard.press("Escape")
    expect(page.locator("[data-source-panel]")).to_have_count(0)
    expect(page.locator(".claim .cite").first).to_be_focused()
    page.goto(opened)
    expect(page.locator("[data-source-panel] .bar__title")).to_have_text("Betriebshandbuch Offshore")
    page.locator("[data-source-panel]").get_by_role("link", name="Document").click()
    expect(page.locator("#main .bar__title")).to_have_text("Betriebshandbuch Offshore")
    expect(page.locator("rect.mark").first).to_be_in_viewport()


def test_where_no_socket_can_be_opened_the_answer_still_comes(visit: Visit) -> None:
    maren = visit("Maren")
    maren.page.route_web_socket(re.compile("/ws/"), lambda socket: socket.close())
    _ask(maren, QUESTION)
    expect(maren.page.locator(".claim").first).to_contain_text(SENTENCE, timeout=30_000)


def test_what_the_documents_do_not_say_is_said(visit: Visit) -> None:
    maren = visit("Maren")
    _ask(maren, "Wann blüht der Rhododendron im Schlosspark von Versailles?")
    expect(maren.page.locator(".answer .notice")).to_contain_text("Your documents say nothing about this")
    expect(maren.page.locator(".claim")).to_have_count(0)


def test_ask_stop_and_ask_again(stack: Stack, visit: Visit) -> None:
    maren = visit("Maren")
    scripts = [
        [HEAD, chunk("Das Getriebeöl wird "), chunk("alle 18 Monate"), "hang"],
        answer("Alle 18 Monate. [1][2][3]", " Das gilt auch für Turm 7."),
    ]
    with model_server(scripts, port=stack.model_port):
        _ask(maren, QUESTION)
        page = maren.page
        expect(page.locator("[data-run-text]")).to_have_text("Das Getriebeöl wird alle 18 Monate")
        expect(page.locator("[data-run-status]")).to_contain_text("Writing")
        page.reload()
        expect(page.locator("[data-run-text]")).to_have_text("Das Getriebeöl wird alle 18 Monate")
        page.get_by_role("button", name="Stop").click()
        expect(page.locator(".answer")).not_to_have_attribute("aria-busy", "true")
        expect(page.locator(".answer__text")).to_contain_text("alle 18 Monate")
        stopped = page.url

        page.get_by_role("button", name="Answer again").click()
        expect(page.locator(".claim .cite").first).to_have_text("1")
    assert page.url != stopped
    expect(page.locator(".claim").first).to_contain_text("Alle 18 Monate.")
    expect(page.locator(".claim--none")).to_have_text("Das gilt auch für Turm 7.")
    expect(page.locator(".claim-note")).to_have_text("without a source")
    expect(page.locator(".trust")).to_contain_text("1 of 2 sentences supported by their sources")
    page.get_by_role("link", name="Earlier answer").click()
    page.wait_for_url(stopped)


def test_what_a_stream_lost_on_its_way_is_asked_for(stack: Stack, visit: Visit) -> None:
    maren = visit("Maren")
    lost: list[str] = []

    def lossy(client: WebSocketRoute) -> None:
        """Lose what was found, and let the question for it arrive only once more was said."""
        server = client.connect_to_server()
        held: list[str] = []
        more: list[str] = []

        def tell(told: str | bytes) -> None:
            text = told if isinstance(told, str) else told.decode()
            if '"type":"hits"' in text and '"stage":"found"' in text and not lost:
                lost.append(text)
                return
            client.send(text)
            if '"type":"delta"' in text:
                more.append(text)
                while held:
                    server.send(held.pop(0))

        def ask(told: str | bytes) -> None:
            text = told if isinstance(told, str) else told.decode()
            if lost and not more and '"frame":"follow"' in text:
                held.append(text)
            else:
                server.send(text)

        server.on_message(tell)
        client.on_message(ask)

    maren.page.route_web_socket(re.compile("/ws/v1/"), lossy)
    with model_server([[HEAD, chunk("Das Getriebeöl "), "hang"]], port=stack.model_port):
        _ask(maren, QUESTION)
        expect(maren.page.locator("[data-run-text]")).to_have_text("Das Getriebeöl")
        expect(maren.page.locator("[data-run-hits]")).to_have_attribute(
            "data-stage", re.compile("found|onlywords")
        )
        maren.page.get_by_role("button", name="Stop").click()
        expect(maren.page.locator(".answer")).not_to_have_attribute("aria-busy", "true")
    assert len(lost) == 1


def test_the_assistant_answers_where_it_is_mentioned(visit: Visit) -> None:
    maren, jonas = visit("Maren"), visit("Jonas")
    maren.open("allgemein")
    jonas.open("allgemein")
    field = maren.page.locator("#main [data-text]")
    field.fill("")
    field.press_sequentially("@lot")
    expect(maren.page.get_by_role("option", name="Lotse")).to_be_visible()
    field.press("Enter")
    field.press_sequentially(QUESTION)
    field.press("Enter")
    reply = jonas.page.locator("#main .message, #panel .message").filter(has=jonas.page.locator(".claim"))
    expect(reply.or_(jonas.page.locator(".thread-link")).first).to_be_visible()
    link = jonas.message(QUESTION).locator(".thread-link")
    expect(link).to_be_visible()
    link.click()
    answered = jonas.page.locator("#panel .message", has=jonas.page.locator(".claim"))
    expect(answered.locator(".claim").first).to_contain_text(SENTENCE)
    answered.locator(".claim .cite").first.click()
    expect(jonas.page.locator("[data-source-panel] .bar__title")).to_have_text("Betriebshandbuch Offshore")


def test_a_guest_gets_no_answer_from_what_it_may_not_see(visit: Visit) -> None:
    maren, erik = visit("Maren"), visit("Erik")
    secret = "Wie lautet das neue Codewort für die Leitwarte?"
    _ask(maren, secret)
    expect(maren.page.locator(".answer__text, .sources").first).to_contain_text("Kormoran")
    _ask(erik, secret)
    expect(erik.page.locator(".answer")).not_to_have_attribute("aria-busy", "true")
    expect(erik.page.locator(".answer")).not_to_contain_text("Kormoran")
    expect(erik.page.locator(".answer")).not_to_contain_text("sicherheit-vorfaelle")
    own = maren.page.url
    erik.expected.append("404")
    refused = erik.page.goto(own)
    assert refused is not None
    assert refused.status == 404


def test_what_is_found_is_shown_first_and_what_is_made_up_is_said(stack: Stack, visit: Visit) -> None:
    maren = visit("Maren")
    scripts = [
        [HEAD, chunk("Das Getriebeöl "), "hang"],
        answer(
            "Das Getriebeöl wird alle 18 Monate gewechselt [1][2][3].",
            " Das Getriebeöl wird alle 19 Monate gewechselt [1][2][3].",
        ),
    ]
    with model_server(scripts, port=stack.model_port):
        _ask(maren, QUESTION)
        page = maren.page
        found = page.locator("[data-run-hits] .source")
        expect(found.first).to_contain_text("Betriebshandbuch Offshore")
        expect(page.locator("[data-run-hits]")).to_have_attribute("data-stage", re.compile("found|onlywords"))
        page.reload()
        expect(found.first).to_contain_text("Betriebshandbuch Offshore")
        assert maren.look() == []
        page.get_by_role("button", name="Stop").click()
        expect(page.locator("[data-run-hits]")).to_have_count(0)
        page.get_by_role("button", name="Answer again").click()
        expect(page.locator(".claim")).to_have_count(2)
    expect(page.locator(".claim").first).to_have_class("claim")
    expect(page.locator(".claim--none")).to_have_text(re.compile("alle 19 Monate"))
    expect(page.locator(".claim-note")).to_have_text("not supported: A number in it is not in its source.")
    expect(page.locator(".trust")).to_contain_text("1 of 2 sentences supported by their sources")
    assert maren.look() == []
