"""A line that is slow, breaks and lies, and a second window: nothing happens twice, and what goes on is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Route, expect

from tests.e2e.test_topics import new_channel
from tests.e2e.visitor import Visitor

Visit = Callable[..., Visitor]


def test_a_command_whose_answer_was_lost_runs_once(visit: Visit) -> None:
    maren = visit("Maren")
    maren.expected.append("ERR_")
    new_channel(maren, "zugfahrt")
    field, asked = maren.page.locator("#main [data-text]"), []

    def lose_the_first_answer(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) > 1:
            route.continue_()
        else:
            route.fetch()
            route.abort()

    maren.page.route("**/command/", lose_the_first_answer)
    field.fill("/me sitzt im Zug")
    field.press("Enter")
    said = maren.page.locator(".toast--bad")
    expect(said).to_contain_text("It may have been done all the same")
    expect(field).to_have_value("/me sitzt im Zug")
    field.press("Enter")
    expect(field).to_have_value("")
    maren.write("Angekommen")
    expect(maren.message("sitzt im Zug")).to_have_count(1)
    assert len(asked) == 2


def test_an_edit_saved_twice_on_a_slow_line_is_one_edit(visit: Visit) -> None:
    maren = visit("Maren")
    new_channel(maren, "langsam")
    maren.write("Der Zug kommt um acht")
    maren.act(maren.message("Der Zug kommt um acht"), "more")
    maren.choose("Edit")
    field = maren.page.locator("[data-edit] textarea")
    field.fill("Der Zug kommt um neun")
    held = maren.hold("**/edit/", lambda: field.press("Enter"))
    field.press("Enter")
    held.continue_()
    expect(maren.message("Der Zug kommt um neun")).to_be_visible()
    expect(maren.page.locator("[data-edit]")).to_have_count(0)
    expect(maren.page.locator(".toast--bad")).to_have_count(0)


def test_an_upload_goes_on_by_itself_when_there_is_a_line_again(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "fahrplan.csv").write_bytes(b"a;b\n1;2\n" * 700_000)
    maren = visit("Maren")
    maren.expected.append("ERR_")
    new_channel(maren, "tunnel")
    main = maren.page.locator("#main")
    is_cut = True

    def cut(route: Route) -> None:
        route.abort("internetdisconnected") if is_cut else route.continue_()

    maren.page.route("**/api/v1/files/*/content", cut)
    main.locator("[data-pick]").set_input_files(tmp_path / "fahrplan.csv")
    expect(main.locator("[data-files] .file__note")).to_contain_text("stopped at 0%")
    is_cut = False
    maren.page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(main.locator("[data-files] .file__note")).to_contain_text("ready")
    maren.write("Der Fahrplan")
    expect(maren.message("Der Fahrplan").locator(".file__name")).to_have_text("fahrplan.csv")


def test_emoji_that_could_not_be_loaded_are_asked_for_again(visit: Visit) -> None:
    maren = visit("Maren")
    maren.expected.append("ERR_")
    new_channel(maren, "zeichen")
    button = maren.page.locator("#main [data-emoji]")
    maren.page.route("**/emoji/*.json", lambda route: route.abort(), times=1)
    button.click()
    expect(maren.page.locator(".toast--bad")).to_contain_text(
        "The server does not answer. Try again in a moment."
    )
    maren.page.keyboard.press("Escape")
    button.click()
    expect(maren.page.locator(".emoji__item").first).to_be_visible()


def test_who_is_signed_out_elsewhere_is_told_how_to_go_on_and_loses_no_text(visit: Visit) -> None:
    maren = visit("Maren")
    maren.expected += ["401", "WebSocket connection", "403"]
    new_channel(maren, "abgemeldet")
    other = Visitor(maren.page.context.new_page())
    other.page.goto("/o/nordlicht/settings/")
    other.page.get_by_role("button", name="Sign out", exact=True).click()
    other.page.wait_for_url("**/accounts/**")
    banner = maren.page.locator("#banner [role=alert]")
    expect(banner).to_contain_text("You were signed out. Your text is kept in this browser.")
    assert maren.look() == []
    field = maren.page.locator("#main [data-text]")
    field.fill("Ein Satz, der noch nicht fertig ist")
    field.blur()
    maren.page.reload()
    maren.page.wait_for_url("**/accounts/login/**")
    assert maren.page.evaluate(
        "Object.values(localStorage).some((kept) => kept.includes('noch nicht fertig'))"
    )


def test_who_signs_in_again_in_another_window_goes_on_in_the_first(stack: Any, visit: Visit) -> None:
    maren = visit("Maren")
    maren.expected += ["401", "403", "WebSocket connection"]
    new_channel(maren, "wiederda")
    other = Visitor(maren.page.context.new_page())
    other.page.goto("/o/nordlicht/settings/")
    other.page.get_by_role("button", name="Sign out", exact=True).click()
    other.page.wait_for_url("**/accounts/**")
    banner = maren.page.locator("#banner [role=alert]")
    expect(banner).to_be_visible()
    person = stack.person("Maren")
    other.sign_in(person["email"], person["password"])
    maren.page.bring_to_front()
    maren.page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(banner).to_have_count(0)
    maren.write("Ich bin wieder da")
    maren.act(maren.message("Ich bin wieder da"), "more")
    maren.choose("Edit")
    field = maren.page.locator("[data-edit] textarea")
    field.fill("Ich bin wirklich wieder da")
    field.press("Enter")  # a write by a form, which carries the token of the new session
    expect(maren.message("Ich bin wirklich wieder da")).to_be_visible()
