"""Lines that end, and sessions that end in another window: what waits is kept, and for whom it is."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import WebSocketRoute, expect

from tests.e2e.conftest import Stack
from tests.e2e.visitor import Visitor

Visit = Callable[..., Visitor]
SIGNED_OUT = "You were signed out. Your text is kept in this browser."
DRAFTS = """() => Object.entries(localStorage).filter(([name]) => name.startsWith("draft.") && !name.endsWith(".topic"))
    .map(([, text]) => text)"""


def second_tab(visitor: Visitor) -> Visitor:
    tab = Visitor(visitor.page.context.new_page())
    tab.page.goto(visitor.page.url)
    return tab


def sign_out(visitor: Visitor) -> None:
    visitor.page.goto("/accounts/logout/")
    visitor.page.locator("main button[type=submit]").first.click()
    visitor.page.wait_for_url("**/accounts/login/**")


def look_again(visitor: Visitor) -> None:
    """Come back to a window: headless ones are always looked at."""
    visitor.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_what_is_written_after_signing_out_elsewhere_is_kept(visit: Visit) -> None:
    maren = visit("Maren")
    maren.open("allgemein")
    maren.expected.append("status of 401")
    sign_out(second_tab(maren))
    expect(maren.page.locator("#banner")).to_contain_text(SIGNED_OUT)
    expect(maren.page.locator("#banner").get_by_role("link", name="Sign in")).to_be_visible()
    with maren.page.expect_response("**/draft/") as answered:
        maren.page.locator("#main [data-text]").fill("Nach dem Abmelden geschrieben")
    assert answered.value.status == 401
    maren.page.evaluate("0")
    assert maren.page.evaluate(DRAFTS) == ["Nach dem Abmelden geschrieben"]


def test_what_waits_is_not_sent_as_who_signs_in_next(visit: Visit, stack: Stack) -> None:
    maren, aylin = visit("Maren"), visit("Aylin")
    maren.open("allgemein")
    aylin.open("allgemein")
    maren.expected.append("status of 401")
    tab = second_tab(maren)
    sign_out(tab)
    expect(maren.page.locator("#banner")).to_contain_text(SIGNED_OUT)
    field = maren.page.locator("#main [data-text]")
    field.fill("Von Maren und von niemandem sonst")
    field.press("Enter")
    waiting = maren.page.locator(".message--late", has_text="Von Maren und von niemandem sonst")
    expect(waiting).to_be_visible()
    jonas = stack.person("Jonas")
    tab.sign_in(jonas["email"], jonas["password"])
    maren.expected.append("status of 403")  # the token of Maren's page is not that of this session
    look_again(maren)
    tab.open("allgemein")
    tab.write("Von Jonas nach dem Anmelden")
    expect(aylin.message("Von Jonas nach dem Anmelden")).to_have_count(1)
    expect(aylin.message("Von Maren und von niemandem sonst")).to_have_count(0)
    expect(waiting).to_be_visible()
    expect(maren.page.locator("#banner")).to_contain_text(SIGNED_OUT)


def test_a_session_that_ended_is_not_called_a_broken_line(visit: Visit) -> None:
    maren = visit("Maren")
    lines: list[WebSocketRoute] = []

    def relay(line: WebSocketRoute) -> None:
        lines.append(line)
        line.connect_to_server()

    maren.page.route_web_socket("**/ws/v1/**", relay)
    maren.page.reload()
    expect(maren.page.locator("[data-jump]")).to_be_visible()
    maren.page.wait_for_function("() => true")
    maren.expected += ["status of 401", "WebSocket connection"]
    maren.page.context.clear_cookies()
    lines[0].close()
    expect(maren.page.locator("#banner")).to_contain_text(SIGNED_OUT)


def test_a_line_that_swallows_everything_is_given_up(visit: Visit) -> None:
    maren = visit("Maren")
    tries: list[WebSocketRoute] = []

    def swallow_first(line: WebSocketRoute) -> None:
        tries.append(line)
        if len(tries) > 1:
            line.connect_to_server()

    maren.page.route_web_socket("**/ws/v1/**", swallow_first)
    maren.open("allgemein")
    maren.page.reload()
    field = maren.page.locator("#main [data-text]")
    field.fill("Aus dem Tunnel")
    field.press("Enter")
    expect(maren.page.locator(".message--late", has_text="Aus dem Tunnel")).to_be_visible()
    expect(maren.message("Aus dem Tunnel")).to_have_count(1)  # after fifteen seconds another line is tried


def test_emoji_come_after_a_break_and_one_failure_is_said_once(visit: Visit) -> None:
    maren = visit("Maren")
    maren.open("allgemein")
    maren.expected.append("ERR_INTERNET_DISCONNECTED")
    maren.page.route("**/emoji/en*.json", lambda route: route.abort("internetdisconnected"), times=2)
    button = maren.page.locator("#main [data-emoji]")
    for _ in range(2):
        button.click()
        expect(maren.page.locator(".toast--bad")).to_have_count(1)
        maren.page.keyboard.press("Escape")
        expect(maren.page.locator(".emoji")).to_have_count(0)
    maren.page.locator("[data-toast-close]").click()
    button.click()
    expect(maren.page.locator(".emoji__item").first).to_be_visible()


def test_a_draft_of_a_break_is_kept_with_the_next_line(visit: Visit) -> None:
    desk, phone = visit("Maren"), visit("Maren")
    lines: list[WebSocketRoute] = []

    def relay(line: WebSocketRoute) -> None:
        lines.append(line)
        line.connect_to_server()

    desk.page.route_web_socket("**/ws/v1/**", relay)
    desk.open("betrieb-offshore")
    desk.page.reload()
    desk.expected.append("ERR_INTERNET_DISCONNECTED")
    desk.page.route("**/draft/", lambda route: route.abort("internetdisconnected"), times=1)
    with desk.page.expect_event("requestfailed"):
        desk.page.locator("#main [data-text]").fill("Im Zug begonnen")
    phone.open("betrieb-offshore")
    field = phone.page.locator("#main [data-text]")
    expect(field).to_have_value("")
    lines[-1].close()
    expect(field).to_have_value("Im Zug begonnen")
    desk.page.locator("#main [data-text]").fill("")
    expect(field).to_have_value("")


def test_a_list_that_could_not_be_drawn_is_drawn_with_the_next_line(visit: Visit) -> None:
    desk, phone = visit("Maren"), visit("Maren")
    lines: list[WebSocketRoute] = []

    def relay(line: WebSocketRoute) -> None:
        lines.append(line)
        line.connect_to_server()

    desk.page.route_web_socket("**/ws/v1/**", relay)
    desk.open("allgemein")
    desk.page.reload()
    phone.open("einkauf")
    desk.expected += ["ERR_INTERNET_DISCONNECTED", "htmx:error"]
    desk.page.route("**/list/**", lambda route: route.abort("internetdisconnected"), times=1)
    with desk.page.expect_event("requestfailed"):
        phone.page.locator("#main [data-text]").fill("Am Bahnsteig begonnen")
    expect(desk.page.locator(".toast--bad")).to_have_count(0)
    draft = desk.page.locator('.conv[data-name="einkauf"] .conv__draft')
    expect(draft).to_have_count(0)
    lines[-1].close()
    expect(draft).to_have_count(1)
    phone.page.locator("#main [data-text]").fill("")
    expect(draft).to_have_count(0)
