"""SEC-24: no cache that people share ever gives one person's bytes to another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from apps.accounts.models import Member
from apps.core.http import middleware
from tests.accounts.sessions import open_session
from tests.factories.accounts import MemberFactory
from tests.factories.files import upload
from tests.security.protections import is_kept_apart
from tests.security.sizes import by_size
from tests.security.test_every_entrance import ROUTES, address

TRICKS = [
    "/api/v1/me/x.css", "/api/v1/me/.js", "/api/v1/me/;x.css", "/api/v1/me/?x.css", "/api/v1/me/%2e.css",
    "/api/v1/me/%0ax.css", "/static/../api/v1/me/", "/static/%2e%2e/api/v1/me/", "/static/..%2fapi/v1/me/",
    "/api/v1/me//x.png", "/api/v1/me/%23x.css", "/api/v1/me/%3fx.css", "/static/css/base.css/../../../api/v1/me/",
    "{home}settings/x.css", "{home}settings/%2e%2e/x.js", "{home}settings;x.css", "{home}x.css", "{home}?x.css",
    "{home}console/x.css",
]  # fmt: skip
HEADERS: list[dict[str, str]] = [
    {}, {"x-forwarded-host": "evil.example"}, {"x-original-url": "/static/css/base.css"}, {"x-rewrite-url": "/livez"},
    {"x-http-method-override": "GET"}, {"range": "bytes=0-10"}, {"accept": "text/css"},
    {"cache-control": "only-if-cached"},
]  # fmt: skip


@dataclass
class SharedCache:
    """A cache in front that keeps whatever RFC 9111 lets it keep, and takes a style's ending for a promise."""

    kept: dict[tuple[str, ...], Any] = field(default_factory=dict)
    vary: dict[str, list[str]] = field(default_factory=dict)

    def get(self, client: Client, path: str, headers: Mapping[str, str]) -> Any:
        """Answer from the cache or from the server."""
        found = self.kept.get(self._key(path, client, headers))
        if found is not None:
            return found
        answer = client.get(path, headers=dict(headers))
        said = answer.headers.get("Cache-Control", "")
        if "private" not in said and "no-store" not in said and not answer.cookies:
            self.vary[path] = [
                name.strip().lower() for name in answer.headers.get("Vary", "").split(",") if name
            ]
            self.kept[self._key(path, client, headers)] = answer
        return answer

    def _key(self, path: str, client: Client, headers: Mapping[str, str]) -> tuple[str, ...]:
        sent = {
            "cookie": client.cookies.output(header=""),
            **{name.lower(): value for name, value in headers.items()},
        }
        return (path, *(sent.get(name, "") for name in self.vary.get(path, [])))


def signed_in(member: Member) -> Client:
    client = Client(raise_request_exception=False)
    client.cookies[settings.SESSION_COOKIE_NAME] = open_session(member.user)
    return client


@pytest.fixture
def two(db: None) -> tuple[Member, Member]:
    first = MemberFactory(role="owner", name="Geheim Eins")
    return first, MemberFactory(organization=first.organization, role="owner", name="Geheim Zwei")


def paths(member: Member) -> list[str]:
    home = f"/o/{member.organization.slug}/"
    routes = [
        address(route).replace("/o/nowhere/", home) for route in ROUTES if not route.startswith("admin")
    ]
    some = routes[:: by_size(quick=3, standard=1, full=1)]
    return [*(trick.format(home=home) for trick in TRICKS), *some]


def foreign_bytes(two: tuple[Member, Member]) -> list[str]:
    """Let two people ask for everything through one cache; return where the second saw the first."""
    cache, (first, second) = SharedCache(), two
    one, other, seen = signed_in(first), signed_in(second), []
    for path in paths(first):
        cache.get(one, path, {})
        answer = cache.get(other, path, {})
        text = b"".join(answer) if answer.streaming else answer.content
        if first.user.email.encode() in text and second.user.email.encode() not in text:
            seen.append(path)
    return seen


def test_two_people_behind_one_cache_see_themselves_only(two: tuple[Member, Member]) -> None:
    assert foreign_bytes(two) == []


def test_whatever_is_answered_to_who_is_signed_in_is_kept_apart(two: tuple[Member, Member]) -> None:
    client = signed_in(two[0])
    file = upload(two[0], "a.txt", b"mine")
    seen = 0
    for path in [*paths(two[0]), f"/o/{two[0].organization.slug}/files/{file.id}/a.txt"]:
        for headers in HEADERS if path in TRICKS else HEADERS[:1]:
            answer = client.get(path, headers=headers)
            assert is_kept_apart(answer.headers), (path, headers, answer.headers.get("Cache-Control"))
            vary = {name.strip() for name in answer.headers.get("Vary", "").split(",")}
            assert {"Cookie", "Authorization"} <= vary, path
            assert b"evil.example" not in (b"" if answer.streaming else answer.content)
            seen += 1
    assert seen > 150 + by_size(quick=40, standard=200, full=200)


def test_a_styles_ending_does_not_show_the_page_behind_it(two: tuple[Member, Member]) -> None:
    client, first = signed_in(two[0]), two[0]
    assert first.user.email in client.get("/api/v1/me/").content.decode()
    for trick in TRICKS:
        path = trick.format(home=f"/o/{first.organization.slug}/")
        answer = client.get(path)
        shows = first.user.email.encode() in answer.content
        assert not shows or "?" in path, (path, answer.status_code)


def test_errors_and_what_has_not_changed_are_kept_apart_too(two: tuple[Member, Member]) -> None:
    client, home = signed_in(two[0]), f"/o/{two[0].organization.slug}/"
    file = upload(two[0], "a.txt", b"mine")
    where = f"{home}files/{file.id}/a.txt"
    tag = client.get(where).headers["ETag"]
    answers = {
        304: client.get(where, headers={"If-None-Match": tag}),
        403: Client(enforce_csrf_checks=True).post("/accounts/login/"),
        404: client.get(f"{home}nowhere"),
        405: client.put("/language/"),
        414: client.get(f"{home}?{'x' * 9000}"),
    }
    assert {status: answer.status_code for status, answer in answers.items()} == {
        status: status for status in answers
    }
    assert all(is_kept_apart(answer.headers) for answer in answers.values())


def test_static_files_are_public_and_carry_no_cookie(two: tuple[Member, Member], settings: Any) -> None:
    settings.WHITENOISE_USE_FINDERS = True
    client = signed_in(two[0])
    answer = client.get("/static/css/base.css")
    assert (answer.status_code, answer.cookies, "Set-Cookie" in answer.headers) == (200, {}, False)
    assert "public" in answer.headers["Cache-Control"]
    assert "Cookie" not in answer.headers.get("Vary", "")
    answer.close()


def test_bite_without_the_header_one_sees_the_other(
    two: tuple[Member, Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, "_keep_private", lambda _response: None)
    monkeypatch.setattr(middleware, "patch_vary_headers", lambda *_: None)
    monkeypatch.setattr("apps.accounts.middleware.patch_vary_headers", lambda *_: None)
    monkeypatch.setattr(SharedCache, "_key", lambda _self, path, _client, _headers: (path,))
    assert foreign_bytes(two)
