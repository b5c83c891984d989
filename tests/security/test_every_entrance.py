"""Every entrance has a lock: each route is called without credentials, and only a short list lets one in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.security.realm import forget_limits
from tests.security.sizes import by_size, pieces

# What answers a visitor, with the reason; forms behind them are the business of the tests of accounts.
OPEN = {
    "livez": "an orchestrator asks",
    "readyz": "an orchestrator asks",
    "accounts/login/": "the way in",
    "accounts/logout/": "ends the session, if there is one",
    "accounts/login/code/": "the way in by a mailed code",
    "accounts/password/reset/": "the way back in",
    "accounts/password/reset/done/": "says that a mail was sent, to known and unknown addresses alike",
    "accounts/password/reset/key/done/": "says that the password was changed",
    "accounts/inactive/": "says that the account is switched off",
    "accounts/signup/": "refuses: accounts are made by invitation",
    "language/": "chooses a language, in a cookie",
    ".well-known/openid-configuration": "says what programs can ask here",
    ".well-known/oauth-authorization-server": "the same, by its other name",
    "csp-report/": "browsers tell what a page's policy blocked; it counts a number",
    ".well-known/jwks.json": "the public keys that others check our tokens with",
}
# Not pages of ours: they answer 404 or 410 to made-up links, which the tests of accounts show.
SAMPLES = {
    "uuid": lambda: str(uuid4()),
    "slug": lambda: "nowhere",
    "str": lambda: "x",
    "int": lambda: "1",
    "path": lambda: "x",
}


def routes(
    entries: list[URLPattern | URLResolver] | None = None, prefix: str = ""
) -> Iterator[tuple[str, URLPattern]]:
    """Yield every route with its pattern."""
    for entry in get_resolver().url_patterns if entries is None else entries:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry.url_patterns, route)
        else:
            yield route, entry


def address(route: str) -> str:
    """Return an address the route takes, with made-up values."""
    plain = re.sub(r"<(?:(\w+):)?\w+>", lambda found: SAMPLES.get(found[1] or "str", lambda: "x")(), route)
    plain = re.sub(r"\(\?P<\w+>[^)]*\)", "x", plain)
    return "/" + re.sub(r"[\^$\\?]", "", plain)


def asked(known: list[str]) -> list[str]:
    """Return the routes of this run: the admin makes the same pages for each model, and one stands for all in quick."""
    models: dict[str, list[str]] = {}
    for route in known:
        if route.startswith("admin/") and route.count("/") > 2:
            models.setdefault(route.split("/", 3)[3], []).append(route)
    chosen = {found[number * 7 % len(found)] for number, found in enumerate(models.values())}
    skipped = {route for found in models.values() for route in found} - chosen
    return [route for route in known if by_size(quick=route not in skipped, standard=True, full=True)]


ROUTES = sorted({route for route, _pattern in routes()})
ASKED = asked(ROUTES)


def test_the_walk_finds_the_doors():
    assert {"livez", "api/v1/me/", "o/<slug:slug>/"} <= set(ROUTES)
    assert len(ROUTES) > 60
    assert len(OPEN) <= 15


def test_every_kind_of_page_is_asked():
    assert {route for route in ROUTES if not route.startswith("admin/")} <= set(ASKED)
    pages = {
        route.split("/", 3)[-1] for route in ROUTES if route.startswith("admin/") and route.count("/") > 2
    }
    assert pages <= {route.split("/", 3)[-1] for route in ASKED}


@pytest.mark.parametrize("routes", pieces(ASKED))
def test_visitors_are_refused(db, routes):
    for route in routes:
        forget_limits()
        require_refusals(route)


def require_refusals(route):
    client = Client(raise_request_exception=False)
    for method in ("get", "post", "put", "patch", "delete"):
        response = client.generic(method.upper(), address(route), b"{}", content_type="application/json")
        said = f"{method} {route} answers {response.status_code} {response.get('Location', '')} to a visitor"
        assert response.status_code < 500, said
        if route in OPEN:
            continue
        assert response.status_code >= 300, said
        assert response.status_code >= 400 or "/accounts/login/" in response["Location"], said


@pytest.mark.parametrize("route", sorted(OPEN))
def test_open_doors_are_open(db, route):
    """The list names nothing that is gone."""
    assert route in ROUTES
    assert Client().get(address(route)).status_code in (200, 302, 405)


PAGES_OF_THE_API = {"api/v1/schema/swagger/", "api/v1/schema/redoc/"}


@pytest.mark.parametrize(
    "routes",
    pieces([route for route in ROUTES if route.startswith("api/") and route not in PAGES_OF_THE_API]),
)
def test_the_api_says_401_as_a_problem(db, routes):
    for route in routes:
        forget_limits()
        response = Client(raise_request_exception=False).get(address(route))
        assert response.status_code in (401, 405), (route, response.content)
        assert response["Content-Type"] == "application/problem+json", route
        assert response.status_code == 405 or response["WWW-Authenticate"], route
