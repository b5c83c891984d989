"""One-time links, and sessions that end for real."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.utils import timezone

from apps.accounts.errors import LinkNotValid, MemberNotFound, SessionNotFound
from apps.accounts.models import Member, SignInLink, User
from apps.accounts.selectors.principals import session_id
from apps.accounts.selectors.sessions import LONGEST_SECONDS, find_user_id, list_sessions
from apps.accounts.services import sessions, sign_in_links
from tests.accounts.events import recorded
from tests.accounts.sessions import open_session
from tests.factories.accounts import AgentFactory, MemberFactory, OrganizationFactory, PersonFactory

pytestmark = pytest.mark.django_db


def secret_of(url: str) -> str:
    """Return the secret in a link."""
    return url.rstrip("/").rpartition("/")[2]


def test_a_link_signs_in_once() -> None:
    person = PersonFactory()
    link = sign_in_links.create_link(user_id=person.pk)
    assert link.url.startswith("http://testserver/sign-in/")
    secret = secret_of(link.url)
    assert bytes(SignInLink.objects.get().hash).hex() not in link.url
    assert sign_in_links.is_open(secret=secret)
    assert sign_in_links.is_open(secret=secret)
    assert sign_in_links.use_link(secret=secret) == person.pk
    assert not sign_in_links.is_open(secret=secret)
    with pytest.raises(LinkNotValid):
        sign_in_links.use_link(secret=secret)


def test_a_link_lives_for_a_day() -> None:
    secret = secret_of(sign_in_links.create_link(user_id=PersonFactory().pk).url)
    with time_machine.travel(timezone.now() + timedelta(hours=25), tick=False), pytest.raises(LinkNotValid):
        sign_in_links.use_link(secret=secret)


def test_a_new_link_replaces_the_old_one() -> None:
    person = PersonFactory()
    old = secret_of(sign_in_links.create_link(user_id=person.pk).url)
    new = secret_of(sign_in_links.create_link(user_id=person.pk).url)
    with pytest.raises(LinkNotValid):
        sign_in_links.use_link(secret=old)
    assert sign_in_links.use_link(secret=new) == person.pk


def test_links_are_for_active_people_only() -> None:
    closed, agent = PersonFactory(is_active=False), AgentFactory(organization=OrganizationFactory())
    for user_id in (closed.pk, agent.pk, uuid4()):
        with pytest.raises(MemberNotFound):
            sign_in_links.create_link(user_id=user_id)
    person = PersonFactory()
    secret = secret_of(sign_in_links.create_link(user_id=person.pk).url)
    User.objects.filter(pk=person.pk).update(is_active=False)
    with pytest.raises(LinkNotValid):
        sign_in_links.use_link(secret=secret)


def test_the_link_of_the_first_operator() -> None:
    assert sign_in_links.administrator_link() is None
    PersonFactory()
    first = PersonFactory(is_staff=True)
    PersonFactory(is_staff=True)
    url = sign_in_links.administrator_link()
    assert url is not None
    assert sign_in_links.use_link(secret=secret_of(url)) == first.pk


def test_a_session_belongs_to_its_user_until_it_ends() -> None:
    person = PersonFactory()
    key = open_session(person)
    assert find_user_id(key) == person.pk
    sessions.end_key(user_id=person.pk, session_key=key)
    assert find_user_id(key) is None


@pytest.mark.parametrize("key", ["", "x", "x" * 500, "\x00" * 32, "\ud800" * 32])
def test_unknown_sessions_belong_to_nobody(key: str) -> None:
    assert find_user_id(key) is None


def test_a_session_from_before_a_password_change_is_refused() -> None:
    person = PersonFactory()
    key = open_session(person)
    person.set_password("another good sentence")
    person.save()
    assert find_user_id(key) is None


def test_a_session_of_a_closed_account_is_refused() -> None:
    person = PersonFactory()
    key = open_session(person)
    User.objects.filter(pk=person.pk).update(is_active=False)
    assert find_user_id(key) is None


def test_a_session_has_an_absolute_end() -> None:
    person = PersonFactory()
    assert find_user_id(open_session(person, age_seconds=LONGEST_SECONDS - 60)) == person.pk
    assert find_user_id(open_session(person, age_seconds=LONGEST_SECONDS + 1)) is None


def test_ending_one_session_is_told_in_each_organization() -> None:
    ada = MemberFactory()
    elsewhere = MemberFactory(user=ada.user)
    key, kept = open_session(ada.user), open_session(ada.user)
    sessions.end_session(user_id=ada.user_id, session=session_id(key))
    told = recorded("access.revoked")
    assert [payload["session"] for _, payload in told] == [session_id(key)] * 2
    assert elsewhere.pk != ada.pk
    assert find_user_id(kept) == ada.user_id


def test_sessions_of_others_do_not_exist() -> None:
    ada, bob = PersonFactory(), PersonFactory()
    key = open_session(bob)
    for session in (session_id(key), "0" * 32, ""):
        with pytest.raises(SessionNotFound):
            sessions.end_session(user_id=ada.pk, session=session)
    assert find_user_id(key) == bob.pk


def test_ending_the_others_keeps_this_one(member: Callable[..., Member]) -> None:
    ada = member()
    here, *others = (open_session(ada.user) for _ in range(3))
    assert sessions.end_others(user_id=ada.user_id, keep_key=here) == 2
    assert find_user_id(here) == ada.user_id
    assert [find_user_id(key) for key in others] == [None, None]
    assert {payload["session"] for _, payload in recorded("access.revoked")} == {
        session_id(key) for key in others
    }


def test_ending_all_tells_all_sockets(member: Callable[..., Member]) -> None:
    ada = member()
    keys = [open_session(ada.user) for _ in range(2)]
    sessions.end_all(user_id=ada.user_id, reason="password_changed")
    assert [find_user_id(key) for key in keys] == [None, None]
    assert not Session.objects.exists()
    assert not UserSession.objects.exists()
    told = {"principal_id": str(ada.user_id), "session": "", "reason": "password_changed"}
    assert recorded() == [("access.revoked", told)]


@pytest.mark.parametrize("number", [1, 20])
def test_the_list_shows_open_sessions_only_in_one_query(number: int, django_assert_num_queries: Any) -> None:
    person = PersonFactory()
    keys = [open_session(person) for _ in range(number)]
    Session.objects.filter(session_key=open_session(person)).delete()
    open_session(PersonFactory())
    with django_assert_num_queries(1):
        found = list_sessions(user_id=person.pk, current_key=keys[0])
    assert {session.id for session in found} == {session_id(key) for key in keys}
    assert [session.id for session in found if session.is_current] == [session_id(keys[0])]


def test_a_browser_is_tracked_once_a_minute(django_assert_num_queries: Any) -> None:
    person = PersonFactory()
    key = open_session(person)
    UserSession.objects.all().delete()
    seen = {"user_id": person.pk, "session_key": key, "user_agent": "Browser " * 50}
    sessions.track(**seen, address="192.0.2.1")
    with django_assert_num_queries(0):
        sessions.track(**seen, address="192.0.2.2")
    row = UserSession.objects.get()
    assert (row.ip, row.user_id, len(row.user_agent)) == ("192.0.2.1", person.pk, 200)
    sessions._tracked.clear()  # a minute later, or another process
    with django_assert_num_queries(1):
        sessions.track(**seen, address="")
    assert UserSession.objects.get().ip == "0.0.0.0"
