"""From anywhere to anywhere by typing a part of its name."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.e2e.visitor import Visitor

Visit = Callable[..., Visitor]


def test_the_palette_leads_to_conversations_people_pages_and_commands(visit: Visit) -> None:
    maren = visit("Maren")
    page = maren.page
    palette = page.locator("#palette")
    field = palette.locator("input")
    maren.open("einkauf")
    page.keyboard.press("Control+K")
    field.fill("allg")
    expect(palette.get_by_role("option").first).to_contain_text("allgemein")
    field.press("Enter")
    expect(page.locator("[data-conversation-name]")).to_have_text("allgemein")
    expect(palette).to_be_hidden()

    page.locator("[data-palette]").click()
    field.fill("jonas")
    expect(palette.get_by_role("group", name="People").get_by_role("option")).to_have_count(1)
    assert maren.look() == []
    field.fill("status")
    field.press("Enter")
    expect(page.locator("h1")).to_have_text("Status")

    page.keyboard.press("Control+K")
    field.fill("shortcuts")
    expect(palette.get_by_role("group", name="Commands").get_by_role("option")).to_have_count(1)
    field.press("Enter")
    expect(page.locator("#dialog")).to_contain_text("Keyboard shortcuts")


def test_what_no_name_fits_is_searched_for(visit: Visit) -> None:
    maren = visit("Maren")
    page, palette = maren.page, maren.page.locator("#palette")
    page.keyboard.press("Control+K")
    palette.locator("input").fill("Getriebeöl & Wechsel")
    expect(palette.get_by_role("option")).to_have_text(
        ["Search messages and documents for “Getriebeöl & Wechsel”"]
    )
    palette.locator("input").press("Enter")
    expect(page.locator("input[name=q]").first).to_have_value("Getriebeöl & Wechsel")
    expect(page.locator(".hit").first).to_contain_text("Getriebe")


def test_commands_are_there_without_the_server(visit: Visit) -> None:
    maren = visit("Maren")
    maren.expected.append("ERR_FAILED")
    maren.page.route("**/palette/*", lambda route: route.abort())
    maren.page.keyboard.press("Control+K")
    palette = maren.page.locator("#palette")
    expect(palette).to_contain_text("commands still work")
    palette.locator("input").fill("shortcuts")
    palette.locator("input").press("Enter")
    expect(maren.page.locator("#dialog")).to_contain_text("Keyboard shortcuts")
