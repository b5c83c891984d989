"""One pass over all pages: German and English, light and dark, phone and desk. Nothing overflows, nothing is faint."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.visitor import Visitor

Visit = Callable[..., Visitor]
SHOTS = os.environ.get("CHATSYSTEM_SCREENSHOTS")
SIZES = {"small": (320, 640), "phone": (360, 780), "desk": (1440, 900)}
PAGES = {
    "conversation": "/o/nordlicht/",
    "channels": "/o/nordlicht/channels/",
    "new-channel": "/o/nordlicht/channels/new/",
    "write-to": "/o/nordlicht/direct/new/",
    "threads": "/o/nordlicht/threads/",
    "saved": "/o/nordlicht/saved/",
    "drafts": "/o/nordlicht/drafts/",
    "scheduled": "/o/nordlicht/scheduled/",
    "reminders": "/o/nordlicht/reminders/",
    "search-empty": "/o/nordlicht/search/",
    "search": "/o/nordlicht/search/?q=Kran",
    "settings": "/o/nordlicht/settings/",
    "ask": "/o/nordlicht/ask/",
    "console": "/o/nordlicht/console/",
    "console-people": "/o/nordlicht/console/people/",
    "console-conversations": "/o/nordlicht/console/conversations/",
    "console-documents": "/o/nordlicht/console/documents/",
    "console-runs": "/o/nordlicht/console/runs/",
    "console-settings": "/o/nordlicht/console/settings/",
    "console-status": "/o/nordlicht/console/status/",
    "console-audit": "/o/nordlicht/console/audit/",
    "console-imports": "/o/nordlicht/console/imports/",
}


THEMES = ("light", "dark")


def in_themes(*places: tuple[str, str]) -> list[tuple[str, str, str]]:
    """Return languages and sizes in both themes; in a run of everything one theme each, tomorrow the other."""
    every = [(language, size, theme) for language, size in places for theme in THEMES]
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return every
    day = datetime.now(UTC).toordinal()
    return [look for number, look in enumerate(every) if (number // 2 + number + day) % 2]


def _keep(page: Page, name: str) -> None:
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(SHOTS) / f"{name}.png")


@pytest.mark.parametrize(
    ("language", "size", "theme"),
    in_themes(("de-DE", "small"), ("de-DE", "phone"), ("de-DE", "desk"), ("en-GB", "phone")),
)
def test_every_page_stands(visit: Visit, language: str, theme: str, size: str) -> None:
    width, height = SIZES[size]
    maren = visit("Maren", language=language, theme=theme, width=width, height=height, is_phone=width < 640)
    found: dict[str, list[str]] = {}
    for name, address in PAGES.items():
        maren.page.goto(address)
        expect(maren.page.locator("html")).to_have_attribute("lang", language[:2])
        found[name] = maren.look()
        _keep(maren.page, f"{name}-{language[:2]}-{theme}-{width}")
    maren.page.goto("/o/nordlicht/")
    maren.page.locator("#main .thread-link, #main .message [data-act=thread]").first.evaluate(
        "link => link.click()"
    )
    expect(maren.page.locator("#panel [data-text]")).to_be_visible()
    found["thread"] = maren.look()
    _keep(maren.page, f"thread-{language[:2]}-{theme}-{width}")
    assert {name: problems for name, problems in found.items() if problems} == {}


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
        found[name] = stranger.look()
        _keep(stranger.page, f"{name}-{language[:2]}-{theme}-{width}")
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
    page = maren.page
    page.locator("#main").click(position={"x": 600, "y": 200})
    page.keyboard.press("k")
    expect(page.locator(".message:focus")).to_have_count(1)
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
