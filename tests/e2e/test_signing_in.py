"""The way in: the administrator's one-time link, the form, and out again."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.e2e.conftest import Stack
from tests.e2e.visitor import Visitor

Visit = Callable[..., Visitor]


def test_the_printed_link_signs_in_once(stack: Stack, visit: Visit) -> None:
    administrator = visit(None)
    administrator.page.goto(stack.link)
    administrator.page.locator(".sheet button[type=submit]").click()
    administrator.page.wait_for_url("**/o/**")
    expect(administrator.page.locator("#main [data-stream]")).to_be_visible()

    second = visit(None)
    second.expected.append("410")
    second.expected.append("404")
    second.page.goto(stack.link)
    expect(second.page.locator(".error-page__code").first).to_be_visible()


def test_a_wrong_password_says_so_and_keeps_the_address(stack: Stack, visit: Visit) -> None:
    person = stack.person("Tomasz")
    stranger = visit(None)
    stranger.page.goto("/accounts/login/")
    stranger.page.fill('[name="login"]', person["email"])
    stranger.page.fill('[name="password"]', "not the password")
    stranger.page.locator(".sheet button[type=submit]").first.click()
    expect(stranger.page.locator(".field__error, .notice--bad").first).to_be_visible()
    expect(stranger.page.locator('[name="login"]')).to_have_value(person["email"])


def test_pages_ask_visitors_to_sign_in_and_bring_them_back(stack: Stack, visit: Visit) -> None:
    person = stack.person("Tomasz")
    stranger = visit(None)
    stranger.page.goto("/o/nordlicht/settings/")
    stranger.page.fill('[name="login"]', person["email"])
    stranger.page.fill('[name="password"]', person["password"])
    stranger.page.locator(".sheet button[type=submit]").first.click()
    stranger.page.wait_for_url("**/o/nordlicht/settings/")
    stranger.page.get_by_role("button", name="Sign out", exact=True).click()
    stranger.page.goto("/o/nordlicht/")
    stranger.page.wait_for_url("**/accounts/login/**")
