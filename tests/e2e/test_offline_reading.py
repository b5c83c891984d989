"""Conversations that were opened last are read without a connection, by who wants that and by nobody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.test_topics import new_channel
from tests.e2e.tour import keep
from tests.e2e.visitor import Visitor

Visit = Callable[..., Visitor]
# What is kept, once there is so much, or what there is after half a minute; nothing where nothing is to be kept.
KEPT = """async (wanted) => {
  for (const end = Date.now() + 30_000; ; await new Promise(requestAnimationFrame)) {
    const isOn = await caches.has("offline-pages");
    const kept = isOn ? await (await caches.open("offline-pages")).keys() : [];
    const paths = kept.map((request) => new URL(request.url).pathname).filter((path) => path !== "/owner");
    if (Date.now() > end || (isOn ? paths.length : null) === wanted) return isOn ? paths : null;
  }
}"""
GONE = """async (path) => {
  const pages = await caches.open("offline-pages");
  for (const end = Date.now() + 30_000; Date.now() < end; await new Promise(requestAnimationFrame)) {
    if (!(await pages.match(path))) return true;
  }
  return false;
}"""
AGED = """async () => {
  const pages = await caches.open("offline-pages");
  for (const request of await pages.keys()) {
    const page = await pages.match(request);
    const headers = new Headers(page.headers);
    if (headers.has("X-Kept-At")) headers.set("X-Kept-At", new Date(Date.now() - 25 * 3600 * 1000).toISOString());
    await pages.put(request, new Response(await page.text(), { headers }));
  }
}"""
# What was still on its way when a page is left ends as a failure in the console once a service worker asks for it.
CUT = ["ERR_INTERNET_DISCONNECTED", "ERR_FAILED", "WebSocket connection", "Failed to fetch"]
CUT_OFF = """async (place) => {
  const headers = { "HX-Request": "true" };
  const asked = () => fetch(place, { headers }).then((answer) => answer.text(), () => "data-kept-at=");
  while (!(await asked()).includes("data-kept-at=")) await new Promise(requestAnimationFrame);
}"""
CONTROLLED = """async () => {
  while (!navigator.serviceWorker.controller) await new Promise(requestAnimationFrame);
}"""


@contextmanager
def cut_off(page: Page, place: str) -> Iterator[None]:
    """Take the connection away, from the service worker as well, which hears of it a moment later than the page."""
    page.context.set_offline(True)
    page.evaluate(CUT_OFF, place)
    yield
    page.context.set_offline(False)


def switch_on(visitor: Visitor, label: str = "Keep the conversations I opened last on this device") -> None:
    visitor.page.goto("/o/nordlicht/settings/#offline")
    visitor.page.get_by_label(label).check()
    visitor.page.evaluate(CONTROLLED)


def kept(visitor: Visitor, wanted: int | None) -> list[str] | None:
    """Return what is kept, once there is so much of it."""
    found: list[str] | None = visitor.page.evaluate(KEPT, wanted)
    return found


def test_what_was_opened_is_read_without_a_connection(visit: Visit) -> None:
    maren = visit("Maren")
    maren.expected += CUT
    page = maren.page
    new_channel(maren, "funkloch")
    maren.write("Am Leuchtturm ist kein Netz")
    first = page.url
    switch_on(maren)
    page.goto(first)
    maren.open("allgemein")  # drawn by htmx into the page that stands
    assert len(kept(maren, 2) or []) == 2
    with cut_off(page, first):
        page.goto(first)
        expect(maren.message("Am Leuchtturm ist kein Netz")).to_be_visible()
        note = page.locator("[data-kept-note]")
        expect(note).to_contain_text("kept on this device")
        expect(page.locator("#banner .banner")).to_contain_text("No connection.")
        assert maren.look() == maren.audit() == []
        keep(page, "offline")
        maren.open("allgemein")
        expect(note).to_be_visible()
        maren.open("funkloch")
        page.locator("#main [data-text]").fill("Ich schreibe trotzdem")
        page.locator("#main [data-text]").press("Enter")
        expect(page.locator("#banner .banner")).to_contain_text("1 message is waiting")
        page.goto("/")  # where one begins: the conversation that was opened last
        expect(page.locator("[data-conversation-name]")).to_have_text("allgemein")
        expect(note).to_be_visible()
        maren.open("funkloch")
    expect(maren.message("Ich schreibe trotzdem")).to_be_visible()
    expect(page.locator("[data-kept-note]")).to_have_count(0)


@pytest.mark.parametrize(
    ("look", "label", "said"),
    [
        ({"theme": "dark"}, "Keep the conversations I opened last on this device", "kept on this device"),
        ({"language": "de-DE", "width": 360}, "Zuletzt geöffnete Unterhaltungen auf diesem Gerät behalten",
         "auf diesem Gerät behalten"),
    ],
)  # fmt: skip
def test_what_is_older_than_a_day_and_what_was_never_wanted_is_not_shown(
    visit: Visit, look: dict[str, Any], label: str, said: str
) -> None:
    jonas = visit("Jonas", **look)
    jonas.expected += CUT
    page = jonas.page
    here = page.url
    page.reload()
    assert kept(jonas, None) is None
    switch_on(jonas, label)
    assert jonas.look() == jonas.audit() == []
    jonas.page.locator("#offline").scroll_into_view_if_needed()
    keep(page, f"offline-setting-{look.get('width', 1440)}")
    page.goto(here)
    assert len(kept(jonas, 1) or []) == 1
    with cut_off(page, here):
        page.reload()
        expect(page.locator("[data-kept-note]")).to_contain_text(said)
        expect(page.locator("#banner .banner")).to_be_visible()
        assert jonas.look() == []
        keep(page, f"offline-{look.get('width', 1440)}")
        page.evaluate(AGED)
        with pytest.raises(Exception, match="ERR_"):
            page.reload()


def test_signing_out_takes_it_away_and_another_person_never_has_it(visit: Visit) -> None:
    tomasz = visit("Tomasz")
    tomasz.expected += CUT
    page = tomasz.page
    here = page.url
    switch_on(tomasz)
    page.goto(here)
    assert len(kept(tomasz, 1) or []) == 1
    page.goto("/o/nordlicht/settings/")
    tomasz.leave(page.get_by_role("button", name="Sign out", exact=True))
    assert kept(tomasz, None) is None
    with cut_off(page, here), pytest.raises(Exception, match="ERR_"):
        page.goto(here)


def test_whose_session_ended_is_told_so_and_keeps_nothing(visit: Visit) -> None:
    aylin = visit("Aylin")
    aylin.expected += [*CUT, "401", "403"]
    page = aylin.page
    switch_on(aylin)
    page.goto("/o/nordlicht/")
    assert len(kept(aylin, 1) or []) == 1
    page.context.clear_cookies()
    page.locator(".conv[data-conversation]:not([aria-current])").first.click()
    expect(page.locator(".toast--bad")).to_contain_text("You were signed out.")
    page.reload()
    page.wait_for_url("**/accounts/login/**")
    assert kept(aylin, None) is None


def test_who_is_taken_out_keeps_nothing_of_it(visit: Visit) -> None:
    maren, jonas = visit("Maren"), visit("Jonas")
    new_channel(maren, "zettelkasten")
    channel = maren.page.url
    jonas.page.goto("/o/nordlicht/channels/?q=zettelkasten")
    jonas.page.get_by_role("button", name="Join").click()
    expect(jonas.page.locator("[data-conversation-name]")).to_have_text("zettelkasten")
    jonas.expected += CUT
    switch_on(jonas)
    jonas.page.goto(channel)
    assert len(kept(jonas, 1) or []) == 1
    maren.page.goto(f"{channel}members/")
    maren.page.locator("[data-person]", has_text="Jonas").get_by_role("button", name="Remove").click()
    expect(jonas.page).not_to_have_url(channel)
    jonas.page.wait_for_load_state()
    assert jonas.page.evaluate(GONE, urlsplit(channel).path)
