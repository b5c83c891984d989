"""Every page a signed-in person has, and a walk through all of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.visitor import Visitor

Visit = Callable[..., Visitor]
Find = Callable[[Visitor], list[str]]
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
    "unread": "/o/nordlicht/unread/",
    "reports": "/o/nordlicht/reports/",
    "documents": "/o/nordlicht/documents/",
    "documents-none": "/o/nordlicht/documents/?q=nirgends",
    "search-empty": "/o/nordlicht/search/",
    "search": "/o/nordlicht/search/?q=Kran",
    "settings": "/o/nordlicht/settings/",
    "ask": "/o/nordlicht/ask/",
    "notifications": "/o/nordlicht/notifications/",
    "own-data": "/o/nordlicht/privacy/",
    "status": "/o/nordlicht/status/",
    "console": "/o/nordlicht/console/",
    "console-group": "/o/nordlicht/console/groups/new/",
    "console-places": "/o/nordlicht/console/roles/places/",
    "console-rights": "/o/nordlicht/console/roles/rights/",
}

# Below the first conversation; the pages of the console are those its menu names.
PARTS = ("about", "members", "topics", "at-hand", "roles")

THEMES = ("light", "dark")


def in_themes(*places: tuple[str, str]) -> list[tuple[str, str, str]]:
    """Return languages and sizes in both themes; in a run of everything one theme each, tomorrow the other."""
    every = [(language, size, theme) for language, size in places for theme in THEMES]
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return every
    day = datetime.now(UTC).toordinal()
    return [look for number, look in enumerate(every) if (number // 2 + number + day) % 2]


def keep(page: Page, name: str) -> None:
    """Keep a picture of the page where pictures are wanted."""
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(SHOTS) / f"{name}.png")


def _linked(page: Page) -> dict[str, str]:
    """Return the pages of the console's menu, and those below a channel."""
    page.goto("/o/nordlicht/console/")
    menu = page.locator('#list a[href*="/console/"]')
    addresses: list[str] = menu.evaluate_all("links => links.map((link) => link.pathname)")
    page.goto("/o/nordlicht/")
    channel = page.locator('.conv[data-name="betrieb-offshore"]').get_attribute("href") or ""
    return {f"console-{address.split('/')[-2]}": address for address in addresses} | {
        part: f"{channel}{part}/" for part in PARTS
    }


def walk(visit: Visit, find: Find, *, language: str, size: str, theme: str) -> dict[str, list[str]]:
    """Go to every page, and to a thread; return what `find` says is wrong, by page."""
    width, height = SIZES[size]
    maren = visit("Maren", language=language, theme=theme, width=width, height=height, is_phone=width < 640)
    found: dict[str, list[str]] = {}
    for name, address in (PAGES | _linked(maren.page)).items():
        maren.page.goto(address)
        expect(maren.page.locator("html")).to_have_attribute("lang", language[:2])
        found[name] = find(maren)
        keep(maren.page, f"{name}-{language[:2]}-{theme}-{width}")
    maren.page.goto("/o/nordlicht/")
    maren.page.locator("#main .thread-link, #main .message [data-act=thread]").first.evaluate(
        "link => link.click()"
    )
    expect(maren.page.locator("#panel [data-text]")).to_be_visible()
    found["thread"] = find(maren)
    keep(maren.page, f"thread-{language[:2]}-{theme}-{width}")
    return {name: problems for name, problems in found.items() if problems}
