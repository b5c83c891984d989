"""Explain access and look at pages as somebody else, in the browser: both languages, narrow and wide."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.visitor import Visitor

Visit = Callable[..., Visitor]
BASE = "/o/nordlicht/"


@pytest.mark.parametrize(
    ("language", "width", "press"),
    [
        ("en-GB", 1440, "Explain"),
        ("de-DE", 320, "Erklären"),
    ],
)
def test_access_is_explained_and_the_page_fits(visit: Visit, language: str, width: int, press: str) -> None:
    aylin = visit("Aylin", language=language, width=width)
    page = aylin.page
    page.goto(f"{BASE}console/access/")
    page.locator("#object").fill("allgemein")
    page.locator("#person").fill("Jonas Petersen")
    page.get_by_role("button", name=press).click()
    expect(page.locator("[data-answer]")).to_have_count(1)
    expect(page.locator("[data-answer] ol li")).not_to_have_count(0)
    assert aylin.look() == []
    page.locator("[data-answer] a").click()
    expect(page.locator("table.data tbody tr").first).to_be_visible()
    assert aylin.look() == []


@pytest.mark.parametrize(
    ("language", "width", "begin", "end"),
    [("en-GB", 1440, "Begin", "End"), ("de-DE", 320, "Beginnen", "Beenden")],
)
def test_pages_are_looked_at_as_somebody_else_and_it_ends(
    visit: Visit, language: str, width: int, begin: str, end: str
) -> None:
    aylin = visit("Aylin", language=language, width=width)
    aylin.expected.append("403")
    page = aylin.page
    page.goto(f"{BASE}console/people/?q=tomasz")
    page.locator("#found tbody a").first.click()
    dialog = page.locator("#dialog")
    dialog.locator('a[href$="/view/"]').click()
    dialog.locator('[name="reason"]').fill("A channel seems to be missing")
    dialog.get_by_role("button", name=begin).click()
    banner = page.locator("[data-view-as]")
    expect(banner).to_contain_text("Tomasz")
    assert aylin.look() == []
    answer = page.request.post(f"{BASE}settings/profile/", headers={"Referer": page.url}, form={"name": "x"})
    assert answer.status == 403
    page.goto(f"{BASE}settings/")
    expect(page.locator(".error-page__code").first).to_contain_text("accounts.view_as_hidden")
    page.goto(BASE)
    banner.get_by_role("button", name=end).click()
    page.wait_for_url("**/console/people/**")
    expect(banner).to_have_count(0)


@pytest.mark.parametrize(("language", "width"), [("en-GB", 1440), ("de-DE", 320)])
def test_one_right_is_given_in_one_place_and_taken_back(visit: Visit, language: str, width: int) -> None:
    aylin = visit("Aylin", language=language, width=width)
    page = aylin.page
    page.goto(f"{BASE}console/roles/rights/")
    assert aylin.look() == []
    page.locator('.bar__tools [hx-get$="/new/"]').click()
    dialog = page.locator("#dialog")
    dialog.locator('[name="person"]').fill("Tomasz Wójcik")
    dialog.locator('[name="place"]').fill("einkauf")
    dialog.locator('[name="permission"]').select_option("message.moderate")
    dialog.locator('[name="reason"]').fill("Urlaubsvertretung")
    dialog.locator("button[type=submit]").click()
    row = page.locator("table.data tbody tr", has_text="Tomasz")
    expect(row).to_contain_text("einkauf")
    assert aylin.look() == []
    row.get_by_role("button").click()
    expect(row).to_have_count(0)
