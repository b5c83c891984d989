"""Somebody writes a search with operators: names are completed, filters are chips, a wrong one is corrected."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.e2e.conftest import Stack
from tests.e2e.test_topics import new_channel
from tests.e2e.visitor import Visitor

Visit = Callable[..., Visitor]


def test_a_search_with_operators_by_keyboard(visit: Visit) -> None:
    maren = visit("Maren")
    maren.open("betrieb-offshore")
    maren.write("Der Flansch 4711 steht in https://example.org/flansch")
    maren.page.get_by_role("link", name="Search").first.click()
    field, options = maren.page.locator("#search-form input[name=q]"), maren.page.get_by_role("option")
    field.press_sequentially("von:me ha")
    expect(options.first).to_contain_text("has:")
    field.press("ArrowDown")
    field.press("Enter")
    expect(field).to_have_value("von:me has:")
    expect(options.first).to_contain_text("link")
    field.press("Tab")
    expect(field).to_have_value("von:me has:link ")
    chips = maren.page.locator("#results a.chip")
    expect(chips).to_have_count(2)
    expect(maren.page.locator(".hit__text").first).to_contain_text("Flansch 4711")

    chips.nth(1).focus()
    maren.page.keyboard.press("Enter")
    expect(chips).to_have_count(1)
    expect(field).to_have_value("von:me")

    maren.page.get_by_role("button", name="What can be written here").click()
    expect(maren.page.locator("#search-help")).to_contain_text("dm-including:")
    maren.page.keyboard.press("Escape")
    maren.expected.append("422")
    field.fill("form:me has:link")
    expect(maren.page.locator("#results .asked mark")).to_have_text("form:me")
    maren.page.get_by_role("link", name="from:me", exact=True).click()
    expect(maren.page.locator(".hit__text").first).to_contain_text("Flansch 4711")


def test_a_time_said_in_words_becomes_a_filter_on_a_phone(visit: Visit) -> None:
    maren = visit("Maren", language="de-DE", width=360, height=780, is_phone=True)
    page = maren.page
    page.goto("/o/nordlicht/search/?q=Kran+letzte+Woche")
    offer = page.get_by_role("group", name="Nur").get_by_role("link")
    expect(offer).to_have_count(1)
    offer.click()
    field = page.locator("#search-form input[name=q]")
    expect(field).to_have_value(re.compile(r"^Kran after:\d{4}-\d\d-\d\d before:\d{4}-\d\d-\d\d$"))
    expect(page.locator("#results .chip--on")).to_have_count(2)
    expect(page.get_by_role("checkbox", name="Dokument")).to_be_visible()
    assert maren.look() == []


def test_the_way_back_and_the_focus_are_kept(visit: Visit) -> None:
    maren = visit("Maren")
    page = maren.page
    page.goto("/o/nordlicht/search/")
    field, asked = page.locator("#search-form input[name=q]"), page.locator("#ask-instead a")
    length = page.evaluate("history.length")
    for word in ("Turm", "Kran", "mit"):  # an operator begins with the last one, too
        field.fill(word)
        expect(page).to_have_url(re.compile(f"q={word}$"))
        expect(asked).to_have_attribute("href", re.compile(f"q={word}$"))
    expect(page.locator("#live")).to_contain_text("you can open")
    expect(page.get_by_role("option")).to_have_count(1)
    field.press("Tab")
    expect(field).to_have_value("mit")
    expect(field).not_to_be_focused()
    field.press("Enter")
    field.fill("Turm")
    expect(page).to_have_url(re.compile(r"q=Turm$"))
    assert page.evaluate("history.length") == length + 1
    page.go_back()
    expect(field).to_have_value("mit")
    page.go_forward()
    expect(field).to_have_value("Turm")

    page.get_by_role("link", name="Show more").press("Enter")
    expect(page.locator(".hit__title").nth(10)).to_be_focused()
    hit = page.locator(".hit").first
    good = hit.get_by_role("button", name="Good hit")
    good.press("Enter")
    expect(good).to_have_attribute("aria-pressed", "true")
    expect(good).to_be_focused()
    hit.get_by_role("link", name="Why this hit").press("Enter")
    expect(hit.locator("summary")).to_be_focused()


def test_a_hit_that_is_gone_is_not_left_unexplained_without_a_word(stack: Stack, visit: Visit) -> None:
    maren = visit("Maren")
    new_channel(maren, "spillwinde")  # what is said together is found together
    maren.write("Die Spillwinde ist frei.")
    expect(maren.find("Spillwinde")).to_have_count(1)
    page = maren.page
    hit = page.locator(".hit", has_text="Spillwinde")
    message = (hit.locator(".hit__title").get_attribute("href") or "").rstrip("/").rpartition("/")[2]
    key = stack.person("Maren")["api_key"]
    gone = page.request.delete(f"/api/v1/messages/{message}/", headers={"Authorization": f"Bearer {key}"})
    assert gone.ok
    maren.expected.append("404")
    hit.get_by_role("link", name="Why this hit").press("Enter")
    expect(page.locator("#toasts")).to_contain_text("This hit does not exist any more")


def test_a_text_that_is_being_written_counts_once_it_is_read(visit: Visit) -> None:
    maren = visit("Maren")
    page = maren.page
    page.goto("/o/nordlicht/search/")
    field, draft = page.locator("#search-form input[name=q]"), page.locator("#results[data-finished]")
    with page.expect_response(re.compile(r"/finished/$")) as told:
        field.fill("Kran")
        expect(draft).to_have_count(1)
    assert told.value.status == 204
    field.press("Enter")
    expect(draft).to_have_count(0)
    field.fill("Krane")
    expect(draft).to_have_count(1)
    with page.expect_request(re.compile(r"/finished/$")):
        page.locator(".hit__title").first.click()
