"""One pass over all pages: German and English, light and dark, phone and desk. Nothing overflows, nothing is faint."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.tour import SIZES, Visit, in_themes, keep, walk
from tests.e2e.visitor import Visitor


@pytest.mark.parametrize(
    ("language", "size", "theme"), in_themes(("de-DE", "small"), ("de-DE", "phone"), ("en-GB", "phone"))
)
def test_every_page_stands(visit: Visit, language: str, theme: str, size: str) -> None:
    assert walk(visit, Visitor.look, language=language, size=size, theme=theme) == {}


@pytest.mark.parametrize(("language", "size", "theme"), in_themes(("de-DE", "phone"), ("en-GB", "desk")))
def test_pages_of_strangers_stand(visit: Visit, language: str, theme: str, size: str) -> None:
    width, height = SIZES[size]
    stranger = visit(None, language=language, theme=theme, width=width, height=height, is_phone=width < 640)
    stranger.expected.append("404")
    found: dict[str, list[str]] = {}
    pages = {
        "sign-in": "/accounts/login/",
        "reset": "/accounts/password/reset/",
        "missing": "/accounts/password/nothing-here/",
    }
    for name, address in pages.items():
        stranger.page.goto(address)
        found[name] = stranger.look() + stranger.audit()
        keep(stranger.page, f"{name}-{language[:2]}-{theme}-{width}")
    assert {name: problems for name, problems in found.items() if problems} == {}


def test_the_theme_is_chosen_in_the_rail_and_kept(visit: Visit) -> None:
    maren = visit("Aylin", theme="light")
    switch = maren.page.locator("[data-theme-switch]")
    switch.click()
    expect(maren.page.locator("html")).to_have_attribute("data-theme", "light")
    with maren.page.expect_response(
        lambda response: response.request.post_data in ("theme=dark", "theme=system")
    ):
        switch.click()
    expect(maren.page.locator("html")).to_have_attribute("data-theme", "dark")
    maren.page.reload()
    expect(maren.page.locator("html")).to_have_attribute("data-theme", "dark")
    with maren.page.expect_response(
        lambda response: response.request.post_data in ("theme=dark", "theme=system")
    ):
        switch.click()
    maren.page.reload()
    expect(maren.page.locator("html")).not_to_have_attribute("data-theme", "dark")


def test_keys_lead_through_the_conversation(visit: Visit) -> None:
    maren = visit("Maren")
    maren.open("allgemein")
    maren.write("Die Tasten führen hierher")
    page = maren.page
    page.locator("#main [data-text]").blur()
    page.keyboard.press("k")
    expect(maren.message("Die Tasten führen hierher").last).to_be_focused()
    page.keyboard.press("r")
    expect(page.locator("#panel [data-text]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("[data-thread-panel]")).to_have_count(0)
    page.keyboard.press("?")
    expect(page.locator("#dialog")).to_contain_text("Keyboard shortcuts")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+K")
    expect(page.locator("#palette input")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    expect(page.locator("#main [data-text]")).to_be_focused()
    page.keyboard.type("j k r")
    expect(page.locator("#main [data-text]")).to_have_value("j k r")
