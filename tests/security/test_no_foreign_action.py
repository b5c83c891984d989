"""SEC-14: no operation there is does anything for a foreign page, and none does anything when it is only looked at.

`test_cross_site.py` shows single ones in depth; here the list comes from the routes, so a new one is covered by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.middleware import csrf
from django.test import Client
from django.urls import Resolver404, resolve

from apps.accounts.api import authentication
from apps.accounts.models import Member
from apps.accounts.services import requests
from tests.accounts.sessions import open_session
from tests.factories.accounts import PASSWORD, MemberFactory
from tests.security.sizes import by_size, pieces
from tests.security.test_every_entrance import ASKED, ROUTES, address

# A cookie counts nowhere here: they take their own secret from the body, or change a number.
NEEDS_NO_TOKEN = {
    "api/v1/tokens/": "takes e-mail and password", "api/v1/tokens/refresh/": "takes a refresh token",
    "api/v1/tokens/revoke/": "takes a refresh token", "csp-report/": "browsers send it by themselves",
    **{
        f"oauth/{name}/": "takes a client's id and secret, or an access token"
        for name in ("token", "device-authorization", "introspect", "revoke", "userinfo")
    },
    "notifications/unsubscribe/<str:token>/": "mail programs post it (RFC 8058); the signed link is the right to do it",
}  # fmt: skip
BODIES = [
    ("application/json", '{"name":"stolen"}'),
    ("text/plain", '{"name":"stolen"}'),
    ("application/x-www-form-urlencoded", "name=stolen"),
]
# A link that nobody signed leads nowhere.
UNKNOWN = {"notifications/unsubscribe/<str:token>/": (404,)}
# Besides the page itself; the quick form takes them in turn.
LOOKS: tuple[Callable[[Client, str], object], ...] = (
    lambda client, where: client.get(where, headers={"hx-request": "true"}),
    lambda client, where: client.head(where),
    lambda client, where: client.options(where),
)
# What looking may write: when a session was last seen, and in the audit trail who looked.
KEEPS_TRACK = re.compile(r'"(django_session|usersessions_usersession)"|core_record_audit')


@pytest.fixture
def owner(db: None) -> Member:
    member = MemberFactory(role="owner")
    member.user.is_staff = member.user.is_superuser = True
    member.user.save()
    return member


@pytest.fixture
def victim(owner: Member) -> Client:
    """A browser that is signed in and shows a foreign page."""
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.cookies[settings.SESSION_COOKIE_NAME] = open_session(owner.user)
    return client


def place(route: str, owner: Member) -> str:
    return address(route).replace("/o/nowhere/", f"/o/{owner.organization.slug}/")


@contextmanager
def writes() -> Iterator[list[str]]:
    """Collect the statements that change rows, but for keeping track of sessions."""
    found: list[str] = []

    def watch(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        text = str(sql)
        changes = re.search(r"\b(INSERT INTO|UPDATE|DELETE FROM)\s+\S+|_record|chat_send_batch", text)
        if changes and not KEEPS_TRACK.search(text) and "FOR UPDATE" not in text and "FOR NO KEY" not in text:
            found.append(text[:200])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield found


def is_served(where: str) -> bool:
    """Whether there is a view behind an address: the made-up values of some patterns lead nowhere."""
    try:
        resolve(where)
    except Resolver404:
        return False
    return True


def acted(victim: Client, owner: Member, route: str) -> list[tuple[str, str, int]]:
    """Send what a foreign page can send; return what was not refused."""
    let_through, turn = [], len(route)
    others = ("PUT", "PATCH", "DELETE")  # pages take none of them
    some = others if route.startswith("api/") else others[turn % 3 :][:1]
    for method in ("POST", *by_size(quick=some, standard=others, full=others)):
        bodies = BODIES if method == "POST" else BODIES[:1]
        for content_type, body in by_size(
            quick=bodies[turn % len(bodies) :][:1], standard=bodies, full=bodies
        ):
            answer = victim.generic(
                method,
                place(route, owner),
                body,
                content_type=content_type,
                headers={"origin": "https://evil.example"},
            )
            if answer.status_code not in (403, 405) and is_served(place(route, owner)):
                let_through.append((method, content_type, answer.status_code))
    return let_through


@pytest.mark.parametrize("routes", pieces([route for route in ASKED if route not in NEEDS_NO_TOKEN]))
def test_a_foreign_page_does_nothing(victim: Client, owner: Member, routes: list[str]) -> None:
    for route in routes:
        with writes() as written:
            assert acted(victim, owner, route) == [], route
        assert written == [], route


@pytest.mark.parametrize("route", sorted(NEEDS_NO_TOKEN))
def test_what_needs_no_token_does_not_look_at_the_cookie(victim: Client, owner: Member, route: str) -> None:
    assert route in ROUTES
    with writes() as written:
        for content_type, body in BODIES:
            answer = victim.post(place(route, owner), body, content_type=content_type)
            assert answer.status_code in UNKNOWN.get(route, (204, 400, 401, 415))
    assert written == []


@pytest.mark.parametrize("routes", pieces(ASKED))
def test_looking_changes_nothing(victim: Client, owner: Member, routes: list[str]) -> None:
    for route in routes:
        where = place(route, owner)
        with writes() as written:
            assert victim.get(where).status_code < 500 or route == "readyz", route
            for look in by_size(quick=LOOKS[len(route) % len(LOOKS) :][:1], standard=LOOKS, full=LOOKS):
                look(victim, where)
        assert written == [], route
    assert victim.get("/api/v1/me/").status_code == 200, f"one of {routes} signed the browser out"


def test_signing_in_and_out_need_the_token_too(victim: Client, owner: Member) -> None:
    stranger = Client(enforce_csrf_checks=True)
    answer = stranger.post("/accounts/login/", {"login": owner.user.email, "password": PASSWORD})
    assert (answer.status_code, settings.SESSION_COOKIE_NAME in stranger.cookies) == (403, False)
    assert victim.post("/accounts/logout/").status_code == 403
    assert victim.get("/api/v1/me/").status_code == 200


def test_the_own_page_acts(victim: Client, owner: Member) -> None:
    page = victim.get(f"/o/{owner.organization.slug}/settings/").content.decode()
    token = re.search(r'"csrf": ?"([^"]+)"', page)
    assert token is not None
    headers = {"origin": "http://testserver", "x-csrftoken": token[1]}
    answer = victim.patch("/api/v1/me/", {"title": "x"}, content_type="application/json", headers=headers)
    assert answer.status_code == 200
    answer = victim.post("/accounts/logout/", headers=headers)
    assert answer.status_code == 302
    assert victim.get("/api/v1/me/").status_code == 401


def test_bite_without_the_check_a_foreign_page_acts(
    victim: Client, owner: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csrf.CsrfViewMiddleware, "process_view", lambda *_: None)
    monkeypatch.setattr(requests, "require_own_page", lambda _request: None)
    monkeypatch.setattr(authentication, "require_own_page", lambda _request: None, raising=False)
    routes = ["accounts/logout/", "o/<slug:slug>/settings/profile/", "api/v1/me/", "api/v1/api-keys/"]
    assert [route for route in routes if acted(victim, owner, route)] == routes


def test_bite_a_view_that_writes_when_it_is_looked_at_is_seen(
    victim: Client, owner: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    def home(*_args: Any, **_fields: Any) -> None:
        Member.objects.filter(pk=owner.pk).update(title="seen")

    monkeypatch.setattr("apps.accounts.settings_views._page", home)
    with writes() as written:
        victim.get(f"/o/{owner.organization.slug}/settings/")
    assert [text for text in written if "accounts_member" in text]
