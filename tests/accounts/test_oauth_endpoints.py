"""The endpoints that programs call: every way to get tokens, and what is said of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from lxml import html

from apps.accounts.models import Member, OAuthClient, OAuthDevice, TokenFamily
from apps.accounts.services import oauth_clients
from apps.core import tenancy
from tests.accounts.oauth import DEVICE_URN, App, app_of, basic_header, browser_of, me, public_app, tokens_for
from tests.factories.accounts import MemberFactory, principal_of
from tests.walls import everywhere

pytestmark = pytest.mark.django_db


@pytest.fixture
def member() -> Member:
    return MemberFactory()


@pytest.fixture
def app(member: Member) -> App:
    return app_of(member.organization)


def type_code(browser: Client, code: str, decision: str = "") -> Any:
    """Type a code on the device page, and maybe answer."""
    page = browser.get("/oauth/device/")
    token = html.fromstring(page.content).xpath("//input[@name='csrfmiddlewaretoken']/@value")[0]
    values = {"user_code": code, "csrfmiddlewaretoken": token, **({"decision": decision} if decision else {})}
    return browser.post("/oauth/device/", values)


def start(app: App, **values: str) -> dict[str, Any]:
    answer = app.post("device-authorization", scope="openid offline_access chat:read", **values)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def poll(app: App, started: dict[str, Any]) -> Any:
    """Ask as late as the server wants it."""
    with everywhere():
        OAuthDevice.objects.update(polled_at=None)
    return app.post("token", grant_type=DEVICE_URN, device_code=started["device_code"])


def test_an_app_acts_for_itself_as_its_service_account(app: App) -> None:
    answer = app.post("token", grant_type="client_credentials", scope="chat:read")
    assert answer.status_code == 200, answer.content
    said = answer.json()
    assert (said["scope"], said["expires_in"]) == ("chat:read", 600)
    assert not {"refresh_token", "id_token"} & set(said)
    with everywhere():
        client = OAuthClient.objects.get()
    shown = me(said["access_token"]).json()
    assert (shown["id"], shown["kind"]) == (str(client.service_id), "service")
    assert (
        app.post("token", grant_type="client_credentials", scope="openid").json()["error"] == "invalid_scope"
    )


def test_a_switched_off_service_account_gets_nothing(app: App) -> None:
    with everywhere():
        Member.objects.filter(user__kind="service").update(deactivated_at=timezone.now())
    answer = app.post("token", grant_type="client_credentials")
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


def test_a_device_is_let_in_by_a_person(member: Member) -> None:
    app = public_app(member.organization)
    started = start(app)
    assert started["verification_uri"] == "http://testserver/oauth/device/"
    assert poll(app, started).json()["error"] == "authorization_pending"
    browser = browser_of(member)
    page = type_code(browser, started["user_code"].lower().replace("-", " "))
    text = html.fromstring(page.content).text_content()
    assert page.status_code == 200
    assert "Wetterdienst" in text
    assert "127.0.0.1" in text
    assert poll(app, started).json()["error"] == "authorization_pending"
    assert type_code(browser, started["user_code"], "allow").status_code == 200
    answer = poll(app, started)
    assert answer.status_code == 200, answer.content
    said = answer.json()
    assert me(said["access_token"]).json()["id"] == str(member.user_id)
    assert said["id_token"]
    assert said["refresh_token"]
    assert poll(app, started).json()["error"] == "invalid_grant"
    assert type_code(browser, started["user_code"], "allow").status_code == 422


def test_a_device_that_asks_too_often_slows_down(member: Member) -> None:
    app = public_app(member.organization)
    started = start(app)
    asked = {"grant_type": DEVICE_URN, "device_code": started["device_code"]}
    assert app.post("token", **asked).json()["error"] == "authorization_pending"
    for seconds in (10, 15):
        assert app.post("token", **asked).json()["error"] == "slow_down"
        with everywhere():
            assert OAuthDevice.objects.get().interval_seconds == seconds


def test_a_device_is_turned_away_or_too_late(member: Member) -> None:
    app = public_app(member.organization)
    started, late = start(app), start(app)
    browser = browser_of(member)
    assert type_code(browser, started["user_code"], "deny").status_code == 200
    assert poll(app, started).json()["error"] == "access_denied"
    with everywhere():
        OAuthDevice.objects.filter(denied_at=None).update(expires_at=timezone.now())
    assert poll(app, late).json()["error"] == "expired_token"
    assert type_code(browser, late["user_code"], "allow").status_code == 422
    with everywhere():
        assert not TokenFamily.objects.exists()


def test_another_organizations_device_code_is_like_an_unknown_one(member: Member) -> None:
    started = start(public_app(member.organization))
    stranger = browser_of(MemberFactory())
    foreign, unknown = (type_code(stranger, code) for code in (started["user_code"], "BBBB-BBBB"))
    assert foreign.status_code == unknown.status_code == 422
    said = [
        html.fromstring(page.content).xpath("//*[@id='id_user_code-error']")[0].text_content()
        for page in (foreign, unknown)
    ]
    assert said[0] == said[1]


def test_guessing_device_codes_is_limited(member: Member) -> None:
    browser = browser_of(member)
    statuses = [type_code(browser, "BBBB-BBBB").status_code for _ in range(11)]
    assert statuses == [422] * 10 + [429]


def test_userinfo_says_what_the_scopes_allow(app: App, member: Member) -> None:
    def told(token: str) -> Any:
        return Client().get("/oauth/userinfo/", headers={"Authorization": f"Bearer {token}"})

    wide = tokens_for(app, member, scope="openid profile email")["access_token"]
    answer = told(wide).json()
    assert (answer["sub"], answer["name"]) == (str(member.user_id), member.name)
    assert answer["organization"] == str(member.organization_id)
    narrow = tokens_for(app, member, scope="openid")["access_token"]
    assert told(narrow).json() == {"sub": str(member.user_id)}
    without = told(tokens_for(app, member, scope="chat:read")["access_token"])
    assert (without.status_code, without["WWW-Authenticate"]) == (
        403,
        'Bearer realm="chatsystem", error="insufficient_scope"',
    )
    assert told("ey.a.b").json() == {"error": "invalid_token"}
    assert Client().get("/oauth/userinfo/").status_code == 401


def test_introspection_tells_of_own_tokens_only(app: App, member: Member) -> None:
    said = tokens_for(app, member)
    shown = app.post("introspect", token=said["access_token"]).json()
    assert (shown["active"], shown["sub"], shown["client_id"]) == (True, str(member.user_id), app.id)
    assert shown["scope"] == said["scope"]
    assert app.post("introspect", token=said["refresh_token"]).json()["token_type"] == "refresh_token"
    neighbour, foreign = app_of(member.organization), app_of(MemberFactory().organization)
    for other in (neighbour, foreign):
        for token in (said["access_token"], said["refresh_token"], "x"):
            assert other.post("introspect", token=token).json() == {"active": False}
    answer = public_app(member.organization).post("introspect", token=said["access_token"])
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_revocation_ends_the_whole_line(app: App, member: Member, kind: str) -> None:
    said = tokens_for(app, member)
    assert app_of(member.organization).post("revoke", token=said[kind]).status_code == 200
    assert me(said["access_token"]).status_code == 200, "another client's request changed something"
    assert app.post("revoke", token=said[kind]).status_code == 200
    assert me(said["access_token"]).status_code == 401
    assert app.refresh(said["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.post("introspect", token=said["access_token"]).json() == {"active": False}
    assert app.post("revoke", token="unknown").status_code == 200


def test_secrets_are_shown_one_way_and_exactly(app: App, member: Member) -> None:
    grant = {"grant_type": "client_credentials"}
    assert app.post("token", basic=False, **grant).status_code == 200
    twice = app.post("token", client_secret=app.secret, **grant)
    assert twice.json()["error"] == "invalid_request"
    right = app.secret
    for wrong in (right[:-1] + ("A" if right[-1] != "A" else "B"), "cs_" + "0" * 57, "x"):
        app.secret = wrong
        answer = app.post("token", **grant)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert answer["WWW-Authenticate"].startswith("Basic")
        assert app.post("token", basic=False, **grant).status_code == 401
    app.secret = ""
    assert app.post("token", **grant).status_code == 401
    app.secret, app.id = right, app.id.upper()
    assert app.post("token", **grant).status_code == 401
    headers = {"Authorization": basic_header(app.id, right)[:-4]}
    answer = app.http.post(
        "/oauth/token/",
        "grant_type=client_credentials",
        content_type="application/x-www-form-urlencoded",
        headers=headers,
    )
    assert answer.status_code == 401
    public = public_app(member.organization)
    public.secret = right
    assert public.post("token", grant_type="refresh_token", refresh_token="x").status_code == 401


def test_a_replaced_secret_works_until_its_overlap_is_over(app: App, member: Member) -> None:
    with everywhere():
        owner = Member.objects.get(organization_id=member.organization_id, role__key="owner")
    old, grant = app.secret, {"grant_type": "client_credentials"}
    with tenancy.use(member.organization_id):
        issued = oauth_clients.rotate_secret(
            principal=principal_of(owner), client_id=OAuthClient.objects.get().pk, overlap=timedelta(hours=1)
        )
    assert app.post("token", **grant).status_code == 200
    app.secret = issued.secret
    assert app.post("token", **grant).status_code == 200
    with everywhere():
        OAuthClient.objects.update(previous_until=timezone.now())
    assert app.post("token", **grant).status_code == 200
    app.secret = old
    assert app.post("token", **grant).status_code == 401


def test_a_disabled_app_is_out_at_once(app: App, member: Member) -> None:
    said = tokens_for(app, member)
    with everywhere():
        OAuthClient.objects.update(disabled_at=timezone.now())  # even if its lines had been forgotten
    assert me(said["access_token"]).status_code == 401
    assert app.refresh(said["refresh_token"]).json()["error"] == "invalid_client"
    assert browser_of(member).get(app.question()[0]).status_code == 404


@pytest.mark.parametrize("path", ["openid-configuration", "oauth-authorization-server"])
def test_discovery_names_doors_that_exist(path: str, db: None) -> None:
    answer = Client().get(f"/.well-known/{path}")
    assert answer.status_code == 200
    said = answer.json()
    assert said["issuer"] == "http://testserver"
    assert said["code_challenge_methods_supported"] == ["S256"]
    doors = [address for name, address in said.items() if name.endswith(("_endpoint", "jwks_uri"))]
    assert len(doors) == 7
    for address in doors:
        assert Client().get(address.removeprefix("http://testserver")).status_code in (
            200,
            400,
            401,
            404,
            405,
        )
        assert (
            Client().post(address.removeprefix("http://testserver")).status_code != 404
            or "authorize" in address
        )
