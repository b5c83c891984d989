"""The authorization code: who asks, what the person sees, what the client gets."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.test import Client
from django.utils import timezone
from lxml import html

from apps.accounts.models import Member, OAuthCode, OAuthConsent, TokenFamily
from apps.accounts.services import access_tokens
from tests.accounts.oauth import REDIRECT, App, app_of, browser_of, decide, me, public_app, tokens_for, told
from tests.factories.accounts import MemberFactory
from tests.walls import everywhere

pytestmark = pytest.mark.django_db


@pytest.fixture
def member() -> Member:
    return MemberFactory()


@pytest.fixture
def app(member: Member) -> App:
    return app_of(member.organization)


def key_of(token: str) -> Any:
    """Return the public key that the key set names for a token."""
    kid = jwt.get_unverified_header(token)["kid"]
    keys = Client().get("/.well-known/jwks.json").json()["keys"]
    return jwt.PyJWK(next(key for key in keys if key["kid"] == kid)).key


def test_a_person_lets_an_app_in(app: App, member: Member) -> None:
    address, verifier = app.question(state="s-1")
    browser = browser_of(member)
    page = browser.get(address)
    text = html.fromstring(page.content).text_content()
    assert "Wetterdienst" in text
    assert member.organization.name in text
    assert member.name in text
    assert "Read conversations and people" in text
    assert "Write messages" not in text
    answer = told(decide(browser, address))
    assert (answer["state"], answer["iss"], answer["from"]) == ("s-1", "http://testserver", "chat")
    tokens = app.exchange(answer["code"], verifier)
    assert tokens.status_code == 200, tokens.content
    assert tokens["Cache-Control"] == "no-store"
    said = tokens.json()
    assert said["token_type"] == "Bearer"
    assert said["scope"] == "openid profile offline_access chat:read"
    assert me(said["access_token"]).json()["id"] == str(member.user_id)
    claims = jwt.decode(said["access_token"], options={"verify_signature": False})
    assert (claims["client_id"], claims["org"], claims["scope"]) == (
        app.id,
        str(member.organization_id),
        said["scope"],
    )
    fresh = app.refresh(said["refresh_token"]).json()
    assert me(fresh["access_token"]).status_code == 200


@pytest.mark.parametrize("algorithm", ["RS256", "EdDSA"])
def test_the_id_token_says_who_signed_in(member: Member, algorithm: str) -> None:
    app = app_of(member.organization, id_token_algorithm=algorithm)
    said = tokens_for(app, member, nonce="n-77")
    claims = jwt.decode(
        said["id_token"],
        key_of(said["id_token"]),
        algorithms=[algorithm],
        audience=app.id,
        issuer=access_tokens.issuer(),
    )
    assert (claims["sub"], claims["nonce"]) == (str(member.user_id), "n-77")
    assert claims["auth_time"] <= claims["iat"] < claims["exp"] == claims["iat"] + 600


def test_an_id_token_opens_nothing(app: App, member: Member) -> None:
    assert me(tokens_for(app, member)["id_token"]).status_code == 401


def test_consent_is_remembered_for_what_was_allowed(app: App, member: Member) -> None:
    tokens_for(app, member)
    browser = browser_of(member)
    address, verifier = app.question()
    answer = browser.get(address)
    assert answer.status_code == 303
    assert answer["Location"].startswith(f"{REDIRECT}&code=co_")
    assert app.exchange(told(answer)["code"], verifier).status_code == 200
    assert browser.get(app.question(scope="openid chat:write")[0]).status_code == 200
    assert browser.get(app.question(prompt="consent")[0]).status_code == 200


def test_after_a_form_of_ours_the_way_back_is_a_page(app: App, member: Member) -> None:
    """`form-action 'self'` covers redirects after sign-in, too."""
    tokens_for(app, member)
    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Referer": "http://testserver/accounts/login/"}):
        answer = browser_of(member).get(app.question()[0], headers=headers)
        assert answer.status_code == 200
        assert told(answer)["code"]
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Referer": "http://testserver.evil.example/"}):
        assert browser_of(member).get(app.question()[0], headers=headers).status_code == 303


def test_a_public_app_without_a_provable_address_is_asked_about_each_time(member: Member) -> None:
    app = public_app(member.organization, redirect_uris=["http://127.0.0.1/back"])
    app.redirect_uri = "http://127.0.0.1:51234/back"
    for _ in range(2):
        assert tokens_for(app, member)["access_token"]
        assert browser_of(member).get(app.question()[0]).status_code == 200


def test_no_means_no(app: App, member: Member) -> None:
    answer = told(decide(browser_of(member), app.question(state="x")[0], "deny"))
    assert (answer["error"], answer["state"]) == ("access_denied", "x")
    with everywhere():
        assert not OAuthCode.objects.exists()
        assert not OAuthConsent.objects.exists()


def test_without_offline_access_there_is_no_refresh_token(app: App, member: Member) -> None:
    said = tokens_for(app, member, scope="openid")
    assert "refresh_token" not in said
    with everywhere():
        family = TokenFamily.objects.get()
    assert family.ends_at - family.created_at <= timedelta(minutes=11)
    assert me(said["access_token"]).status_code == 200


def test_a_code_is_over_after_a_minute(app: App, member: Member) -> None:
    address, verifier = app.question()
    code = told(decide(browser_of(member), address))["code"]
    with everywhere():
        assert OAuthCode.objects.get().expires_at <= timezone.now() + timedelta(seconds=60)
        OAuthCode.objects.update(expires_at=timezone.now())
    answer = app.exchange(code, verifier)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    with everywhere():
        assert not TokenFamily.objects.exists()


def test_a_code_used_twice_ends_what_it_made(app: App, member: Member) -> None:
    address, verifier = app.question()
    code = told(decide(browser_of(member), address))["code"]
    said = app.exchange(code, verifier).json()
    assert me(said["access_token"]).status_code == 200
    again = app.exchange(code, verifier)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert me(said["access_token"]).status_code == 401
    assert app.refresh(said["refresh_token"]).json()["error"] == "invalid_grant"
    with everywhere():
        assert TokenFamily.objects.get().end_reason == "code_reused"


def test_a_visitor_signs_in_first_and_comes_back(app: App, member: Member) -> None:
    address, _ = app.question()
    answer = Client().get(address)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/?next=/oauth/authorize/%3F")
