"""The console in the browser: filters, selections and dialogs with scripts, and all of it without."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.visitor import Visitor

Visit = Callable[..., Visitor]
PEOPLE = "/o/nordlicht/console/people/"


def test_people_are_filtered_while_typing_and_the_address_keeps_it(visit: Visit) -> None:
    page = visit("Aylin").page
    page.goto(PEOPLE)
    expect(page.locator("[data-without-script]")).to_be_hidden()
    page.get_by_label("Find people").fill("tomasz")
    expect(page.locator("#found tbody tr")).to_have_count(1)
    expect(page).to_have_url(f"{page.url.partition('?')[0]}?q=tomasz&state=active")
    page.reload()
    expect(page.get_by_label("Find people")).to_have_value("tomasz")
    expect(page.locator("#found tbody tr")).to_have_count(1)


def test_a_range_is_selected_with_shift_and_the_bar_counts(visit: Visit) -> None:
    page = visit("Aylin").page
    page.goto(PEOPLE)
    bar, boxes = page.locator("[data-select-bar]"), page.locator("tbody .check")
    expect(bar).to_be_hidden()
    boxes.nth(0).click()
    boxes.nth(2).click(modifiers=["Shift"])
    expect(bar).to_contain_text("3 selected")
    expect(page.locator('tr[aria-selected="true"]')).to_have_count(3)
    page.get_by_role("button", name="Clear selection").click()
    expect(bar).to_be_hidden()
    expect(page.get_by_label("Select all on this page")).to_be_focused()


def test_a_member_opens_by_keyboard_and_escape_comes_back(visit: Visit) -> None:
    page = visit("Aylin").page
    page.goto(PEOPLE)
    link = page.get_by_role("link", name="Jonas Petersen", exact=True)
    link.focus()
    page.keyboard.press("Enter")
    dialog = page.locator("#dialog")
    expect(dialog).to_contain_text("Deactivating signs the person out everywhere")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(link).to_be_focused()


def test_inviting_shows_what_is_wrong_and_then_the_link(visit: Visit) -> None:
    aylin = visit("Aylin")
    aylin.expected.append("422")
    page = aylin.page
    page.goto(PEOPLE)
    page.get_by_role("link", name="Invite").click()
    dialog = page.locator("#dialog")
    dialog.get_by_label("E-mail").fill("maren.thiessen@nordlicht.example")
    dialog.get_by_role("button", name="Invite").click()
    expect(dialog).to_contain_text("This person is a member already.")
    dialog.get_by_label("E-mail").fill("new.colleague@nordlicht.example")
    dialog.get_by_role("button", name="Invite").click()
    expect(dialog).to_contain_text("The mail is written to a file")
    link = dialog.locator("[data-secret]").text_content()
    dialog.get_by_role("button", name="Copy").click()
    expect(dialog.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == link
    dialog.get_by_role("link", name="Done").click()
    row = page.locator("tr", has_text="new.colleague@nordlicht.example")
    row.get_by_role("button", name="Take back").click()
    expect(page.locator("#toasts")).to_contain_text("The invitation is taken back")
    expect(row).to_have_count(0)


@pytest.mark.parametrize("width", [360, 1440])
def test_without_scripts_everything_is_a_form(visit: Visit, width: int) -> None:
    page = visit("Aylin", scripts=False, width=width).page
    page.goto(PEOPLE)
    page.get_by_label("Find people").fill("tomasz")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#found tbody tr")).to_have_count(1)
    expect(page.get_by_role("toolbar")).to_be_visible()
    page.locator("#found tbody a").first.click()
    expect(page.get_by_role("heading", name="Tomasz")).to_be_visible()
    expect(page.get_by_role("button", name="Change role")).to_be_visible()


def test_settings_are_found_from_the_list_of_pages(visit: Visit) -> None:
    page = visit("Maren").page
    page.goto("/o/nordlicht/console/")
    field = page.locator("#list").get_by_label("Find a setting")
    field.fill("quota")
    field.press("Enter")
    expect(page.locator("#found")).to_contain_text("CHATSYSTEM_QUOTA_GB")
    expect(page.locator("#found tbody tr")).to_have_count(1)
