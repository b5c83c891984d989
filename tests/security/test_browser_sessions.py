"""SEC-15, seen from another process and from one browser in two organizations.

That ids change at sign-in and with the rights, and the limits of time, are shown where sessions are made.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import httpx2
import pytest
from django.conf import settings
from django.test import Client

from apps.accounts.models import Member
from apps.accounts.services import principal_cache
from tests.accounts.sessions import open_session
from tests.core.web_process import PLAIN, WebProcess, web_process
from tests.factories.accounts import PASSWORD, MemberFactory

MOST_SECONDS = 1.0
NEW = "seven green llamas sing"
# Answered on the event loop, from what that process remembers of the caller: 404 for whoever may ask, else 401.
ASKED = f"/api/v1/conversations/{UUID(int=0)}/messages/"


@pytest.fixture(scope="module")
def web(django_db_setup: None, django_db_blocker: Any) -> Iterator[WebProcess]:
    """Another process of the same product, for tests that commit."""
    elsewhere = {
        "DJANGO_SETTINGS_MODULE": "chatsystem.settings.test", "CHATSYSTEM_PUBLIC_URL": "http://127.0.0.1",
    }  # fmt: skip
    with django_db_blocker.unblock(), web_process(**elsewhere) as running:
        yield running


def signed_in(member: Member) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": member.user.email, "password": PASSWORD})
    assert client.get("/api/v1/me/").status_code == 200
    return client


def sign_out(client: Client) -> None:
    client.post("/accounts/logout/")


def change_password(client: Client) -> None:
    other = Client()
    other.post("/accounts/login/", {"login": client.email, "password": PASSWORD})  # type: ignore[attr-defined]
    other.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})


def seconds_until_refused(web: WebProcess, key: str, end: Callable[[], object]) -> float:
    """Use a cookie in the other process until it is refused; return how long after the end that was."""
    with httpx2.Client(
        base_url=web.url, cookies={settings.SESSION_COOKIE_NAME: key}, timeout=20, verify=PLAIN
    ) as elsewhere:
        for _ in range(3):
            assert elsewhere.get(ASKED).status_code == 404  # known there now, and remembered
        end()
        ended = time.monotonic()
        while elsewhere.get(ASKED).status_code == 404:
            if time.monotonic() - ended > 5:
                break
        return time.monotonic() - ended


@pytest.mark.enable_socket
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("end", [sign_out, change_password])
def test_an_ended_session_is_refused_by_another_process_within_a_second(
    web: WebProcess, end: Callable[[Client], None]
) -> None:
    member = MemberFactory()
    client = signed_in(member)
    client.email = member.user.email  # type: ignore[attr-defined]
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert seconds_until_refused(web, key, lambda: end(client)) <= MOST_SECONDS


@pytest.mark.enable_socket
@pytest.mark.django_db(transaction=True)
def test_bite_without_the_signal_the_other_process_goes_on(
    web: WebProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(MemberFactory())
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    monkeypatch.setattr(principal_cache, "announce", lambda **_: None)
    assert seconds_until_refused(web, key, lambda: sign_out(client)) > MOST_SECONDS


@pytest.fixture
def both(db: None) -> tuple[Member, Member, Client]:
    """One person in two organizations, and their one browser."""
    here = MemberFactory(role="owner")
    there = MemberFactory(user=here.user, role="guest")
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = open_session(here.user)
    return here, there, client


def me(client: Client, **headers: str) -> Any:
    return client.get("/api/v1/me/", headers=headers)


def test_two_organizations_in_one_browser_stay_two(both: tuple[Member, Member, Client]) -> None:
    here, there, client = both
    for member, other in ((here, there), (there, here), (here, there)):
        page = client.get(f"/o/{member.organization.slug}/settings/").content.decode()
        assert str(member.organization_id) in page or member.organization.slug in page
        assert str(other.organization_id) not in page
        said = me(client, organization=str(member.organization_id)).json()
        assert (said["organization"]["id"], said["role"]) == (str(member.organization_id), member.role.key)
    assert me(client).status_code == 400  # which one was looked at last decides nothing


def test_the_rights_of_one_do_not_follow_into_the_other(both: tuple[Member, Member, Client]) -> None:
    here, there, client = both
    assert client.get(f"/o/{here.organization.slug}/console/people/").status_code == 200
    assert client.get(f"/o/{there.organization.slug}/console/people/").status_code == 404
    stranger = MemberFactory()
    assert client.get(f"/o/{stranger.organization.slug}/settings/").status_code == 404
    assert me(client, organization=str(stranger.organization_id)).status_code == 404
