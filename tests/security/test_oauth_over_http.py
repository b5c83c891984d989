"""OAuth against a running web process, with the client of oauthlib: somebody else's idea of the protocol."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx2
import jwt
import pytest
from django.conf import settings
from django.db import connections
from lxml import html
from oauthlib.oauth2 import BackendApplicationClient, DeviceClient, WebApplicationClient

from apps.accounts.models import Member, OAuthDevice, TokenFamily
from tests.accounts.oauth import ALL_GRANTS, REDIRECT, SCOPES, App, app_of, told
from tests.accounts.sessions import open_session
from tests.core.web_process import PLAIN, WebProcess, web_process
from tests.factories.accounts import MemberFactory
from tests.walls import everywhere

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.enable_socket,
    pytest.mark.timeout(120),
    pytest.mark.usefixtures("redis"),
]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def web(django_db_setup: None, django_db_blocker: Any) -> Iterator[WebProcess]:
    with (
        django_db_blocker.unblock(),
        web_process(DJANGO_SETTINGS_MODULE="chatsystem.settings.test") as running,
    ):
        yield running


class Caller:
    """The app's and the person's HTTP, on one connection pool each."""

    def __init__(self, web: WebProcess, member: Member) -> None:
        self.member = member
        self.app: App = app_of(member.organization, grants=ALL_GRANTS, scopes=SCOPES)
        self.base = web.url
        self.http = httpx2.Client(base_url=self.base, auth=(self.app.id, self.app.secret), verify=PLAIN)
        self.browser = httpx2.Client(
            base_url=self.base,
            cookies={settings.SESSION_COOKIE_NAME: open_session(member.user)},
            verify=PLAIN,
        )

    def at(self, document: dict[str, Any], name: str) -> str:
        """Return the path of a door that the discovery document names."""
        return urlsplit(document[name]).path

    def press(self, address: str, **values: str) -> httpx2.Response:
        """Open a page and send its form."""
        page = self.browser.get(address)
        token = html.fromstring(page.content).xpath("//input[@name='csrfmiddlewaretoken']/@value")[0]
        return self.browser.post(address, data={"csrfmiddlewaretoken": token, **values})

    def me(self, token: str) -> httpx2.Response:
        """Ask the API who a token is."""
        return httpx2.get(
            f"{self.base}/api/v1/me/", headers={"Authorization": f"Bearer {token}"}, verify=PLAIN
        )


@pytest.fixture
def caller(web: WebProcess) -> Iterator[Caller]:
    made = Caller(web, MemberFactory())
    with made.http, made.browser:
        yield made


def test_code_refresh_userinfo_introspection_revocation(caller: Caller) -> None:
    document = caller.http.get("/.well-known/openid-configuration").json()
    client = WebApplicationClient(caller.app.id)
    verifier = client.create_code_verifier(64)
    address = client.prepare_request_uri(
        "https://x" + caller.at(document, "authorization_endpoint"),
        redirect_uri=REDIRECT,
        scope=["openid", "profile", "offline_access", "chat:read"],
        state="s-1",
        code_challenge=client.create_code_challenge(verifier, "S256"),
        code_challenge_method="S256",
        nonce="n-1",
    )
    answer = caller.press(address.removeprefix("https://x"), decision="allow")
    target = html.fromstring(answer.content).xpath("//a[@rel='noreferrer']/@href")[0]
    code = client.parse_request_uri_response(target, state="s-1")["code"]
    body = client.prepare_request_body(
        code=code, redirect_uri=REDIRECT, code_verifier=verifier, include_client_id=False
    )
    door = caller.at(document, "token_endpoint")
    first = client.parse_request_body_response(caller.http.post(door, content=body, headers=FORM).text)
    key_set = caller.http.get(caller.at(document, "jwks_uri")).json()["keys"]
    kid = jwt.get_unverified_header(first["id_token"])["kid"]
    claims = jwt.decode(
        first["id_token"],
        jwt.PyJWK(next(key for key in key_set if key["kid"] == kid)).key,
        algorithms=document["id_token_signing_alg_values_supported"],
        audience=caller.app.id,
        issuer=document["issuer"],
    )
    assert (claims["sub"], claims["nonce"]) == (str(caller.member.user_id), "n-1")
    assert caller.me(first["access_token"]).json()["id"] == claims["sub"]
    body = client.prepare_refresh_body(refresh_token=first["refresh_token"])
    second = client.parse_request_body_response(caller.http.post(door, content=body, headers=FORM).text)
    shown = caller.http.post(
        caller.at(document, "introspection_endpoint"), data={"token": second["access_token"]}
    )
    assert shown.json()["active"] is True
    said = httpx2.get(
        caller.base + caller.at(document, "userinfo_endpoint"),
        headers={"Authorization": f"Bearer {second['access_token']}"},
        verify=PLAIN,
    ).json()
    assert (said["sub"], said["name"]) == (claims["sub"], caller.member.name)
    url, headers, body = client.prepare_token_revocation_request(
        "https://x" + caller.at(document, "revocation_endpoint"), second["refresh_token"], "refresh_token"
    )
    assert caller.http.post(urlsplit(url).path, content=body, headers=headers).status_code == 200
    assert caller.me(second["access_token"]).status_code == 401


def test_a_program_by_itself(caller: Caller) -> None:
    client = BackendApplicationClient(caller.app.id)
    body = client.prepare_request_body(scope=["chat:read"])
    said = client.parse_request_body_response(
        caller.http.post("/oauth/token/", content=body, headers=FORM).text
    )
    assert caller.me(said["access_token"]).json()["kind"] == "service"


def test_a_device(caller: Caller) -> None:
    started = caller.http.post("/oauth/device-authorization/", data={"scope": "openid chat:read"}).json()
    answer = caller.press("/oauth/device/", user_code=started["user_code"], decision="allow")
    assert answer.status_code == 200
    client = DeviceClient(caller.app.id)
    body = client.prepare_request_body(started["device_code"], scope=None, include_client_id=False)
    said = client.parse_request_body_response(
        caller.http.post("/oauth/token/", content=body, headers=FORM).text
    )
    assert caller.me(said["access_token"]).json()["id"] == str(caller.member.user_id)
    with everywhere():
        assert OAuthDevice.objects.get().used_at is not None


@pytest.mark.parametrize("round_", range(3))
def test_of_eight_exchanges_of_one_code_at_once_none_keeps_its_tokens(caller: Caller, round_: int) -> None:
    address, verifier = caller.app.question()
    code = told(_Answer(caller.press(address, decision="allow")))["code"]
    barrier, answers = threading.Barrier(8), []

    def call() -> None:
        try:
            barrier.wait(10)
            answers.append(caller.app.exchange(code, verifier))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    won = [answer.json() for answer in answers if answer.status_code == 200]
    assert len(won) == 1, (round_, [answer.status_code for answer in answers])
    assert {answer.json()["error"] for answer in answers if answer.status_code != 200} == {"invalid_grant"}
    assert caller.me(won[0]["access_token"]).status_code == 401
    with everywhere():
        assert [row.end_reason for row in TokenFamily.objects.all()] == ["code_reused"]


class _Answer:
    """An answer over the wire, as the helper for Django's client reads it."""

    def __init__(self, response: httpx2.Response) -> None:
        self.content, self._headers = response.content, response.headers

    def get(self, name: str) -> str | None:
        """Return a header."""
        found: str | None = self._headers.get(name)
        return found
