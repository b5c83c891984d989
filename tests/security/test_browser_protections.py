"""SEC-13: every answer of every kind tells the browser what it may not do, and no nonce comes twice."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator, Mapping
from typing import Any

import httpx2
import pytest
from django.conf import settings
from django.test import Client
from prometheus_client import REGISTRY

from apps.accounts.models import Member
from apps.core.http import headers as protections
from apps.files.services import delivery
from tests.accounts.sessions import open_session
from tests.core.web_process import WebProcess, web_process
from tests.factories.accounts import PASSWORD, MemberFactory
from tests.factories.files import picture, upload
from tests.security.protections import missing_from, nonces_of, policy_of
from tests.security.test_every_entrance import ASKED, address

ADMIN = "admin/"


@pytest.fixture
def owner(db: None) -> Member:
    member = MemberFactory(role="owner")
    member.user.is_staff = member.user.is_superuser = True
    member.user.save()
    return member


@pytest.fixture
def browser(owner: Member) -> Client:
    client = Client(raise_request_exception=False)
    client.cookies[settings.SESSION_COOKIE_NAME] = open_session(owner.user)
    return client


def visits(owner: Member) -> list[str]:
    """The routes there are, and addresses nobody serves."""
    slug = owner.organization.slug
    routes = [address(route).replace("/o/nowhere/", f"/o/{slug}/") for route in ASKED]
    return [
        *routes,
        "/nowhere",
        "/o/nowhere/",
        f"/o/{slug}/nowhere",
        "/api/v1/nowhere",
        "/page?" + "x" * 9000,
    ]


def test_every_answer_is_protected_and_has_its_own_nonce_for_its_scripts(
    owner: Member, browser: Client
) -> None:
    visitor, seen, counted, shown, kinds = Client(raise_request_exception=False), set(), 0, 0, set()
    for client in (visitor, browser):
        for where in visits(owner):
            answer = client.get(where, headers={"Organization": str(owner.organization_id)})
            assert not missing_from(answer.headers), (where, answer.status_code, missing_from(answer.headers))
            kinds.add((answer.status_code, answer.headers.get("Content-Type", "").partition(";")[0]))
            seen |= set(nonces_of(answer.headers))
            counted += len(nonces_of(answer.headers))
            if client is browser:
                shown += scripts_that_carry_the_nonce(answer, where)
    assert counted == len(seen) >= 200
    assert shown > 50
    assert {(200, "text/html"), (404, "text/html"), (414, "text/html"), (200, "application/json")} <= kinds
    assert {(401, "application/problem+json"), (404, "application/problem+json")} <= kinds


def test_errors_of_every_status_are_protected(
    owner: Member, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = f"/o/{owner.organization.slug}/"
    found = {
        400: browser.get(home, headers={"host": "evil.example"}),
        403: Client(enforce_csrf_checks=True).post("/accounts/login/", {"login": "a", "password": "b"}),
        404: browser.get(f"{home}console/nowhere/"),
        405: Client().put("/language/"),
        413: browser.post(home, b"x" * (7 << 20), content_type="text/plain"),
        414: browser.get(f"{home}?{'x' * 9000}"),
    }
    with monkeypatch.context() as patch:
        patch.setattr("apps.accounts.views.redirect", lambda *_: 1 / 0)
        found[500] = browser.get("/")
    assert {answer.status_code for answer in found.values()} == set(found)
    assert {status: missing_from(answer.headers) for status, answer in found.items()} == {
        key: [] for key in found
    }


def scripts_that_carry_the_nonce(answer: Any, where: str) -> int:
    """Return how many scripts a page of ours has: all of them carry the one nonce of the answer."""
    is_page = answer.headers.get("Content-Type", "").startswith("text/html")
    if not is_page or where.startswith(("/admin", "/api", "/static")):
        return 0
    (nonce,) = nonces_of(answer.headers)
    assert policy_of(answer.headers)["script-src"] == [f"'nonce-{nonce}'"], where
    tags = re.findall(r"<script\b[^>]*>", answer.content.decode())
    for tag in tags:
        assert 'type="application/json"' in tag or f'nonce="{nonce}"' in tag, (where, tag)
    return len(tags)


def test_files_are_protected_and_sandboxed(owner: Member, browser: Client) -> None:
    for name, data in {
        "a.png": picture(),
        "a.html": b"<script>1</script>",
        "a.js": b"alert(1)",
        "a.css": b"a{}",
    }.items():
        file = upload(owner, name, data)
        answer = browser.get(f"/o/{owner.organization.slug}/files/{file.id}/{name}")
        assert not missing_from(answer.headers), (name, missing_from(answer.headers))
        assert "sandbox" in policy_of(answer.headers)


def test_cookies_are_out_of_reach_of_scripts(owner: Member) -> None:
    client = Client()
    client.get("/accounts/login/")
    client.post("/accounts/login/", {"login": owner.user.email, "password": PASSWORD})
    assert {settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME} <= set(client.cookies)
    for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME):
        cookie = client.cookies[name]
        assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"]) == (
            True,
            "Lax",
            "/",
            "",
        )


UPGRADE = (
    b"GET /ws/v1/ HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


@pytest.fixture(scope="module")
def web(django_db_setup: None, django_db_blocker: Any) -> Iterator[WebProcess]:
    """The product as it is behind a proxy that speaks https."""
    with (
        django_db_blocker.unblock(),
        web_process(
            DJANGO_SETTINGS_MODULE="tests.ops.product_settings",
            CHATSYSTEM_PUBLIC_URL="https://chat.example.org",
        ) as running,
    ):
        yield running


def over_the_wire(web: WebProcess, path: str, **options: Any) -> httpx2.Response:
    with web.client() as client:
        return client.get(path, **options)


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/accounts/login/", 200), ("/nowhere", 404), ("/static/css/base.css", 200), ("/static/js/app.js", 200),
        ("/static/nowhere.css", 404), ("/livez", 200), ("/readyz", 503), ("/metrics", 404), ("/api/v1/me/", 401),
        ("/api/v1/nowhere", 404), ("/.well-known/jwks.json", 200), ("/admin/", 302), ("/api/v1/schema/", 401),
        ("/ws/v1/", 404),
    ],
)  # fmt: skip
def test_over_https_everything_the_server_says_is_protected(web: WebProcess, path: str, status: int) -> None:
    answer = over_the_wire(web, path)
    assert answer.status_code in (status, 200)
    assert not missing_from(answer.headers, https=True), missing_from(answer.headers, https=True)


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    "said",
    [
        b"nonsense\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000000\r\n\r\n",
        UPGRADE,
    ],
    ids=["no request", "too large", "refused socket"],
)  # fmt: skip
def test_what_the_server_refuses_before_django_is_protected_too(web: WebProcess, said: bytes) -> None:
    with socket.create_connection(("127.0.0.1", web.port), timeout=20) as raw:
        raw.sendall(said)
        answer = b""
        while piece := raw.recv(4096):
            answer += piece
    head = answer.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    assert head[0].split(" ")[1].startswith("4")
    told = httpx2.Headers([tuple(line.split(": ", 1)) for line in head[1:]])
    assert not missing_from(told, https=True), (head, missing_from(told, https=True))


@pytest.mark.enable_socket
def test_over_https_cookies_are_bound_to_the_host(web: WebProcess) -> None:
    cookies = over_the_wire(web, "/accounts/login/").headers.get_list("set-cookie")
    assert [cookie for cookie in cookies if cookie.startswith("__Host-csrf=")]
    for cookie in cookies:
        parts = {part.strip().lower() for part in cookie.split(";")}
        assert {"secure", "httponly", "samesite=lax", "path=/"} <= parts
        assert not any(part.startswith("domain") for part in parts)


@pytest.mark.enable_socket
def test_no_other_site_may_read_an_answer(web: WebProcess) -> None:
    asking = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    with web.client() as client:
        for path in ("/api/v1/me/", "/static/js/app.js", "/accounts/login/", "/livez"):
            for answer in (client.options(path, headers=asking), client.get(path, headers=asking)):
                assert not [name for name in answer.headers if name.startswith("access-control-")], path


def test_a_report_of_a_browser_counts_and_tells_nothing(db: None, caplog: pytest.LogCaptureFixture) -> None:
    def count(directive: str) -> float:
        return REGISTRY.get_sample_value("chatsystem_policy_blocked_total", {"directive": directive}) or 0.0

    before, strange, client = count("script-src-elem"), count("other"), Client(enforce_csrf_checks=True)
    report = {
        "csp-report": {"effective-directive": "script-src-elem", "document-uri": "https://x/invite/geheim"}
    }
    for body in (json.dumps(report), "{", "[]", '{"csp-report":{"effective-directive":["x"]}}', "x" * 20_000):
        answer = client.post("/csp-report/", body, content_type="application/csp-report")
        assert (answer.status_code, answer.content) == (204, b"")
    assert (count("script-src-elem") - before, count("other") - strange) == (1, 4)
    assert "geheim" not in caplog.text


@pytest.mark.parametrize(
    ("lacking", "headers"),
    [
        ("script-src", {"Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'"}),
        ("default-src", {"Content-Security-Policy": "frame-ancestors 'none'"}),
        ("X-Content-Type-Options", {}),
        ("Access-Control-Allow-Origin", {"Access-Control-Allow-Origin": "*"}),
        ("Strict-Transport-Security", {"Strict-Transport-Security": "max-age=60"}),
    ],
)  # fmt: skip
def test_bite_the_probe_names_what_an_answer_lacks(lacking: str, headers: Mapping[str, str]) -> None:
    assert lacking in missing_from(headers, https=True)


def test_bite_a_nonce_that_is_used_again_is_seen(
    owner: Member, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        protections.ContentPolicy,
        "_make_nonce",
        lambda _self, request: setattr(request, "_csp_nonce", "a" * 24),
    )
    found = [nonces_of(browser.get("/accounts/login/").headers) for _ in range(2)]
    assert found[0] == found[1] != []


def test_bite_without_the_sandbox_a_file_is_seen(
    owner: Member, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "_SANDBOX", "default-src *")
    file = upload(owner, "a.txt", b"x")
    answer = browser.get(f"/o/{owner.organization.slug}/files/{file.id}/a.txt")
    assert {"script-src", "default-src"} <= set(missing_from(answer.headers))
