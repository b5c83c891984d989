"""Text is never lost: drafts survive a reload, messages survive a broken line, and nothing doubles."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs

from playwright.sync_api import Response, expect

from tests.e2e.visitor import Visitor

Visit = Callable[..., Visitor]


def test_a_draft_is_there_after_a_reload_and_on_another_device(visit: Visit) -> None:
    here, there = visit("Aylin"), visit("Aylin")
    here.open("allgemein")
    with here.page.expect_response(lambda response: response.url.endswith("/draft/")):
        here.page.locator("#main [data-text]").fill("Das schreibe ich spaeter fertig")
    here.page.reload()
    expect(here.page.locator("#main [data-text]")).to_have_value("Das schreibe ich spaeter fertig")
    there.page.goto(here.page.url)
    expect(there.page.locator("#main [data-text]")).to_have_value("Das schreibe ich spaeter fertig")
    with here.page.expect_response(lambda response: response.url.endswith("/draft/")):
        here.page.locator("#main [data-text]").fill("")
    expect(there.page.locator("#main [data-text]")).to_have_value("")


def test_a_draft_keeps_its_topic_after_a_reload_and_on_another_device(visit: Visit) -> None:
    here, there = visit("Aylin"), visit("Aylin")
    for who in (here, there):
        who.open("betrieb-offshore")
    here.page.fill("#main [data-topic-field]", "Kranplan")
    here.page.locator("#main [data-text]").fill("Halb geplant")
    expect(there.page.locator("#main [data-text]")).to_have_value("Halb geplant")
    expect(there.page.locator("#main [data-topic-field]")).to_have_value("Kranplan")
    here.page.reload()
    expect(here.page.locator("#main [data-topic-field]")).to_have_value("Kranplan")
    with here.page.expect_response(lambda response: response.url.endswith("/draft/")):
        here.page.fill("#main [data-topic-field]", "Kranplan Mai")  # of the topic alone
    expect(there.page.locator("#main [data-topic-field]")).to_have_value("Kranplan Mai")
    here.open("allgemein")
    here.open("betrieb-offshore")
    expect(here.page.locator("#main [data-topic-field]")).to_have_value("Kranplan Mai")
    here.page.locator("#main [data-text]").press("Enter")
    expect(there.page.locator("#main .topic__name", has_text="Kranplan Mai")).to_be_visible()
    expect(there.page.locator("#main [data-text]")).to_have_value("")


def test_what_was_sent_does_not_come_back_as_a_draft_that_was_late(visit: Visit) -> None:
    aylin = visit("Aylin")
    aylin.open("it-platform")
    field = aylin.page.locator("#main [data-text]")
    late = aylin.hold("**/draft/", lambda: field.fill("Der Speicher ist getauscht"))
    field.press("Enter")
    expect(aylin.message("Der Speicher ist getauscht")).to_be_visible()
    with aylin.page.expect_response(
        lambda response: response.url.endswith("/draft/") and not _body(response)
    ):
        late.continue_()
    aylin.page.reload()
    expect(aylin.message("Der Speicher ist getauscht")).to_be_visible()
    expect(field).to_have_value("")


def test_what_was_sent_is_no_draft_though_the_server_did_not_hear_that_nothing_is_left(visit: Visit) -> None:
    aylin = visit("Aylin")
    aylin.expected.append("ERR_")
    aylin.open("it-platform")
    field = aylin.page.locator("#main [data-text]")
    with aylin.page.expect_response(lambda response: response.url.endswith("/draft/")):
        field.fill("Der Lüfter ist getauscht")
    aylin.hold("**/draft/", lambda: field.press("Enter")).abort()
    expect(aylin.message("Der Lüfter ist getauscht")).to_be_visible()
    with aylin.page.expect_response(
        lambda response: response.url.endswith("/draft/") and not _body(response)
    ):
        aylin.page.reload()
    expect(field).to_have_value("")
    other = visit("Aylin")
    other.open("it-platform")
    expect(other.page.locator("#main [data-text]")).to_have_value("")


def _body(response: Response) -> str:
    """Return the text that a request brought to be kept."""
    return "".join(parse_qs(response.request.post_data or "").get("body", []))


def test_messages_written_without_a_connection_arrive_once_and_in_order(visit: Visit) -> None:
    maren, jonas = visit("Maren"), visit("Jonas")
    maren.expected += ["WebSocket", "ERR_"]
    maren.open("allgemein")
    jonas.open("allgemein")
    maren.page.route_web_socket("**/ws/**", lambda socket: socket.close())
    maren.page.reload()
    expect(maren.page.locator("#banner .banner")).to_contain_text("No connection.")
    for number in range(3):
        maren.page.locator("#main [data-text]").fill(f"Ohne Netz {number}")
        maren.page.locator("#main [data-text]").press("Enter")
    expect(maren.page.locator(".message--late")).to_have_count(3)
    expect(maren.page.locator("#banner .banner")).to_contain_text("3 messages are waiting")
    expect(jonas.message("Ohne Netz")).to_have_count(0)

    again = maren.page.context.new_page()
    again.goto(maren.page.url)
    expect(jonas.message("Ohne Netz")).to_have_count(3)
    arrived = [
        text.strip() for text in jonas.message("Ohne Netz").locator(".message__text").all_inner_texts()
    ]
    assert arrived == ["Ohne Netz 0", "Ohne Netz 1", "Ohne Netz 2"]
    expect(again.locator(".message[data-sequence]", has_text="Ohne Netz")).to_have_count(3)
    expect(again.locator(".message--late")).to_have_count(0)


def test_everything_works_without_a_script(visit: Visit) -> None:
    reader, maren = visit("Tomasz", scripts=False), visit("Maren")
    maren.open("allgemein")
    page = reader.page
    page.locator('.conv[data-name="allgemein"]').click()
    page.locator("#main textarea").fill("Ohne Skript geschrieben")
    page.locator("#main .composer button[type=submit]").click()
    own = page.locator(".message--target", has_text="Ohne Skript geschrieben")
    expect(own).to_be_visible()
    expect(maren.message("Ohne Skript geschrieben")).to_be_visible()

    own.hover()
    own.locator('[data-act="more"]').click()
    page.get_by_role("button", name="React with 👍").click()
    expect(maren.message("Ohne Skript geschrieben").locator(".reaction")).to_have_text("👍1")
    own.hover()
    own.locator('[data-act="more"]').click()
    page.locator("#main").get_by_role("link", name="Edit").click()
    page.locator("#main textarea").fill("Ohne Skript geändert")
    page.get_by_role("button", name="Save").click()
    expect(maren.message("Ohne Skript geändert")).to_be_visible()
    own = page.locator(".message--target", has_text="Ohne Skript geändert")
    own.hover()
    own.locator('[data-act="thread"]').click()
    page.locator("#panel textarea").fill("Antwort ohne Skript")
    page.locator("#panel .composer button[type=submit]").click()
    expect(page.locator("#panel .message", has_text="Antwort ohne Skript")).to_be_visible()
