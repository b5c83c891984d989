"""Apps of others: registered in the console, let in on the consent page, back at the app; a device by its code."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import urlencode

import pytest
from oauthlib.oauth2 import WebApplicationClient
from playwright.sync_api import Page, expect

from tests.accounts.oauth import DEVICE_URN, basic_header
from tests.e2e.conftest import Stack
from tests.e2e.visitor import Visitor

Visit = Callable[..., Visitor]


@dataclass
class Receiver:
    """An app on a port of its own: another origin, as Chromium sees it."""

    address: str = ""
    paths: list[str] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    seen = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/back"):
                seen.paths.append(self.path)
            self.send_response(200 if self.path.startswith("/back") else 204)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<title>app</title>welcome back")

        def log_message(self, *_args: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    seen.address = f"http://127.0.0.1:{server.server_port}/back"
    yield seen
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def _plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let oauthlib's client speak to a loopback server."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


def register(page: Page, name: str, address: str, *, device: bool = False) -> tuple[str, str]:
    """Register an app in the console and return its id and secret."""
    page.goto("/o/nordlicht/console/apps/new/")
    page.locator("[name=name]").fill(name)
    page.locator("[name=redirect_uris]").fill(address)
    if device:
        page.locator("[name=grants][value=device_code]").check()
    page.locator("main form button[type=submit]").last.click()
    secret = page.locator("[data-secret]").inner_text()
    return page.locator("main code").first.inner_text(), secret


def ask(stack: Stack, path: str, client: tuple[str, str], body: str) -> dict[str, Any]:
    """Post a form as the app."""
    request = urllib.request.Request(
        f"{stack.url}{path}", body.encode(), {"Authorization": basic_header(*client)}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def sign_in(page: Page, person: dict[str, Any]) -> None:
    page.fill('[name="login"]', person["email"])
    page.fill('[name="password"]', person["password"])
    page.locator(".sheet button[type=submit]").first.click()


@pytest.mark.parametrize(("language", "allow"), [("en-GB", "Allow"), ("de-DE", "Erlauben")])
def test_a_person_lets_an_app_in_and_comes_back_to_it(
    stack: Stack, visit: Visit, receiver: Receiver, language: str, allow: str
) -> None:
    """oauthlib is the client: somebody else's idea of the protocol."""
    name = f"Wetter {language}"
    app, secret = register(visit("Maren").page, name, receiver.address)
    person = stack.person("Tomasz")
    for number in (1, 2):
        client = WebApplicationClient(app)
        verifier = client.create_code_verifier(64)
        address = client.prepare_request_uri(
            f"{stack.url}/oauth/authorize/",
            redirect_uri=receiver.address,
            scope=["openid", "chat:read"],
            state="s-1",
            code_challenge=client.create_code_challenge(verifier, "S256"),
            code_challenge_method="S256",
        )
        stranger = visit(None, language=language, width=320 if number == 1 else 1440)
        stranger.page.goto(address)
        sign_in(stranger.page, person)
        if number == 1:
            expect(stranger.page.locator("h1")).to_contain_text(name)
            assert stranger.page.evaluate("document.documentElement.scrollWidth") <= 320
            stranger.page.get_by_role("button", name=allow, exact=True).click()
        stranger.page.wait_for_url(f"{receiver.address}?**")
        expect(stranger.page.locator("body")).to_have_text("welcome back")
        back = f"{receiver.address.removesuffix('/back')}{receiver.paths[-1]}"
        said = client.parse_request_uri_response(back, state="s-1")
        body = client.prepare_request_body(
            code=said["code"], redirect_uri=receiver.address, code_verifier=verifier, include_client_id=False
        )
        tokens = client.parse_request_body_response(
            json.dumps(ask(stack, "/oauth/token/", (app, secret), body)), scope=["openid", "chat:read"]
        )
        request = urllib.request.Request(
            f"{stack.url}/api/v1/me/", headers={"Authorization": f"Bearer {tokens['access_token']}"}
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert json.load(answer)["name"] == person["name"]


@pytest.mark.parametrize(
    ("language", "texts"),
    [("en-GB", ("Allow", "The device is connected")), ("de-DE", ("Erlauben", "Das Gerät ist verbunden"))],
)
def test_a_device_is_let_in_by_its_code(
    stack: Stack, visit: Visit, receiver: Receiver, language: str, texts: tuple[str, str]
) -> None:
    client = register(visit("Maren").page, f"Tafel {language}", receiver.address, device=True)
    started = ask(stack, "/oauth/device-authorization/", client, "scope=openid")
    person = visit("Tomasz", language=language)
    person.page.goto(started["verification_uri"])
    person.page.locator("[name=user_code]").fill(started["user_code"].lower())
    person.page.locator(".sheet button[type=submit]").first.click()
    person.page.get_by_role("button", name=texts[0], exact=True).click()
    expect(person.page.locator("h1")).to_have_text(texts[1])
    body = urlencode({"grant_type": DEVICE_URN, "device_code": started["device_code"]})
    assert ask(stack, "/oauth/token/", client, body)["access_token"]
