"""The pages of second factors: set up, show, second step of signing in, fresh proof."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.utils import timezone
from lxml import html

from apps.accounts.models import ApiKey, Member, SecondFactor
from apps.accounts.selectors.factors import has_factor
from apps.accounts.selectors.sessions import find_signed_in, find_user_id
from apps.accounts.services import factors
from tests.accounts.factors import code_of, enrol, first_step, second_step
from tests.accounts.sessions import open_session
from tests.factories.accounts import PASSWORD, MemberFactory
from tests.walls import everywhere

pytestmark = pytest.mark.django_db
NEW_PASSWORD = "a new and quite long sentence"


@pytest.fixture
def ada(organization) -> Member:
    return MemberFactory(organization=organization)


@pytest.fixture
def browser(ada: Member) -> Client:
    return browser_of(ada)


def browser_of(member: Member, *, age_seconds: int = 0) -> Client:
    client = Client()
    client.cookies["session"] = open_session(member.user, age_seconds=age_seconds)
    return client


def session_of(client: Client) -> str:
    return client.cookies["session"].value


def test_an_app_is_set_up_by_picture_and_code(ada: Member, browser: Client) -> None:
    page = html.fromstring(browser.get("/accounts/factors/app/").content)
    secret = "".join(page.xpath("//*[@data-secret]")[0].text_content().split())
    picture = browser.get("/accounts/factors/app/picture.svg")
    assert picture["Content-Type"] == "image/svg+xml"
    assert b"<path" in picture.content
    assert b"<script" not in picture.content
    assert picture["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"
    assert picture["Cache-Control"].count("no-store")
    assert secret not in str(browser.session.items())
    before = session_of(browser)
    answer = browser.post("/accounts/factors/app/", {"code": code_of(secret)})
    assert answer["Location"] == "/accounts/factors/codes/"
    assert has_factor(user_id=ada.user_id)
    after = find_signed_in(session_of(browser))
    assert session_of(browser) != before
    assert find_user_id(before) is None
    assert after is not None
    assert after.factor_id == SecondFactor.objects.get(authenticator__type="totp").pk
    codes = html.fromstring(browser.get("/accounts/factors/codes/").content).xpath("//*[@data-codes]//code")
    assert [code.text for code in codes] == factors.show_recovery_codes(user_id=ada.user_id)
    file = browser.get("/accounts/factors/codes/?download=1")
    assert file["Content-Disposition"] == 'attachment; filename="recovery-codes.txt"'
    assert file.content.decode().split() == factors.show_recovery_codes(user_id=ada.user_id)


def test_a_wrong_code_keeps_the_secret_on_the_page(browser: Client, ada: Member) -> None:
    first = browser.get("/accounts/factors/app/").content
    answer = browser.post("/accounts/factors/app/", {"code": "000000"})
    assert answer.status_code == 400
    shown = [html.fromstring(page).xpath("//*[@data-secret]")[0].text for page in (first, answer.content)]
    assert shown[0] == shown[1]
    assert not has_factor(user_id=ada.user_id)


def test_the_second_step_comes_after_the_password_and_goes_where_one_wanted(ada: Member) -> None:
    secret = enrol(ada.user)
    client = Client()
    target = f"/o/{ada.organization.slug}/settings/"
    assert first_step(client, ada.user, next=target)["Location"] == "/accounts/second-factor/"
    assert b'name="code"' in client.get("/accounts/second-factor/").content
    wrong = second_step(client, "000000")
    assert wrong.status_code == 400
    assert b'id="form-error"' in wrong.content
    answer = second_step(client, code_of(secret))
    assert answer["Location"] == target
    assert client.get(target).status_code == 200
    assert find_signed_in(session_of(client)).factor_id is not None  # type: ignore[union-attr]


def test_a_recovery_code_signs_in_once(ada: Member) -> None:
    enrol(ada.user)
    code = factors.show_recovery_codes(user_id=ada.user_id)[0]
    client = Client()
    first_step(client, ada.user)
    assert b"Ten digits" in client.get("/accounts/second-factor/?recovery=1").content
    assert second_step(client, code)["Location"] == "/"
    again = Client()
    first_step(again, ada.user)
    assert second_step(again, code).status_code == 400


def test_a_sign_in_that_waits_can_be_given_up(ada: Member) -> None:
    enrol(ada.user)
    client = Client()
    first_step(client, ada.user)
    assert client.get("/accounts/login/")["Location"] == "/accounts/second-factor/"
    assert client.post("/accounts/login/cancel/")["Location"] == "/accounts/login/"
    assert client.get("/accounts/login/").status_code == 200
    assert client.get("/accounts/second-factor/")["Location"] == "/accounts/login/"


def test_a_mailed_code_signs_in_and_asks_for_the_factor(ada: Member) -> None:
    client = Client()
    client.post("/accounts/login/code/", {"email": ada.user.email})
    code = mail.outbox[0].body.split("\n\n")[1].strip()
    assert client.post("/accounts/login/code/confirm/", {"code": code})["Location"] == "/"
    assert client.get("/")["Location"] == f"/o/{ada.organization.slug}/"
    secret = enrol(ada.user)
    again = Client()
    again.post("/accounts/login/code/", {"email": ada.user.email})
    code = mail.outbox[-1].body.split("\n\n")[1].strip()
    assert (
        again.post("/accounts/login/code/confirm/", {"code": code})["Location"] == "/accounts/second-factor/"
    )
    assert second_step(again, code_of(secret))["Location"] == "/"


def test_a_mailed_code_lives_five_minutes_in_one_browser_for_three_tries(ada: Member) -> None:
    client, other = Client(), Client()
    client.post("/accounts/login/code/", {"email": ada.user.email})
    code = mail.outbox[0].body.split("\n\n")[1].strip()
    assert other.post("/accounts/login/code/confirm/", {"code": code})["Location"] == "/accounts/login/code/"
    with time_machine.travel(timezone.now() + timedelta(seconds=301), tick=False):
        assert (
            client.post("/accounts/login/code/confirm/", {"code": code})["Location"]
            == "/accounts/login/code/"
        )
    client.post("/accounts/login/code/", {"email": ada.user.email})
    code = mail.outbox[-1].body.split("\n\n")[1].strip()
    for _ in range(3):
        client.post("/accounts/login/code/confirm/", {"code": "WRNG-WRNG"})
    assert client.post("/accounts/login/code/confirm/", {"code": code})["Location"] == "/accounts/login/code/"
    assert "_auth_user_id" not in client.session


DEAR = [
    ("get", "/accounts/factors/app/"), ("get", "/accounts/factors/codes/"),
    ("get", "/accounts/factors/app/picture.svg"), ("get", "/accounts/factors/passkeys/"),
    ("post", "/accounts/factors/passkeys/options/"), ("post", "/accounts/factors/codes/renew/"),
    ("post", "/accounts/factors/1/remove/"), ("get", "/accounts/password/change/"),
    ("post", "/accounts/password/change/"), ("post", "/o/{slug}/settings/keys/"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), DEAR)
def test_what_is_dear_asks_for_a_fresh_proof(ada: Member, method: str, path: str) -> None:
    path = path.format(slug=ada.organization.slug)
    stale = getattr(browser_of(ada, age_seconds=601), method)(path)
    assert stale.status_code == 302
    assert stale["Location"].startswith("/accounts/reauthenticate/?next=")
    fresh = getattr(browser_of(ada, age_seconds=590), method)(path)
    assert not fresh.headers.get("Location", "").startswith("/accounts/reauthenticate/")


def test_the_password_is_asked_and_what_was_sent_is_offered_again(ada: Member) -> None:
    client = browser_of(ada, age_seconds=3600)
    keys = f"/o/{ada.organization.slug}/settings/keys/"
    sent = {"name": "For <the> backup", "scopes": ["chat:read", "search:read"], "days": "30"}
    asked = client.post(keys, sent)
    with everywhere():
        assert not ApiKey.objects.exists()
    wrong = client.post(asked["Location"], {"password": "not it at all"})
    assert wrong.status_code == 400
    with everywhere():
        assert not ApiKey.objects.exists()
    back = client.post(asked["Location"], {"password": PASSWORD})
    assert back["Location"] == "/accounts/reauthenticate/resume/"
    form = html.fromstring(client.get(back["Location"]).content).forms[0]
    assert form.action == keys
    offered = {name: [value for key, value in form.form_values() if key == name] for name in sent}
    assert offered == {"name": ["For <the> backup"], "scopes": ["chat:read", "search:read"], "days": ["30"]}
    assert client.post(keys, offered).status_code == 200
    with everywhere():
        assert ApiKey.objects.get().name == "For <the> backup"
    assert client.get("/accounts/reauthenticate/resume/")["Location"] == "/"


def test_secrets_are_not_kept_while_the_proof_is_asked(ada: Member) -> None:
    client = browser_of(ada, age_seconds=3600)
    client.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": NEW_PASSWORD})
    kept = str(dict(client.session.items()))
    assert PASSWORD not in kept
    assert NEW_PASSWORD not in kept


def test_a_fragment_takes_its_page_to_the_question(ada: Member) -> None:
    keys = f"/o/{ada.organization.slug}/settings/keys/"
    answer = browser_of(ada, age_seconds=3600).post(keys, {"name": "x"}, headers={"HX-Request": "true"})
    assert answer.status_code == 204
    assert answer["HX-Redirect"].startswith("/accounts/reauthenticate/")


def test_a_script_is_told_and_nothing_waits(ada: Member) -> None:
    client = browser_of(ada, age_seconds=3600)
    answer = client.post("/accounts/factors/passkeys/options/", headers={"Sec-Fetch-Dest": "empty"})
    assert answer.status_code == 403
    assert "suspended" not in client.session


def test_who_has_a_factor_proves_with_it_and_not_with_the_password(ada: Member) -> None:
    secret = enrol(ada.user)
    client = browser_of(ada, age_seconds=3600)
    refused = client.post("/accounts/reauthenticate/?next=/accounts/factors/codes/", {"password": PASSWORD})
    assert refused.status_code == 400
    assert client.get("/accounts/factors/codes/").status_code == 302
    right = client.post("/accounts/reauthenticate/?next=/accounts/factors/codes/", {"code": code_of(secret)})
    assert right["Location"] == "/accounts/factors/codes/"
    assert client.get("/accounts/factors/codes/").status_code == 200


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_the_question_sends_nobody_elsewhere(ada: Member, target: str) -> None:
    client = browser_of(ada, age_seconds=3600)
    answer = client.post(f"/accounts/reauthenticate/?next={target}", {"password": PASSWORD})
    assert answer["Location"] == "/"


def test_a_proof_from_the_future_is_none(ada: Member, browser: Client) -> None:
    session = browser.session
    session["confirmed_at"] = int(time.time()) + 3600
    session.save()
    assert browser.get("/accounts/factors/codes/").status_code == 302


def test_removing_the_factor_of_this_session_ends_its_proof(ada: Member) -> None:
    secret = enrol(ada.user)
    client = Client()
    first_step(client, ada.user)
    second_step(client, code_of(secret))
    app = SecondFactor.objects.get(authenticator__type="totp")
    assert client.post(f"/accounts/factors/{app.pk}/remove/")["Location"] == "/accounts/factors/"
    assert not has_factor(user_id=ada.user_id)
    assert client.get("/accounts/factors/").status_code == 200
    assert "otp_device_id" not in client.session


def test_settings_lead_to_the_factors(ada: Member, browser: Client) -> None:
    page = html.fromstring(browser.get(f"/o/{ada.organization.slug}/settings/").content)
    assert page.xpath("//*[@id='factors']//a")[0].get("href") == "/accounts/factors/"
    enrol(ada.user)
    assert browser_of(ada).get("/accounts/factors/").status_code == 200


def test_the_admin_removes_factors_of_who_lost_them(ada: Member) -> None:
    enrol(ada.user)
    operator = MemberFactory(user__is_staff=True, user__is_superuser=True)
    client = browser_of(operator)
    answer = client.post(
        "/admin/accounts/user/", {"action": "remove_factors", "_selected_action": [str(ada.user_id)]}
    )
    assert answer.status_code == 302
    assert not has_factor(user_id=ada.user_id)


def test_factors_over_rest(ada: Member, member: Callable[..., Member]) -> None:
    enrol(ada.user)
    client = browser_of(ada)
    listed = client.get("/api/v1/me/factors/").json()["results"]
    assert [(entry["kind"], entry["left"]) for entry in listed] == [("totp", 0), ("recovery_codes", 10)]
    app = listed[0]["id"]
    other = browser_of(member())
    assert other.delete(f"/api/v1/me/factors/{app}/").json()["code"] == "accounts.factor_not_found"
    stale = browser_of(ada, age_seconds=601).delete(f"/api/v1/me/factors/{app}/")
    assert (stale.status_code, stale.json()["code"]) == (403, "accounts.step_up_required")
    assert has_factor(user_id=ada.user_id)
    assert client.delete(f"/api/v1/me/factors/{app}/").status_code == 204
    assert not has_factor(user_id=ada.user_id)


def test_keys_over_rest_need_a_fresh_proof_of_a_browser(ada: Member) -> None:
    body = {"name": "x", "scopes": ["chat:read"], "expires_at": timezone.now() + timedelta(days=1)}
    stale = browser_of(ada, age_seconds=601).post("/api/v1/api-keys/", body, content_type="application/json")
    assert (stale.status_code, stale.json()["code"]) == (403, "accounts.step_up_required")
    with everywhere():
        assert not ApiKey.objects.exists()
    fresh = browser_of(ada).post("/api/v1/api-keys/", body, content_type="application/json")
    assert fresh.status_code == 201
