"""What is forged, foreign, replayed, weakened or misdirected is refused, and nothing is written or sent away."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from django.test import Client
from lxml import html

from apps.accounts.errors import RedirectNotValid
from apps.accounts.models import Member, OAuthCode, OAuthConsent, TokenFamily
from apps.accounts.services.oauth_clients import matching_redirect
from tests.accounts.oauth import REDIRECT, App, app_of, browser_of, decide, me, public_app, tokens_for, told
from tests.accounts.sessions import open_session
from tests.factories.accounts import PASSWORD, MemberFactory
from tests.walls import everywhere

pytestmark = pytest.mark.django_db


@pytest.fixture
def member() -> Member:
    return MemberFactory()


@pytest.fixture
def app(member: Member) -> App:
    return app_of(member.organization)


def nothing_was_opened() -> bool:
    """Return whether nobody got a code, a consent or a token."""
    with everywhere():
        return not any(model.objects.exists() for model in (OAuthCode, OAuthConsent, TokenFamily))


@pytest.mark.parametrize(
    "asked",
    [
        "https://app.example.org/back?from=chat&x=1", "https://app.example.org/back", "https://app.example.org/back?",
        "https://app.example.org/back?from=chat#", "https://app.example.org/back?from=chat/",
        "https://app.example.org/Back?from=chat", "https://app.example.org:443/back?from=chat",
        "https://app.example.org.evil.example/back?from=chat", "https://app.example.org@evil.example/back?from=chat",
        "https://APP.example.org/back?from=chat", "http://app.example.org/back?from=chat",
        "https://app.example.org/back%3Ffrom=chat", "https://app.example.org/./back?from=chat",
        "https://app.example.org/x/../back?from=chat", "//app.example.org/back?from=chat", "/back?from=chat",
        " https://app.example.org/back?from=chat", "https://app.example.org/back?from=chat\n", "javascript:alert(1)",
        "https://аpp.example.org/back?from=chat", "", None,
    ],
)  # fmt: skip
def test_a_look_alike_address_is_nowhere_to_go(app: App, member: Member, asked: str | None) -> None:
    browser = browser_of(member)
    for address in (app.question(redirect_uri=asked)[0], app.question(redirect_uri=asked, scope="all")[0]):
        answer = browser.get(address)
        assert answer.status_code == 400
        assert "Location" not in answer
        page = html.fromstring(answer.content)
        assert not [
            at for at in page.xpath("//@href | //@action | //@content") if "evil" in at or "example" in at
        ]
    assert nothing_was_opened()


def test_the_true_address_is_taken(app: App, member: Member) -> None:
    """The control."""
    assert browser_of(member).get(app.question()[0]).status_code == 200


@pytest.mark.parametrize(
    ("asked", "is_taken"),
    [
        ("http://127.0.0.1/back", True), ("http://127.0.0.1:5000/back", True), ("http://127.0.0.1:65535/back", True),
        ("http://127.0.0.1:/back", False), ("http://127.0.0.1:0/back", False), ("http://127.0.0.1:x/back", False),
        ("http://127.0.0.1:5000/other", False), ("http://127.0.0.1:5000@evil.example/back", False),
        ("http://127.0.0.1.evil.example/back", False), ("http://localhost:5000/back", False),
        ("https://127.0.0.1:5000/back", False), ("http://127.0.0.1:5000/back/", False),
    ],
)  # fmt: skip
def test_only_the_port_of_a_loopback_address_is_free(asked: str, is_taken: bool) -> None:
    assert (matching_redirect(["http://127.0.0.1/back"], asked) == asked) is is_taken


@pytest.mark.parametrize(
    "address",
    [
        "http://app.example.org/back", "https://", "https://app.example.org/#x", "https://a:b@app.example.org/",
        "https://*.example.org/", "javascript:alert(1)", "data:text/html,x", "app:/back", "ftp://app.example.org/",
        "//app.example.org", "https://app.example.org/\nx", "https://app.example.org/ x", "https://[::1/", "",
        "HTTPS://app.example.org/", "https:/app.example.org", "https://app.example.org:0/",
        "https://app.example.org/" + "x" * 500,
    ],
)  # fmt: skip
def test_such_an_address_cannot_be_registered(member: Member, address: str) -> None:
    with pytest.raises(RedirectNotValid):
        app_of(member.organization, redirect_uris=[address])


@pytest.mark.parametrize(
    "address",
    [
        "https://app.example.org:8443/back?x=1",
        "http://localhost:3000/",
        "http://[::1]/b",
        "org.example.app:/back",
    ],
)
def test_such_an_address_can(member: Member, address: str) -> None:
    app = app_of(member.organization, redirect_uris=[address])
    assert told(decide(browser_of(member), app.question()[0]))["code"]


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "x" * 42}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"scope": "openid admin:write"}, "invalid_scope"),
        ({"scope": "openid keys:write"}, "invalid_scope"),
        ({"scope": "offline_access"}, "invalid_scope"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "9" * 30}, "invalid_request"),
        ({"nonce": "n" * 256}, "invalid_request"),
        ({"request": "e.y.J"}, "request_not_supported"),
        ({"request_uri": "https://evil.example"}, "request_uri_not_supported"),
    ],
)
def test_a_wrong_request_is_told_to_the_client(
    app: App, member: Member, changed: dict[str, str | None], error: str
) -> None:
    answer = browser_of(member).get(app.question(state="s", **changed)[0])
    assert answer.status_code == 303
    assert answer["Location"].startswith(REDIRECT)
    said = told(answer)
    assert (said["error"], said["state"], said["iss"]) == (error, "s", "http://testserver")
    assert nothing_was_opened()


def test_a_doubled_parameter_is_refused(app: App, member: Member) -> None:
    address = app.question()[0] + "&scope=openid"
    assert told(browser_of(member).get(address))["error"] == "invalid_request"
    doubled = app.question()[0] + f"&client_id={app.id}"
    assert browser_of(member).get(doubled).status_code == 404


def test_an_app_of_another_organization_is_told_no(member: Member) -> None:
    foreign = app_of(MemberFactory().organization)
    said = told(browser_of(member).get(foreign.question()[0]))
    assert said["error"] == "access_denied"
    assert nothing_was_opened()


def test_a_foreign_page_cannot_agree_for_a_person(app: App, member: Member) -> None:
    address = app.question()[0]
    assert browser_of(member).post(address, {"decision": "allow"}).status_code == 403
    evil = browser_of(member).post(address, {"decision": "allow"}, headers={"Origin": "https://evil.example"})
    assert evil.status_code == 403
    assert nothing_was_opened()


def test_the_consent_page_cannot_be_framed(app: App, member: Member) -> None:
    page = browser_of(member).get(app.question()[0])
    assert page["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]


def test_names_of_apps_stay_text(member: Member) -> None:
    app = app_of(member.organization, name="<img src=x>Bank")
    page = browser_of(member).get(app.question(state='"><script>x</script>')[0])
    assert b"<img src=x>" not in page.content
    assert b"<script>x" not in page.content


@pytest.mark.parametrize(
    "changed",
    [
        {"code_verifier": "w" * 43}, {"code_verifier": "short"}, {"redirect_uri": "https://app.example.org/back"},
        {"code": "co_" + "0" * 57}, {"code": "x"},
    ],
)  # fmt: skip
def test_a_wrong_exchange_gets_nothing(app: App, member: Member, changed: dict[str, str]) -> None:
    address, verifier = app.question()
    code = told(decide(browser_of(member), address))["code"]
    answer = app.exchange(code, verifier, **changed)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    with everywhere():
        assert not TokenFamily.objects.exists()
    is_burnt = "code" not in changed
    assert (app.exchange(code, verifier).status_code == 400) is is_burnt


def test_a_code_is_of_no_use_to_another_client(app: App, member: Member) -> None:
    """Code injection: a thief's own client, in the same organization and in another, with its own verifier or ours."""
    for thief in (
        app_of(member.organization),
        app_of(MemberFactory().organization),
        public_app(member.organization),
    ):
        address, verifier = app.question()
        code = told(decide(browser_of(member), f"{address}&prompt=consent"))["code"]
        _, own = thief.question()
        for tried in (own, verifier):
            assert thief.exchange(code, tried).json()["error"] == "invalid_grant"
        assert app.exchange(code, verifier).status_code == 200


