"""Registered clients and own consents over REST: as in the console, with the same decisions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from apps.accounts.models import Member, OAuthClient, OAuthConsent
from tests.accounts.oauth import App, app_of, me, tokens_for
from tests.accounts.sessions import open_session
from tests.core.trail import entries
from tests.factories.accounts import MemberFactory, api_key
from tests.walls import everywhere

pytestmark = pytest.mark.django_db
CLIENTS = "/api/v1/oauth-clients/"
BODY = {
    "name": "Wetterdienst", "is_confidential": True, "redirect_uris": ["https://a.example.org/back"],
    "scopes": ["openid", "chat:read"],
}  # fmt: skip
Ask = Callable[..., Any]


@pytest.fixture
def owner() -> Member:
    return MemberFactory(role="owner")


def asking(member: Member) -> Ask:
    """Return a way to ask the API as somebody's browser."""
    client = Client()
    client.cookies["session"] = open_session(member.user)

    def ask(method: str, path: str, body: Any = None) -> Any:
        headers = {"Organization": member.organization.slug}
        return client.generic(method, path, body_of(body), content_type="application/json", headers=headers)

    return ask


def body_of(body: Any) -> bytes:
    import json

    return b"" if body is None else json.dumps(body).encode()


def count() -> int:
    with everywhere():
        return OAuthClient.objects.count()


def test_a_client_is_registered_shown_changed_and_replaced(owner: Member) -> None:
    ask = asking(owner)
    made = ask("POST", CLIENTS, BODY)
    assert made.status_code == 201, made.content
    assert made.json()["secret"].startswith("cs_")
    where = f"{CLIENTS}{made.json()['id']}/"
    shown = ask("GET", where).json()
    assert (shown["name"], shown["grants"]) == ("Wetterdienst", ["authorization_code", "refresh_token"])
    assert "secret" not in shown
    assert made.json()["secret"] not in ask("GET", CLIENTS).content.decode()
    changed = ask("PATCH", where, {"name": "Wetter", "scopes": ["openid"]}).json()
    assert (changed["name"], changed["scopes"], changed["redirect_uris"]) == (
        "Wetter",
        ["openid"],
        BODY["redirect_uris"],
    )
    renewed = ask("POST", f"{where}rotate/", {"overlap_hours": 1}).json()
    assert renewed["secret"] != made.json()["secret"]
    assert ask("GET", where).json()["previous_until"]
    told = [row.action for row in entries(owner.organization_id) if row.action.startswith("oauth_client.")]
    assert sorted(told) == ["oauth_client.changed", "oauth_client.created", "oauth_client.rotated"]


def test_switching_one_off_ends_its_tokens_and_on_lets_it_in_again(owner: Member) -> None:
    ask, app = asking(owner), app_of(owner.organization)
    member = MemberFactory(organization=owner.organization)
    access = tokens_for(app, member)["access_token"]
    assert me(access).status_code == 200
    off = ask("PATCH", f"{CLIENTS}{app.id}/", {"is_active": False})
    assert off.json()["disabled_at"]
    assert me(access).status_code == 401
    assert ask("PATCH", f"{CLIENTS}{app.id}/", {"is_active": True}).json()["disabled_at"] is None


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({**BODY, "redirect_uris": ["http://evil.example.org/"]}, 400, "accounts.redirect_not_valid"),
        ({**BODY, "grants": ["password"]}, 400, "core.invalid_input"),
        ({**BODY, "scopes": ["everything"]}, 400, "core.invalid_input"),
        ({**BODY, "owner_id": str(uuid4())}, 400, "core.invalid_input"),
        (
            {**BODY, "is_confidential": False, "grants": ["client_credentials"]},
            400,
            "accounts.grants_not_valid",
        ),
    ],
)
def test_bad_input_registers_nothing(owner: Member, body: Any, status: int, code: str) -> None:
    answer = asking(owner)("POST", CLIENTS, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert count() == 0


@pytest.mark.parametrize("role", ["member", "moderator", "guest", "auditor"])
def test_who_does_not_manage_keys_sees_and_changes_none(owner: Member, role: str) -> None:
    app = app_of(owner.organization)
    ask = asking(MemberFactory(organization=owner.organization, role=role))
    where = f"{CLIENTS}{app.id}/"
    for method, path, body in (
        ("GET", CLIENTS, None), ("POST", CLIENTS, BODY), ("GET", where, None), ("PATCH", where, {"name": "x"}),
        ("POST", f"{where}rotate/", {}),
    ):  # fmt: skip
        assert ask(method, path, body).status_code == 403
    assert count() == 1


def test_another_organizations_client_is_missing(owner: Member) -> None:
    foreign = app_of(MemberFactory(role="owner").organization)
    ask = asking(owner)
    for pk in (foreign.id, str(uuid4())):
        answer = ask("PATCH", f"{CLIENTS}{pk}/", {"is_active": False})
        assert (answer.status_code, answer.json()["code"]) == (404, "accounts.client_not_found")
    with everywhere():
        assert OAuthClient.objects.get(pk=UUID(foreign.id)).disabled_at is None


@pytest.fixture
def consented(owner: Member) -> tuple[Member, App, str]:
    """A member who let an app in, and the token the app has."""
    app, member = app_of(owner.organization), MemberFactory(organization=owner.organization)
    return member, app, tokens_for(app, member)["access_token"]


def test_a_person_sees_its_consents_and_takes_one_back(consented: tuple[Member, App, str]) -> None:
    member, app, access = consented
    ask = asking(member)
    (one,) = ask("GET", "/api/v1/me/consents/").json()["results"]
    assert (one["client_id"], one["client_name"]) == (app.id, app.values.name)
    assert ask("DELETE", f"/api/v1/me/consents/{one['id']}/").status_code == 204
    assert me(access).status_code == 401
    assert ask("DELETE", f"/api/v1/me/consents/{one['id']}/").json()["code"] == "accounts.consent_not_found"


def test_nobody_takes_back_what_another_allowed(owner: Member, consented: tuple[Member, App, str]) -> None:
    with everywhere():
        pk = OAuthConsent.objects.get().pk
    for other in (owner, MemberFactory(role="owner")):
        assert asking(other)("DELETE", f"/api/v1/me/consents/{pk}/").status_code == 404
    assert me(consented[2]).status_code == 200


def test_a_key_does_not_act_on_consents(owner: Member) -> None:
    client = Client(headers={"Authorization": f"Bearer {api_key(owner).secret}"})
    assert client.get("/api/v1/me/consents/").status_code == 403


def test_lists_cost_one_query_more_than_nothing(owner: Member, django_assert_max_num_queries: Any) -> None:
    for number in range(12):
        app_of(owner.organization, by=owner, name=f"App {number}")
    ask = asking(owner)
    with django_assert_max_num_queries(7):
        assert len(ask("GET", f"{CLIENTS}?limit=10").json()["results"]) == 10
