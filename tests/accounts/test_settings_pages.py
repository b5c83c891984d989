"""Own settings: each form changes its own thing, says what is wrong, and touches nobody else."""

from __future__ import annotations

from uuid import uuid4

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client
from lxml import html

from apps.accounts.models import ApiKey, Member, User
from tests.accounts.sessions import open_session
from tests.factories.accounts import MemberFactory
from tests.walls import everywhere

pytestmark = pytest.mark.django_db


@pytest.fixture
def own() -> Member:
    return MemberFactory()


@pytest.fixture
def browser(own: Member) -> Client:
    client = Client()
    client.cookies["session"] = open_session(own.user)
    return client


def _address(member: Member, part: str = "") -> str:
    return f"/o/{member.organization.slug}/settings/{part}"


def test_the_profile_is_changed_and_shown(own: Member, browser: Client) -> None:
    answer = browser.post(
        _address(own, "profile/"), {"name": "Neue Ada", "title": "Leitung", "about": "da"}, follow=True
    )
    page = html.fromstring(answer.content)
    assert page.get_element_by_id("profile_name").get("value") == "Neue Ada"
    assert page.find_class("toast")[0].text_content().strip().startswith("Profile saved")
    with everywhere():
        own.refresh_from_db()
    assert (own.name, own.title, own.about) == ("Neue Ada", "Leitung", "da")


def test_a_wrong_name_is_named_at_its_field_and_nothing_changes(own: Member, browser: Client) -> None:
    before = own.name
    answer = browser.post(_address(own, "profile/"), {"name": " ", "title": "", "about": ""})
    assert answer.status_code == 422
    field = html.fromstring(answer.content).get_element_by_id("profile_name")
    assert field.get("aria-invalid") == "true"
    assert field.get("aria-describedby") == "profile_name-error"
    with everywhere():
        own.refresh_from_db()
    assert own.name == before


def test_language_and_theme_belong_to_the_account(own: Member, browser: Client) -> None:
    browser.post(_address(own, "preferences/"), {"language": "de", "theme": "dark"})
    page = html.fromstring(browser.get(_address(own)).content)
    assert page.get("lang") == "de"
    assert page.get("data-theme") == "dark"
    assert browser.post(_address(own, "theme/"), {"theme": "light"}).status_code == 204
    assert User.objects.get(pk=own.user_id).theme == "light"
    refused = browser.post(_address(own, "theme/"), {"theme": "pink"}, headers={"Accept": "application/json"})
    assert refused.status_code == 400
    assert User.objects.get(pk=own.user_id).theme == "light"


def test_a_key_is_shown_once_and_ended(own: Member, browser: Client) -> None:
    answer = browser.post(_address(own, "keys/"), {"name": "Wetter", "scopes": ["chat:read"], "days": "30"})
    secret = html.fromstring(answer.content).xpath('//*[@id="keys"]//code[@x-ref]')[0].text_content()
    with everywhere():
        key = ApiKey.objects.get(principal_id=own.user_id)
    assert secret.startswith(key.prefix)
    assert secret not in browser.get(_address(own)).content.decode()
    assert browser.post(_address(own, f"keys/{key.pk}/revoke/")).status_code == 302
    with everywhere():
        key.refresh_from_db()
    assert key.revoked_at is not None


def test_a_key_without_a_right_is_refused(own: Member, browser: Client) -> None:
    answer = browser.post(_address(own, "keys/"), {"name": "Wetter", "days": "30"})
    assert answer.status_code == 422
    with everywhere():
        assert not ApiKey.objects.exists()


def test_a_stranger_s_key_cannot_be_ended(own: Member, browser: Client) -> None:
    other = MemberFactory(organization=own.organization)
    theirs = Client()
    theirs.cookies["session"] = open_session(other.user)
    theirs.post(_address(own, "keys/"), {"name": "Fremd", "scopes": ["chat:read"], "days": "30"})
    with everywhere():
        key = ApiKey.objects.get(principal_id=other.user_id)
    for wanted in (key.pk, uuid4()):
        assert browser.post(_address(own, f"keys/{wanted}/revoke/")).status_code == 404
    with everywhere():
        key.refresh_from_db()
    assert key.revoked_at is None


def test_other_browsers_are_signed_out_and_this_one_stays(own: Member, browser: Client) -> None:
    there = Client()
    there.cookies["session"] = open_session(own.user)
    assert there.get(_address(own)).status_code == 200
    page = html.fromstring(browser.get(_address(own)).content)
    assert len(page.xpath('//section[@id="sessions"]//li')) == 2
    browser.post(_address(own, "sessions/end/"), {"session": "others"})
    assert UserSession.objects.filter(user_id=own.user_id).count() == 1
    assert browser.get(_address(own)).status_code == 200
    assert there.get(_address(own)).status_code == 302


def test_someone_else_s_session_cannot_be_ended(own: Member, browser: Client) -> None:
    other = MemberFactory(organization=own.organization)
    there = Client()
    there.cookies["session"] = open_session(other.user)
    page = html.fromstring(there.get(_address(own)).content)
    assert page.xpath('//button[@name="session"]') == []
    assert browser.post(_address(own, "sessions/end/"), {"session": "nonsense"}).status_code == 404
    assert there.get(_address(own)).status_code == 200


@pytest.mark.parametrize("part", ["profile/", "preferences/", "theme/", "sessions/end/", "keys/"])
def test_changes_are_posts(own: Member, browser: Client, part: str) -> None:
    assert browser.get(_address(own, part)).status_code == 405
