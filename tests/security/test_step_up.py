"""What is dear asks for a fresh proof at each of its doors, of browsers and of clients with tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from apps.accounts.models import ApiKey, Member, TokenFamily, User
from apps.accounts.services import principal_cache
from apps.core.models import AuditEntry
from apps.runs.models import Run
from apps.security.models import PrivacyRequest
from tests.accounts.sessions import open_session
from tests.factories.accounts import PASSWORD, MemberFactory, api_key
from tests.walls import everywhere

pytestmark = pytest.mark.django_db
SOME = UUID(int=7)
ASKED = "/accounts/reauthenticate/"

PAGES = [
    ("POST", "settings/keys/"),
    ("POST", f"settings/keys/{SOME}/reactivate/"),
    ("POST", "privacy/exports/"),
    ("GET", f"privacy/exports/{SOME}/data.zip"),
    ("GET", "console/keys/accounts/new/"),
    ("POST", "console/keys/accounts/new/"),
    ("GET", f"console/keys/accounts/{SOME}/key/"),
    ("POST", f"console/keys/accounts/{SOME}/key/"),
    ("POST", f"console/keys/{SOME}/wake/"),
    ("GET", "console/privacy/new/"),
    ("POST", "console/privacy/new/"),
    ("POST", f"console/privacy/{SOME}/approve/"),
    ("POST", "console/encryption/rotate/"),
    ("POST", "console/audit/export/"),
    ("POST", "console/second-factor/"),
]
ACCOUNT = [
    ("GET", "/accounts/factors/app/"),
    ("POST", "/accounts/factors/app/"),
    ("GET", "/accounts/factors/app/picture.svg"),
    ("GET", "/accounts/factors/passkeys/"),
    ("POST", "/accounts/factors/passkeys/"),
    ("POST", "/accounts/factors/passkeys/options/"),
    ("POST", "/accounts/factors/7/remove/"),
    ("GET", "/accounts/factors/codes/"),
    ("POST", "/accounts/factors/codes/renew/"),
    ("GET", "/accounts/password/change/"),
    ("POST", "/accounts/password/change/"),
]
REST = [
    ("POST", "api-keys/"),
    ("POST", f"api-keys/{SOME}/rotate/"),
    ("POST", f"api-keys/{SOME}/reactivate/"),
    ("POST", "service-accounts/"),
    ("POST", "privacy/requests/"),
    ("PATCH", "second-factor-policy/"),
]
BROWSER_ONLY = [
    ("DELETE", "me/factors/7/"),
    ("POST", f"privacy/requests/{SOME}/approve/"),
    ("GET", f"privacy/requests/{SOME}/file"),
]


@pytest.fixture(autouse=True)
def _no_memory() -> None:
    principal_cache.follow(None)


@pytest.fixture
def owner() -> Member:
    """An owner who also runs the server: every door is open to it."""
    return MemberFactory(role="owner", user__is_staff=True)


def browser(member: Member, *, age_seconds: int) -> Client:
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = open_session(member.user, age_seconds=age_seconds)
    return client


def written() -> tuple[int, ...]:
    with everywhere():
        return tuple(
            model.objects.count() for model in (ApiKey, User, Member, PrivacyRequest, Run, AuditEntry)
        )


@pytest.mark.parametrize(("method", "path"), [*PAGES, *ACCOUNT])
def test_a_page_asks_who_proved_it_long_ago_and_nobody_else(owner: Member, method: str, path: str) -> None:
    address = path if path.startswith("/") else f"/o/{owner.organization.slug}/{path}"
    stale, before = browser(owner, age_seconds=601), written()
    asked = stale.generic(method, address)
    assert (asked.status_code, asked["Location"].partition("?")[0]) == (302, ASKED)
    assert written() == before
    fresh = browser(owner, age_seconds=590).generic(method, address)
    assert ASKED not in fresh.headers.get("Location", "")


@pytest.mark.parametrize(("method", "path"), [*REST, *BROWSER_ONLY])
def test_rest_asks_a_browser(owner: Member, method: str, path: str) -> None:
    before = written()
    asked = browser(owner, age_seconds=601).generic(method, f"/api/v1/{path}", "{}", "application/json")
    assert (asked.status_code, asked.json()["code"]) == (403, "accounts.step_up_required")
    assert written() == before
    fresh = browser(owner, age_seconds=590).generic(method, f"/api/v1/{path}", "{}", "application/json")
    assert b"accounts.step_up_required" not in fresh.content


@pytest.mark.parametrize(("method", "path"), REST)
def test_rest_asks_a_client_with_tokens_and_no_key(owner: Member, method: str, path: str) -> None:
    issued = Client().post(
        "/api/v1/tokens/", {"email": owner.user.email, "password": PASSWORD}, content_type="application/json"
    )
    by_token = Client(headers={"Authorization": f"Bearer {issued.json()['access_token']}"})
    fresh = by_token.generic(method, f"/api/v1/{path}", "{}", "application/json")
    assert b"accounts.step_up_required" not in fresh.content
    with everywhere():
        TokenFamily.objects.update(created_at=timezone.now() - timedelta(seconds=601))
    before = written()
    asked = by_token.generic(method, f"/api/v1/{path}", "{}", "application/json")
    assert (asked.status_code, asked.json()["code"]) == (403, "accounts.step_up_required")
    assert written() == before
    by_key: Any = Client(headers={"Authorization": f"Bearer {api_key(owner).secret}"})
    answer = by_key.generic(method, f"/api/v1/{path}", "{}", "application/json")
    assert b"accounts.step_up_required" not in answer.content