def test_a_victims_code_put_into_an_own_sign_in_does_not_fit(app: App, member: Member) -> None:
    """The same client, another session: PKCE is what tells them apart."""
    victim = told(decide(browser_of(member), app.question()[0]))["code"]
    _, attackers_verifier = app.question()
    assert app.exchange(victim, attackers_verifier).json()["error"] == "invalid_grant"


def test_refresh_tokens_stay_with_their_client(app: App, member: Member) -> None:
    said = tokens_for(app, member)
    thief = app_of(member.organization)
    assert thief.refresh(said["refresh_token"]).json()["error"] == "invalid_grant"
    house = Client().post(
        "/api/v1/tokens/refresh/", {"refresh_token": said["refresh_token"]}, content_type="application/json"
    )
    assert (house.status_code, house.json()["code"]) == (401, "accounts.token_not_valid")
    fresh = app.refresh(said["refresh_token"])
    assert fresh.status_code == 200
    assert app.refresh(said["refresh_token"]).json()["error"] == "invalid_grant"
    assert me(fresh.json()["access_token"]).status_code == 401, "a copied refresh token ends the line"


def test_tokens_open_no_more_than_was_allowed(app: App, member: Member) -> None:
    token = tokens_for(app, member, scope="openid chat:read")["access_token"]
    client = Client(headers={"Authorization": f"Bearer {token}"})
    assert client.get("/api/v1/members/").status_code == 200
    for path in ("api-keys/", "me/tokens/", "me/sessions/", "conversations/"):
        answer = client.post(f"/api/v1/{path}", {"name": "x"}, content_type="application/json")
        assert answer.status_code in (403, 405), path
    narrow = tokens_for(app, member, scope="openid")["access_token"]
    answer = Client(headers={"Authorization": f"Bearer {narrow}"}).get("/api/v1/conversations/")
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("content_type", "body", "error"),
    [
        ("application/json", '{"grant_type":"client_credentials"}', "invalid_request"),
        ("application/x-www-form-urlencoded", "grant_type=password&username=a&password=b", "invalid_client"),
        ("application/x-www-form-urlencoded", "\xff=%00", "invalid_client"),
        ("application/x-www-form-urlencoded", "client_id=a&client_id=b", "invalid_request"),
        ("application/x-www-form-urlencoded", "client_id=%00", "invalid_request"),
    ],
)
def test_garbage_is_refused_as_json(content_type: str, body: str, error: str) -> None:
    for path in ("token", "revoke", "introspect", "device-authorization"):
        answer = Client().post(f"/oauth/{path}/", body, content_type=content_type)
        assert (answer.json()["error"], answer.status_code) in ((error, 400), (error, 401))
        assert set(answer.json()) == {"error", "error_description"}


