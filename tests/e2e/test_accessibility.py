"""What axe, keys and a screen reader find: every page, what opens above it, names, focus, and what is said."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import WebSocketRoute, expect

from tests.e2e.tour import Visit, in_themes, walk
from tests.e2e.visitor import Visitor


def _look_and_audit(visitor: Visitor) -> list[str]:
    return visitor.look() + visitor.audit()


@pytest.mark.parametrize(("language", "size", "theme"), in_themes(("de-DE", "desk")))
def test_every_page_stands_on_a_desk_and_breaks_no_rule(
    visit: Visit, language: str, theme: str, size: str
) -> None:
    assert walk(visit, _look_and_audit, language=language, size=size, theme=theme) == {}


@pytest.mark.parametrize(("language", "size", "theme"), in_themes(("en-GB", "desk")))
def test_what_opens_above_a_page_breaks_no_rule(visit: Visit, language: str, theme: str, size: str) -> None:
    maren = visit("Maren", language=language, theme=theme)
    page, dialog, field = maren.page, maren.page.locator("#dialog"), maren.page.locator("#main [data-text]")
    found: dict[str, list[str]] = {}
    maren.open("allgemein")
    page.fill("[data-topic-field]", "Barrieren")
    maren.write("Das Nordtor ist **breit** genug")
    own = maren.message("Das Nordtor ist breit genug").last

    page.keyboard.press("Control+K")
    expect(page.locator("#palette").get_by_role("option").first).to_be_visible()
    found["palette"] = maren.audit()
    page.locator("#palette input").fill("qqqq")
    expect(page.locator("#palette").get_by_role("option")).to_have_text(
        ["Search messages and documents for “qqqq”"]
    )
    found["palette without a hit"] = maren.audit()
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()

    field.blur()
    page.keyboard.press("?")
    expect(dialog).to_contain_text("Keyboard shortcuts")
    found["shortcuts"] = maren.audit()
    page.keyboard.press("Escape")

    maren.act(own, "more")
    expect(page.locator("#menu").get_by_role("menuitem").first).to_be_focused()
    found["menu of a message"] = maren.audit()
    maren.choose("Forward")
    expect(dialog.locator("select")).to_be_visible()
    found["forward"] = maren.audit()
    page.keyboard.press("Escape")
    maren.act(own, "react")
    expect(page.locator(".emoji__item").first).to_be_visible()
    found["emoji"] = maren.audit()
    page.keyboard.press("Escape")

    for name in ("Topics", "members", "Pins and bookmarks", "About this conversation"):
        page.locator("#main .bar").get_by_role("link", name=name).click()
        expect(dialog.locator("#dialog-title")).to_be_visible()
        found[name] = maren.audit()
        page.keyboard.press("Escape")
    page.locator("#main .topic", has_text="Barrieren").first.get_by_role("link", name="Actions").click()
    expect(dialog.get_by_role("button", name="Mark as resolved")).to_be_visible()
    found["topic"] = maren.audit()
    page.keyboard.press("Escape")

    for start in ("@jo", "/po", ":smi"):
        field.fill("")
        field.press_sequentially(start)
        expect(page.locator("#main").get_by_role("option").first).to_be_visible()
        found[f"completion of {start}"] = maren.audit()
        page.keyboard.press("Escape")
    field.fill("")
    maren.act(own, "thread")
    expect(page.locator("#panel [data-text]")).to_be_focused()
    found["thread"] = maren.audit()
    assert {name: problems for name, problems in found.items() if problems} == {}


def test_a_row_says_author_text_and_time_when_keys_reach_it(visit: Visit) -> None:
    maren = visit("Maren")
    maren.open("allgemein")
    maren.write("Der **Aufzug** fährt wieder")
    maren.page.locator("#main [data-text]").blur()
    maren.page.keyboard.press("k")
    row = maren.page.locator(".message:focus")
    expect(row).to_have_accessible_name(re.compile(r"^Maren Thiessen Der Aufzug fährt wieder \d\d:\d\d$"))


def test_the_focus_stays_on_a_message_that_was_on_its_way(visit: Visit) -> None:
    """The row that waits goes when the server has the message; keys go on where they were."""
    maren = visit("Maren")
    kept: list[tuple[WebSocketRoute, str | bytes]] = []

    def hold(window: WebSocketRoute) -> None:
        server = window.connect_to_server()

        def pass_on(data: str | bytes) -> None:
            if json.loads(data)["frame"] == "send":
                kept.append((server, data))
            else:
                server.send(data)

        window.on_message(pass_on)

    maren.page.route_web_socket(re.compile("/ws/v1/"), hold)
    maren.page.reload()
    maren.open("allgemein")
    field = maren.page.locator("#main [data-text]")
    field.fill("Die Leiter steht am Turm")
    field.press("Enter")
    waiting = maren.page.locator(".message--late", has_text="Die Leiter steht am Turm")
    expect(waiting).to_be_visible()
    field.blur()
    maren.page.keyboard.press("k")
    expect(waiting).to_be_focused()
    for server, data in kept:
        server.send(data)
    expect(maren.message("Die Leiter steht am Turm")).to_be_focused()


def test_keys_open_the_menu_of_a_message_and_the_focus_comes_back(visit: Visit) -> None:
    maren = visit("Maren")
    maren.open("allgemein")
    maren.write("Die Rampe ist fertig")
    page, row = maren.page, maren.message("Die Rampe ist fertig").last
    page.locator("#main [data-text]").blur()
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page.locator("#menu").get_by_role("menuitem").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(row).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("f")
    page.keyboard.press("Enter")
    expect(page.locator("#dialog select")).to_be_focused()
    page.keyboard.press("Escape")
    expect(row).to_be_focused()
    maren.act(row, "more")
    maren.choose("Pin for everyone")
    expect(row).to_contain_text("Pinned")
    expect(row).to_be_focused()
    maren.act(row, "more")
    maren.choose("Delete")
    page.locator("#dialog").get_by_role("button", name="Delete message").click()
    expect(page.locator(".message:focus")).to_have_text(re.compile("This message was deleted"))


def test_new_messages_are_said_together_and_politely(visit: Visit) -> None:
    maren, jonas = visit("Maren"), visit("Jonas")
    maren.page.clock.install()
    maren.page.reload()
    for who in (maren, jonas):
        who.open("allgemein")
    maren.page.clock.pause_at(maren.page.evaluate("Date.now() / 1000") + 1)
    for number in range(1, 5):
        jonas.write(f"Gezählt {number}")
    expect(maren.message("Gezählt 4").last).to_be_visible()
    said = maren.page.locator("#live")
    expect(said).to_have_role("status")
    expect(said).to_have_text("1 new message in allgemein")
    maren.page.clock.run_for(3000)
    expect(said).to_have_text("3 new messages in allgemein")
