"""Two people chat: write, react, reply, edit, delete; what one does the other sees at once."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import WebSocketRoute, expect

from tests.e2e.visitor import Visitor

Visit = Callable[..., Visitor]


def test_two_browsers_chat_react_reply_and_edit(visit: Visit) -> None:
    maren, jonas = visit("Maren"), visit("Jonas")
    maren.open("allgemein")
    jonas.open("allgemein")
    maren.write("Kommt die **Fähre** heute?")
    seen = jonas.message("Kommt die Fähre heute?")
    expect(seen).to_be_visible()
    expect(seen.locator("strong")).to_have_text("Fähre")
    expect(maren.page.locator(".message--late")).to_have_count(0)

    jonas.act(seen, "react")
    jonas.page.locator(".emoji__item", has_text="👍").first.click()
    reaction = maren.message("Kommt die Fähre heute?").locator(".reaction")
    expect(reaction).to_have_attribute("aria-label", "👍, 1")
    expect(reaction).to_have_attribute("aria-pressed", "false")
    reaction.click()
    expect(reaction).to_have_attribute("aria-label", "👍, 2")
    reaction.click()
    expect(seen.locator(".reaction")).to_have_attribute("aria-label", "👍, 1")

    jonas.act(seen, "thread")
    jonas.write("Um zehn, wenn der Wind hält.", where="#panel")
    link = maren.message("Kommt die Fähre heute?").locator(".thread-link")
    expect(link).to_contain_text("1 reply")
    link.click()
    expect(maren.message("Um zehn", where="#panel")).to_be_visible()
    assert "/t/" in maren.page.url
    maren.page.keyboard.press("Escape")
    expect(maren.page.locator("[data-thread-panel]")).to_have_count(0)

    maren.act(maren.message("Kommt die Fähre heute?"), "more")
    maren.choose("Edit")
    maren.page.locator("[data-edit] textarea").fill("Kommt die Fähre morgen?")
    maren.page.keyboard.press("Enter")
    expect(jonas.message("Kommt die Fähre morgen?").locator(".message__edited")).to_be_visible()

    maren.act(maren.message("Kommt die Fähre morgen?"), "more")
    maren.choose("Delete")
    maren.page.locator("#dialog").get_by_role("button", name="Delete message").click()
    expect(jonas.message("Kommt die Fähre morgen?")).to_have_count(0)
    expect(jonas.page.locator(".message--deleted").last).to_be_visible()


def test_a_mention_is_suggested_counted_and_marked(visit: Visit) -> None:
    maren, jonas = visit("Maren"), visit("Jonas")
    maren.page.goto("/o/nordlicht/settings/")
    jonas.open("allgemein")
    field = jonas.page.locator("#main [data-text]")
    field.fill("")
    field.press_sequentially("@mar")
    expect(jonas.page.get_by_role("option", name="Maren Thiessen")).to_be_visible()
    field.press("Enter")
    expect(field).to_have_value("@**Maren Thiessen** ")
    field.press_sequentially("bitte bestätigen")
    field.press("Enter")
    expect(jonas.message("bitte bestätigen").locator(".mention")).to_have_text("@Maren Thiessen")

    maren.page.goto("/o/nordlicht/channels/")
    entry = maren.page.locator('.conv[data-name="allgemein"]')
    expect(entry.locator(".count--mention")).to_be_visible()
    maren.open("allgemein")
    marked = maren.message("bitte bestätigen").last
    expect(marked).to_contain_class("message--mention")
    expect(entry.locator(".count")).to_have_count(0)


def test_typing_and_presence_are_seen(visit: Visit) -> None:
    maren, jonas = visit("Maren"), visit("Jonas")
    maren.open("allgemein")
    jonas.open("allgemein")
    jonas.page.locator("#main [data-text]").press_sequentially("Moment")
    expect(maren.page.locator("#main [data-typing]")).to_have_text("Jonas Petersen is typing")
    maren.page.locator('#main .bar a[href$="/members/"]').click()
    sign = maren.page.locator("#dialog li", has_text="Jonas Petersen").locator("[data-presence]")
    expect(sign).to_have_attribute("data-presence", "on")
    jonas.page.locator("#main [data-text]").fill("")


def test_what_was_not_read_is_marked_until_it_was(visit: Visit) -> None:
    jonas, tomasz = visit("Jonas"), visit("Tomasz")
    jonas.open("allgemein")
    tomasz.page.goto("/o/nordlicht/settings/")
    for number in range(3):
        jonas.write(f"Ungelesen Nummer {number}")
    tomasz.page.goto("/o/nordlicht/channels/")
    entry = tomasz.page.locator('.conv[data-name="allgemein"]')
    expect(entry).to_contain_class("conv--unread")
    tomasz.open("allgemein")
    expect(tomasz.page.locator("#unread")).to_contain_text("New since")
    tomasz.message("Ungelesen Nummer 2").last.scroll_into_view_if_needed()
    expect(entry).not_to_contain_class("conv--unread")

    tomasz.act(tomasz.message("Ungelesen Nummer 1").last, "more")
    tomasz.choose("Unread from here")
    expect(entry.locator(".count")).to_have_text("2 unread")
    tomasz.page.reload()
    line = tomasz.page.locator("#unread + .message")
    expect(line).to_contain_text("Ungelesen Nummer 1")
    expect(entry).not_to_contain_class("conv--unread")


def test_older_messages_come_while_scrolling_and_the_text_stays_where_it_is(visit: Visit) -> None:
    maren = visit("Maren")
    maren.page.goto("/o/nordlicht/channels/new/")
    maren.page.fill('[name="name"]', "langes-archiv")
    maren.page.locator("#main button[type=submit]").click()
    expect(maren.page.locator("[data-conversation-name]")).to_have_text("langes-archiv")
    field = maren.page.locator("#main [data-text]")
    for number in range(90):
        field.fill(f"Zeile {number:03}")
        field.press("Enter")
    expect(maren.message("Zeile 089")).to_be_visible(timeout=90_000)
    expect(maren.page.locator(".message--late")).to_have_count(0, timeout=90_000)
    maren.page.reload()
    expect(maren.message("Zeile 089")).to_be_in_viewport()
    expect(maren.message("Zeile 000")).to_have_count(0)
    stream = maren.page.locator("#main [data-stream]")
    stream.hover()
    while not maren.message("Zeile 000").count():
        maren.page.mouse.wheel(0, -3000)
        expect(stream.locator("[data-busy]")).to_have_count(0)
    numbers = [text.strip() for text in stream.locator(".message__text").all_inner_texts()]
    assert numbers == [f"Zeile {number:03}" for number in range(90)]
    maren.page.locator("[data-jump-newest]").click()
    expect(maren.message("Zeile 089")).to_be_in_viewport()


def test_a_mention_in_a_thread_waits_until_the_thread_is_opened(visit: Visit) -> None:
    aylin, jonas = visit("Aylin"), visit("Jonas")
    aylin.open("it-platform")
    jonas.open("it-platform")
    aylin.write("Wer kennt den Schalter?")
    jonas.act(jonas.message("Wer kennt den Schalter?"), "thread")
    jonas.write("@**Aylin Demir** der linke", where="#panel")
    hint = aylin.page.get_by_role("link", name="You were mentioned in a thread")
    expect(hint).to_be_visible()
    entry = aylin.page.locator('.conv[data-name="it-platform"]')
    expect(entry.locator(".count--mention")).to_be_visible()
    aylin.page.reload()
    expect(hint).to_be_visible()
    expect(entry.locator(".count--mention")).to_be_visible()
    hint.click()
    expect(aylin.message("der linke", where="#panel")).to_be_visible()
    expect(hint).to_have_count(0)
    expect(entry.locator(".count")).to_have_count(0)


def test_a_marker_counted_too_early_takes_no_mention_away(visit: Visit) -> None:
    """A marker arrives after the mention that came next, as on a busy server."""
    aylin, tablet, jonas = visit("Aylin"), visit("Aylin"), visit("Jonas")
    markers: list[str | bytes] = []
    mentions: list[str | bytes] = []
    is_over = threading.Event()

    def reorder(window: WebSocketRoute) -> None:
        def pass_on(data: str | bytes) -> None:
            frame = json.loads(data)
            if is_over.is_set():
                window.send(data)
            elif frame.get("type") == "read.moved":
                markers.append(data)
            elif frame.get("type") == "message.sent" and frame["data"]["message"]["mentions"]:
                mentions.append(data)
            else:
                window.send(data)
            if markers and mentions:
                for kept in (*mentions, *markers):
                    window.send(kept)
                mentions.clear(), markers.clear(), is_over.set()

        window.connect_to_server().on_message(pass_on)

    aylin.page.route_web_socket(re.compile("/ws/v1/"), reorder)
    aylin.page.reload()
    aylin.open("it-platform")
    jonas.open("it-platform")
    jonas.write("Wer hat den Schlüssel?")
    entry = '.conv[data-name="it-platform"]'
    seen = aylin.message("Wer hat den Schlüssel?").get_attribute("data-sequence") or ""
    expect(tablet.page.locator(entry)).to_have_attribute("data-read", seen)
    jonas.act(jonas.message("Wer hat den Schlüssel?"), "thread")
    with aylin.page.expect_response(re.compile(r"/list/\?current=")):
        jonas.write("@**Aylin Demir** liegt beim Pförtner", where="#panel")
    expect(aylin.page.locator(entry).locator(".count--mention")).to_be_visible()
    aylin.page.get_by_role("link", name="You were mentioned in a thread").click()
    expect(aylin.page.locator(entry).locator(".count")).to_have_count(0)


def test_a_marker_that_was_lost_on_the_way_is_told_again(visit: Visit) -> None:
    """The line breaks with the marker on it: what was read is not unread for ever."""
    tomasz, jonas = visit("Tomasz"), visit("Jonas")
    tomasz.open("einkauf")
    lost: list[str | bytes] = []

    def lose(window: WebSocketRoute) -> None:
        server = window.connect_to_server()

        def pass_on(data: str | bytes) -> None:
            if json.loads(data)["frame"] == "read" and not lost:
                lost.append(data)
                window.close(code=1012)
            else:
                server.send(data)

        window.on_message(pass_on)

    tomasz.page.route_web_socket(re.compile("/ws/v1/"), lose)
    tomasz.page.goto("/o/nordlicht/channels/")
    jonas.open("einkauf")
    jonas.write("Das Angebot ist da")
    entry = tomasz.page.locator('.conv[data-name="einkauf"]')
    expect(entry).to_contain_class("conv--unread")
    tomasz.open("einkauf")
    expect(entry).not_to_contain_class("conv--unread")
    assert len(lost) == 1


def test_back_leads_to_the_conversation_before_and_everything_works_there(visit: Visit) -> None:
    maren = visit("Maren")
    page = maren.page
    maren.open("einkauf")
    first = page.url
    maren.open("allgemein")
    assert page.url != first
    page.go_back()
    expect(page.locator("[data-conversation-name]")).to_have_text("einkauf")
    assert page.url == first
    expect(page.locator('.conv[data-name="einkauf"]')).to_have_attribute("aria-current", "page")
    maren.write("Nach dem Zurückgehen")
    maren.act(maren.message("Nach dem Zurückgehen"), "more")
    maren.choose("Delete")
    page.locator("#dialog").get_by_role("button", name="Delete message").click()
    expect(maren.message("Nach dem Zurückgehen")).to_have_count(0)
    page.go_forward()
    expect(page.locator("[data-conversation-name]")).to_have_text("allgemein")


def test_what_is_said_while_a_conversation_is_drawn_stands_in_it(visit: Visit) -> None:
    maren, jonas = visit("Maren"), visit("Jonas")
    maren.open("allgemein")
    jonas.open("einkauf")
    name = jonas.page.locator('.conv[data-name="allgemein"]')
    route = jonas.hold(f"**{name.get_attribute('href')}", name.click)
    drawn = route.fetch()
    maren.write("Zwischen Zeichnen und Zeigen")
    expect(name).to_contain_class("conv--unread")
    route.fulfill(response=drawn)
    expect(jonas.message("Zwischen Zeichnen und Zeigen")).to_be_visible()
    maren.write("Und weiter")
    expect(jonas.message("Und weiter")).to_be_visible()


def test_the_open_conversation_stays_when_it_is_chosen_again(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "plan.txt").write_text("Plan")
    maren = visit("Maren")
    maren.open("einkauf")
    maren.page.locator("#main [data-pick]").set_input_files(tmp_path / "plan.txt")
    shelf = maren.page.locator("#main [data-files]")
    expect(shelf.locator(".file__note", has_text="ready")).to_have_count(1)
    maren.open("einkauf")
    expect(shelf.locator(".file__name")).to_have_text(["plan.txt"])


def test_a_channel_is_suggested_and_its_name_leads_there(visit: Visit) -> None:
    maren, jonas = visit("Maren"), visit("Jonas")
    maren.open("allgemein")
    jonas.open("allgemein")
    field = maren.page.locator("#main [data-text]")
    field.press_sequentially("Weiter in #eink")
    option = maren.page.get_by_role("option", name="einkauf")
    expect(option).to_be_visible()
    field.press("Enter")
    expect(field).to_have_value("Weiter in #**einkauf** ")
    field.press("Enter")
    link = jonas.message("Weiter in #einkauf").get_by_role("link", name="#einkauf")
    link.click()
    expect(jonas.page.locator("[data-conversation-name]")).to_have_text("einkauf")
    assert len(jonas.page.context.pages) == 1
