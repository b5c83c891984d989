"""Second factors in a browser: set up and gate, and a passkey of the browser itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.accounts.factors import code_of
from tests.e2e.conftest import Stack
from tests.e2e.visitor import Visitor

Visit = Callable[..., Visitor]
GATE = "/o/nordlicht/console/second-factor/"


def fresh_code(secret: str) -> str:
    """Return a code of the half minute that has not been used: wait for the next one."""
    return code_of(secret, steps=1)


def set_up_app(visitor: Visitor) -> str:
    """Set up an authenticator app on the open page and return its secret."""
    page = visitor.page
    page.goto("/accounts/factors/app/")
    expect(page.locator(".factor-picture")).to_have_js_property("complete", True)
    assert page.locator(".factor-picture").evaluate("image => image.naturalWidth") > 0
    secret = re.sub(r"\s", "", page.locator("[data-secret]").inner_text())
    page.locator("#id_code").press_sequentially(code_of(secret))  # the sixth digit sends it
    page.wait_for_url("**/accounts/factors/codes/")
    expect(page.locator("[data-codes] code")).to_have_count(10)
    return secret


def remove_factors(visitor: Visitor) -> None:
    """Leave the demo as it was."""
    visitor.page.goto("/accounts/factors/")
    while visitor.page.get_by_role("button", name="Remove").count():
        visitor.leave(visitor.page.get_by_role("button", name="Remove").first)


@pytest.mark.parametrize("width", [1440, 320])
def test_an_app_is_set_up_and_asked_for(stack: Stack, visit: Visit, width: int) -> None:
    name = "Tomasz" if width == 1440 else "Jonas"
    person, visitor = stack.person(name), visit(name, width=width)
    visitor.page.goto("/accounts/factors/")
    assert visitor.look() == []
    secret = set_up_app(visitor)
    assert visitor.look() == []
    again = visit(None, width=width)
    again.page.goto("/accounts/login/")
    again.page.fill('[name="login"]', person["email"])
    again.page.fill('[name="password"]', person["password"])
    again.page.locator(".sheet button[type=submit]").first.click()
    again.page.wait_for_url("**/accounts/second-factor/")
    assert again.look() == []
    again.page.locator("#id_code").press_sequentially(fresh_code(secret))
    again.page.wait_for_url("**/o/**")
    remove_factors(again)


@pytest.fixture
def strict(stack: Stack, visit: Visit) -> Iterator[Visitor]:
    """Everybody in the demo's organization needs a factor; the owner has one and takes the policy back."""
    owner = visit(
        next(p["name"] for p in stack.people if p["organization"] == "nordlicht" and p["role"] == "owner")
    )
    set_up_app(owner)
    owner.page.goto(GATE)
    owner.page.select_option('[name="policy"]', "everybody")
    owner.page.fill('[name="grace_days"]', "0")
    owner.leave(owner.page.get_by_role("button", name="Save"))
    owner.page.goto(GATE)  # without the note that fades in
    yield owner
    owner.page.goto(GATE)
    owner.page.select_option('[name="policy"]', "nobody")
    owner.leave(owner.page.get_by_role("button", name="Save"))
    remove_factors(owner)


def test_the_gate_leads_to_the_set_up_and_opens_after_it(stack: Stack, visit: Visit, strict: Visitor) -> None:
    assert strict.look() == []
    bob, person = visit(None), stack.person("Tomasz")
    bob.expected.append("403")
    bob.page.goto("/accounts/login/")
    bob.page.fill('[name="login"]', person["email"])
    bob.page.fill('[name="password"]', person["password"])
    bob.page.locator(".sheet button[type=submit]").first.click()
    bob.page.wait_for_url("**/accounts/second-factor/required/**")
    assert bob.look() == []
    bob.page.get_by_role("link", name="Set up").click()
    set_up_app(bob)
    bob.page.goto("/o/nordlicht/")
    expect(bob.page.locator("#main")).to_be_visible()
    expect(bob.page).to_have_url(re.compile("/o/nordlicht/"))
    remove_factors(bob)
    assert strict.page.url.endswith(GATE)


def test_a_passkey_signs_in_alone_and_confirms(stack: Stack, visit: Visit) -> None:
    person, visitor = stack.person("Grace"), visit("Grace")
    page = visitor.page
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    device = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
              "isUserVerified": True, "automaticPresenceSimulation": True}  # fmt: skip
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": device})
    page.goto("/accounts/factors/passkeys/")
    assert visitor.look() == []
    page.fill("#id_name", "Laptop")
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url("**/accounts/factors/codes/")

    page.goto("/accounts/logout/")
    page.locator(".sheet button[type=submit]").click()
    page.goto("/accounts/login/")
    assert visitor.look() == []
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/o/**")

    page.goto("/accounts/logout/")
    page.locator(".sheet button[type=submit]").click()
    page.goto("/accounts/login/")
    page.fill('[name="login"]', person["email"])
    page.fill('[name="password"]', person["password"])
    page.locator(".sheet button[type=submit]").first.click()
    page.wait_for_url("**/accounts/second-factor/")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/o/**")

    page.goto("/accounts/factors/")
    expect(page.locator(".sheet")).to_contain_text("Laptop")
    remove_factors(visitor)
