"""No action by a foreign page: a cookie alone changes nothing."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client

from apps.accounts.models import ApiKey
from tests.accounts.sessions import open_session
from tests.factories.accounts import MemberFactory, api_key
from tests.walls import everywhere

ADDRESS = "/api/v1/api-keys/"
BODY = {"name": "stolen", "scopes": ["chat:read"], "days": 1}


@pytest.fixture
def member(db):
    return MemberFactory()


@pytest.fixture
def browser(member):
    client = Client(enforce_csrf_checks=True)
    client.cookies[settings.SESSION_COOKIE_NAME] = open_session(member.user)
    return client


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", '{"name":"stolen","scopes":["chat:read"]}'),
        ("text/plain", '{"name":"stolen","scopes":["chat:read"]}'),
        ("application/x-www-form-urlencoded", "name=stolen&scopes=chat:read"),
        ("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=name\r\n\r\nstolen\r\n--x--"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("origin", [None, "https://evil.example", "null", "http://testserver.evil.example"])
def test_a_cookie_without_the_token_writes_nothing(browser, content_type, body, origin):
    headers = {"origin": origin} if origin else {}
    response = browser.post(ADDRESS, body, content_type=content_type, headers=headers)
    assert response.status_code == 403
    with everywhere():
        assert not ApiKey.objects.exists()


def test_a_foreign_page_with_the_token_writes_nothing(browser):
    browser.get("/accounts/password/change/")
    token = browser.cookies[settings.CSRF_COOKIE_NAME].value
    headers = {"origin": "https://evil.example", "x-csrftoken": token}
    response = browser.post(ADDRESS, BODY, content_type="application/json", headers=headers)
    assert response.status_code == 403
    with everywhere():
        assert not ApiKey.objects.exists()


def test_reading_and_own_writes_work(browser, member):
    assert browser.get(ADDRESS).status_code == 200
    browser.get("/accounts/password/change/")
    token = browser.cookies[settings.CSRF_COOKIE_NAME].value
    headers = {"origin": "http://testserver", "x-csrftoken": token}
    response = browser.patch("/api/v1/me/", {"title": "x"}, content_type="application/json", headers=headers)
    assert response.status_code == 200, response.content


def test_a_key_needs_no_token(member):
    key = api_key(member).secret
    client = Client(enforce_csrf_checks=True)
    headers = {"authorization": f"Bearer {key}"}
    assert (
        client.patch(
            "/api/v1/me/", {"title": "x"}, content_type="application/json", headers=headers
        ).status_code
        == 200
    )
