"""Somebody writes a search with operators: names are completed, filters are chips, a wrong one is corrected."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

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
