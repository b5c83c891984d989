"""What one writes survives what happens meanwhile: another window, a long paste, a changed message, a way back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.visitor import Visitor

Visit = Callable[..., Visitor]


def start_edit(visitor: Visitor, text: str) -> None:
    visitor.act(visitor.message(text).last, "more")
    visitor.choose("Edit")


def test_an_edit_stays_open_while_its_message_changes(visit: Visit) -> None:
    maren, jonas = visit("Maren"), visit("Jonas")
    maren.open("allgemein")
    jonas.open("allgemein")
    maren.write("Der Kran kostet 100")
    start_edit(maren, "Der Kran kostet 100")
    field = maren.page.locator("[data-edit] textarea")
    field.fill("Der Kran kostet in C")
    field.press_sequentially("++ 200")  # "+" is a key of its own beside a field
    jonas.act(jonas.message("Der Kran kostet 100").last, "more")
    jonas.choose("Pin for everyone")
    expect(jonas.message("Der Kran kostet 100").locator('.message__marks use[href$="#pin"]')).to_have_count(1)
    expect(field).to_have_value("Der Kran kostet in C++ 200")
    field.press("Enter")
    stored = maren.message("Der Kran kostet in C++ 200")
    expect(stored.locator('.message__marks use[href$="#pin"]')).to_have_count(1)


def test_an_edit_from_elsewhere_is_not_written_over_unseen(visit: Visit) -> None:
    desk, phone = visit("Maren"), visit("Maren")
    desk.open("allgemein")
    phone.open("allgemein")
    desk.write("Wir treffen uns um neun")
    start_edit(desk, "Wir treffen uns um neun")
    start_edit(phone, "Wir treffen uns um neun")
    phone.page.locator("[data-edit] textarea").fill("Wir treffen uns um zehn")
    phone.page.keyboard.press("Enter")
    expect(phone.message("Wir treffen uns um zehn")).to_be_visible()
    desk.expected.append("status of 412")
    field = desk.page.locator("[data-edit] textarea")
    field.fill("Wir treffen uns um elf")
    field.press("Enter")
    expect(desk.page.locator(".toast--bad")).to_be_visible()
    expect(field).to_have_value("Wir treffen uns um elf")
    field.press("Enter")
    expect(phone.message("Wir treffen uns um elf")).to_be_visible()


def test_what_waits_in_two_windows_is_sent_whichever_stays_open(visit: Visit) -> None:
    maren, jonas = visit("Maren"), visit("Jonas")
    jonas.open("einkauf")
    maren.open("einkauf")
    context = maren.page.context
    other = Visitor(context.new_page())
    other.page.goto(maren.page.url)
    expect(other.page.locator("#main [data-stream]")).to_be_visible()
    for one in (maren, other):
        one.expected.append("ERR_INTERNET_DISCONNECTED")
    context.set_offline(True)
    for one, text in ((maren, "Aus dem ersten Fenster"), (other, "Aus dem zweiten Fenster")):
        one.page.locator("#main [data-text]").fill(text)
        one.page.locator("#main [data-text]").press("Enter")
        expect(one.page.locator(".message--late", has_text=text)).to_be_visible()
    maren.page.close()
    context.set_offline(False)
    for text in ("Aus dem ersten Fenster", "Aus dem zweiten Fenster"):
        expect(jonas.message(text)).to_have_count(1)
        expect(other.message(text)).to_have_count(1)
    expect(other.page.locator(".message--late")).to_have_count(0)


def test_a_long_paste_is_kept_whole_and_said_to_be_too_long(visit: Visit) -> None:
    maren = visit("Maren")
    maren.open("einkauf")
    field = maren.page.locator("#main [data-text]")
    field.fill("a" * 20_003)
    expect(maren.page.locator("#main [data-why]")).to_have_text("3 characters too long")
    field.press("Enter")
    assert len(field.input_value()) == 20_003
    field.fill("kurz genug")
    expect(maren.page.locator("#main [data-why]")).to_have_text("")
    maren.write("kurz genug")


def test_a_message_that_failed_comes_back_with_all_that_belongs_to_it(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "plan.txt").write_text("Plan")
    maren = visit("Maren")
    maren.open("allgemein")
    main = maren.page.locator("#main")
    main.locator("[data-pick]").set_input_files(tmp_path / "plan.txt")
    expect(main.locator("[data-files] .file__note", has_text="ready")).to_have_count(1)
    topic = main.locator("[data-topic-field]")
    topic.evaluate("field => field.removeAttribute('maxlength')")
    topic.fill("Werft" * 20)  # which the server refuses
    main.locator("[data-priority]").select_option("important")
    main.locator("[data-text]").fill("Bitte lesen")
    main.locator("[data-text]").press("Enter")
    failed = maren.page.locator(".message--failed")
    expect(failed).to_be_visible()
    failed.get_by_role("button", name="Take back to the draft").click()
    expect(failed).to_have_count(0)
    expect(main.locator("[data-text]")).to_have_value("Bitte lesen")
    expect(topic).to_have_value("Werft" * 20)
    expect(main.locator("[data-priority]")).to_have_value("important")
    expect(main.locator("[data-files] .file__name")).to_have_text(["plan.txt"])
    topic.fill("Werft")
    maren.write("Bitte lesen")
    sent = maren.message("Bitte lesen").last
    expect(sent.locator(".file__name")).to_have_text(["plan.txt"])


@pytest.mark.parametrize("way", ["back", "escape", "button"])
def test_the_way_back_closes_a_thread_and_stays_in_the_conversation(visit: Visit, way: str) -> None:
    maren = visit("Maren", width=390 if way == "back" else 1440)
    page = maren.page
    page.goto(page.locator('.conv[data-name="allgemein"]').get_attribute("href") or "")
    maren.write("Wo liegt der Schlüssel?")
    below = page.url
    maren.act(maren.message("Wo liegt der Schlüssel?").last, "thread")
    expect(page.locator("[data-thread-panel]")).to_be_visible()
    page.locator("#main [data-text]").evaluate("field => field.dataset.same = '1'")
    assert "/t/" in page.url
    if way == "back":
        page.go_back()
    elif way == "escape":
        page.keyboard.press("Escape")
    else:
        page.locator("[data-panel-close]").click()
    expect(page.locator("[data-thread-panel]")).to_have_count(0)
    expect(page.locator("#main [data-same]")).to_have_count(1)  # the page was not drawn again
    page.wait_for_url(below)
    page.go_forward()
    expect(page.locator("[data-thread-panel]")).to_be_visible()
    expect(page.locator("#main [data-same]")).to_have_count(1)


def test_an_open_composer_follows_a_topic_that_goes_elsewhere(visit: Visit) -> None:
    maren, jonas = visit("Maren"), visit("Jonas")
    maren.open("allgemein")
    maren.page.locator("#main [data-topic-field]").fill("Kranfahrt")
    maren.write("Wer fährt den Kran?")
    jonas.open("allgemein")
    field = jonas.page.locator("#main [data-topic-field]")
    field.fill("kranfahrt")
    jonas.page.locator("#main [data-text]").press_sequentially("Ich")
    maren.act(maren.message("Wer fährt den Kran?").last, "more")
    maren.choose("Move")
    maren.page.locator("#dialog [name=topic]").fill("Hafen")
    maren.page.locator("#dialog").get_by_role("button", name="Move").click()
    expect(field).to_have_value("Hafen")
    jonas.write("Ich fahre")
    expect(jonas.page.locator(".topic", has_text="Kranfahrt")).to_have_count(0)


def test_an_edit_beside_an_open_thread_outlives_what_is_drawn_anew(visit: Visit) -> None:
    maren, jonas = visit("Maren"), visit("Jonas")
    maren.open("allgemein")
    jonas.open("allgemein")
    maren.write("Erste Frage")
    maren.write("Zweite Frage")
    maren.act(maren.message("Erste Frage").last, "thread")
    expect(maren.page.locator("[data-thread-panel]")).to_be_visible()
    start_edit(maren, "Zweite Frage")
    edited = maren.page.locator("[data-edit] textarea")
    edited.fill("Zweite Frage, genauer")
    jonas.write("Etwas anderes")
    jonas.act(jonas.message("Etwas anderes").last, "more")
    jonas.choose("Move")
    jonas.page.locator("#dialog [name=topic]").fill("Anderes")
    jonas.page.locator("#dialog").get_by_role("button", name="Move").click()
    expect(jonas.page.locator(".topic", has_text="Anderes").last).to_be_visible()
    expect(edited).to_have_value("Zweite Frage, genauer")
    edited.press("Enter")
    expect(jonas.message("Zweite Frage, genauer")).to_be_visible()


def test_a_failed_message_of_another_window_moves_nobody(visit: Visit) -> None:
    maren = visit("Maren", height=420)
    maren.open("allgemein")
    other = Visitor(maren.page.context.new_page())
    other.page.goto(maren.page.url)
    stream = other.page.locator("#main [data-stream]")
    assert stream.evaluate("stream => stream.scrollHeight - stream.clientHeight") > 100
    # Halfway: at the top older messages would come. What is looked at counts: above it something may still be loaded.
    stream.evaluate("stream => { stream.scrollTop = (stream.scrollHeight - stream.clientHeight) / 2; }")
    looked_at = stream.locator(".message").nth(
        stream.evaluate("""stream => {
            const { top, height } = stream.getBoundingClientRect();
            const all = [...stream.querySelectorAll(".message")];
            return all.findIndex((one) => one.getBoundingClientRect().bottom > top + height / 2);
        }""")
    )
    seen = other.page.locator(f"#{looked_at.get_attribute('id')}")
    place = seen.evaluate("one => one.getBoundingClientRect().top")
    topic = maren.page.locator("#main [data-topic-field]")
    topic.evaluate("field => field.removeAttribute('maxlength')")
    topic.fill("Werft" * 20)
    maren.page.locator("#main [data-text]").fill("Wird nicht gesendet")
    maren.page.locator("#main [data-text]").press("Enter")
    expect(maren.page.locator(".message--failed")).to_be_visible()
    expect(other.page.locator(".message--failed")).to_have_count(1)
    assert seen.evaluate("one => one.getBoundingClientRect().top") == pytest.approx(place, abs=1)
    other.page.locator(".message--failed").get_by_role("button", name="Take back to the draft").click()
    expect(maren.page.locator(".message--failed")).to_have_count(0)
