"""Own settings: profile and picture, language, an API key that works, other browsers, single keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import expect

from tests.e2e.visitor import Visitor

Visit = Callable[..., Visitor]


def test_a_picture_is_shown_to_the_others(visit: Visit, tmp_path: Path) -> None:
    Image.new("RGB", (300, 200), (200, 120, 40)).save(tmp_path / "ich.png")
    aylin, jonas = visit("Aylin"), visit("Jonas")
    aylin.page.goto("/o/nordlicht/settings/")
    aylin.page.locator("#picture").set_input_files(tmp_path / "ich.png")
    aylin.page.get_by_role("button", name="Use picture").click()
    expect(aylin.page.locator(".toast")).to_contain_text("Picture saved")
    expect(aylin.page.locator("#profile .avatar img")).to_have_js_property("naturalWidth", value=256)
    aylin.page.goto("/o/nordlicht/")
    aylin.open("allgemein")
    jonas.open("allgemein")
    aylin.write("Mit Gesicht")
    own = aylin.message("Mit Gesicht")
    expect(own.or_(aylin.page.locator(".rail .avatar img")).first).to_be_visible()
    expect(aylin.page.locator(".rail .avatar img")).to_have_js_property("complete", value=True)
    jonas.page.reload()
    face = jonas.page.locator("#main .message", has_text="Aylin Demir").last.locator(".avatar img")
    expect(face.first).to_have_js_property("complete", value=True)


def test_the_language_changes_at_once_and_stays(visit: Visit) -> None:
    tomasz = visit("Tomasz")
    page = tomasz.page
    page.goto("/o/nordlicht/settings/")
    page.locator("#id_language").select_option("de")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("h1")).to_have_text("Einstellungen")
    page.goto("/o/nordlicht/channels/")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page.goto("/o/nordlicht/settings/")
    page.locator("#id_language").select_option("")
    page.get_by_role("button", name="Speichern", exact=True).click()
    expect(page.locator("h1")).to_have_text("Settings")


def test_a_new_key_is_shown_once_works_and_ends(visit: Visit) -> None:
    maren = visit("Maren")
    page = maren.page
    page.goto("/o/nordlicht/settings/")
    page.locator("#key_name").fill("Wetterdienst")
    page.get_by_role("button", name="Make key").click()
    secret = page.locator("#keys .notice code").inner_text()
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    bearer = {"Authorization": f"Bearer {secret}", "Cookie": ""}
    assert page.request.get("/api/v1/conversations/", headers=bearer).status == 200

    page.goto("/o/nordlicht/settings/")
    assert secret not in page.content()
    page.locator("#keys li", has_text="Wetterdienst").get_by_role("button", name="End key").click()
    expect(page.locator("#keys li", has_text="Wetterdienst")).to_contain_text("ended")
    maren.expected.append("401")
    assert page.request.get("/api/v1/conversations/", headers=bearer).status == 401


def test_another_browser_is_signed_out_from_here(visit: Visit) -> None:
    here, there = visit("Jonas"), visit("Jonas")
    there.open("allgemein")
    here.page.goto("/o/nordlicht/settings/")
    here.page.get_by_role("button", name="Sign out everywhere else").click()
    expect(here.page.locator("#sessions li")).to_have_count(1)
    there.expected += ["WebSocket", "401"]
    expect(there.page.locator("#banner .banner")).to_contain_text("You were signed out")
    there.page.reload()
    there.page.wait_for_url("**/accounts/login/**")


def test_single_keys_can_be_switched_off(visit: Visit) -> None:
    maren = visit("Maren")
    page = maren.page
    page.goto("/o/nordlicht/settings/")
    box = page.locator("#shortcuts .check")
    expect(box).to_be_checked()
    box.uncheck()
    page.reload()
    expect(page.locator("#shortcuts .check")).not_to_be_checked()
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(page.locator("#dialog")).to_be_hidden()
    page.locator("#shortcuts .check").check()
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(page.locator("#dialog")).to_contain_text("Keyboard shortcuts")
