"""Session and user of a page are read by plain statements, and are what Django's own ways return."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.contrib.sessions.backends import db as django_sessions
from django.contrib.sessions.models import Session
from django.utils import timezone

from apps.accounts.models import Member, User
from apps.accounts.page_sessions import Backend, SessionStore
from tests.accounts.sessions import open_session


@pytest.fixture
def user(member: Callable[..., Member]) -> User:
    return member().user


def test_a_session_is_what_django_reads(user: User) -> None:
    key = open_session(user)
    ours, django = SessionStore(key), django_sessions.SessionStore(key)
    assert dict(ours.items()) == dict(django.items())
    assert ours.session_key == django.session_key == key


def test_an_ended_or_unknown_session_is_empty_and_takes_no_key_over(user: User) -> None:
    key = open_session(user)
    Session.objects.filter(pk=key).update(expire_date=timezone.now() - dt.timedelta(seconds=1))
    for wrong in (key, "a" * 32, "a\x00" * 8, None):
        store = SessionStore(wrong)
        assert dict(store.items()) == {}
        assert store.session_key is None


def test_the_user_of_a_session_has_every_field(user: User) -> None:
    found = Backend().get_user(str(user.pk))
    expected = User.objects.get(pk=user.pk)
    assert found is not None
    names = [field.attname for field in User._meta.concrete_fields]
    assert {name: getattr(found, name) for name in names} == {name: getattr(expected, name) for name in names}
    assert not found._state.adding
    assert found._state.db == "default"


def test_who_is_switched_off_or_gone_has_no_session(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert Backend().get_user(user.pk) is None
    assert Backend().get_user(uuid4()) is None