@pytest.mark.parametrize("grant", ["", "password", "implicit", "device_code", "urn:x"])
def test_other_grants_do_not_exist(app: App, grant: str) -> None:
    assert app.post("token", grant_type=grant).json()["error"] == "unsupported_grant_type"


def test_a_client_has_only_the_grants_it_was_given(member: Member) -> None:
    app = app_of(member.organization, grants=["client_credentials"], redirect_uris=[])
    assert (
        app.post("token", grant_type="refresh_token", refresh_token="x").json()["error"]
        == "unauthorized_client"
    )
    assert app.post("device-authorization").json()["error"] == "unauthorized_client"


# --- Signing in anew ---


def test_silence_is_answered_without_a_page(app: App, member: Member) -> None:
    assert told(Client().get(app.question(prompt="none")[0]))["error"] == "login_required"
    browser = browser_of(member)
    assert told(browser.get(app.question(prompt="none")[0]))["error"] == "consent_required"
    tokens_for(app, member)
    assert told(browser.get(app.question(prompt="none")[0]))["code"]


@pytest.mark.parametrize("changed", [{"prompt": "login"}, {"max_age": "60"}])
def test_a_new_sign_in_is_asked_for_once(app: App, member: Member, changed: dict[str, str]) -> None:
    browser = Client()
    browser.cookies["session"] = open_session(member.user, age_seconds=3600)
    address, _ = app.question(**changed)
    answer = browser.get(address)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/reauthenticate/?next=")
    back = browser.post(answer["Location"], {"password": PASSWORD, "next": address})
    assert (back.status_code, back["Location"]) == (302, address)
    page = browser.get(address)
    assert page.status_code == 200
    assert told(decide(browser, address))["code"]
    assert browser.get(app.question(prompt="login")[0]).status_code == 302
    silent = {**changed, "prompt": "none"} if "max_age" in changed else {"prompt": "none"}
    assert set(told(browser.get(app.question(**silent)[0]))) >= {"code"}


def test_an_old_sign_in_is_not_enough_in_silence(app: App, member: Member) -> None:
    browser = Client()
    browser.cookies["session"] = open_session(member.user, age_seconds=3600)
    assert told(browser.get(app.question(prompt="none", max_age="60")[0]))["error"] == "login_required"


def test_the_way_back_after_a_form_is_a_page_with_a_link(app: App, member: Member) -> None:
    """A redirect here would be stopped by `form-action 'self'`."""
    answer = decide(browser_of(member), app.question()[0])
    assert answer.status_code == 200
    assert "Location" not in answer
    assert "form-action 'self'" in answer["Content-Security-Policy"]
    assert html.fromstring(answer.content).xpath("//meta[@http-equiv='refresh']")
    assert urlencode({"iss": "http://testserver"}) in html.fromstring(answer.content).xpath("//a/@href")[-1]
