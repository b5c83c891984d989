"""Keys: shown once, narrow, with an end; what a key may do to keys."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from apps.accounts.errors import (
    KeyLifeTooLong,
    KeyNotFound,
    KeyScopeAboveOwn,
    KeyScopesMissing,
    MemberNotFound,
    NameNotValid,
    PermissionMissing,
    UnknownKeyScope,
)
from apps.accounts.models import ApiKey, Member, Organization
from apps.accounts.selectors.api_keys import get_key, list_keys
from apps.accounts.selectors.principals import principal_for_key
from apps.accounts.services import api_keys, key_use
from apps.accounts.types import IssuedKey, Principal
from apps.core.errors import NotSignedIn
from tests.accounts.events import recorded
from tests.factories.accounts import MemberFactory, api_key, principal_of

pytestmark = pytest.mark.django_db


def issue(principal: Principal, **values: Any) -> IssuedKey:
    """Issue a key with usual values."""
    usual = {"name": "CI", "scopes": ["chat:write"], "expires_at": timezone.now() + timedelta(days=30)}
    return api_keys.issue_key(principal=principal, **{**usual, **values})


def test_a_key_works_and_is_stored_as_a_hash_only(
    here: Organization, acting: Callable[..., Principal]
) -> None:
    ada = acting()
    issued = issue(ada)
    assert issued.secret.startswith(issued.prefix)
    assert issued.prefix.startswith("ck_")
    assert (len(issued.prefix), len(issued.secret)) == (11, 60)
    assert issued.secret.removeprefix("ck_").isalnum()
    by_key = principal_for_key(issued.secret)
    assert (by_key.id, by_key.key_scopes) == (ada.id, {"chat:write"})
    row = ApiKey.objects.get(pk=issued.id)
    assert bytes(row.hash) == hashlib.sha256(issued.secret.encode()).digest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(k)::text FROM accounts_apikey k")
        (stored,) = cursor.fetchone()
    assert issued.secret not in stored
    assert issued.secret.removeprefix(issued.prefix) not in stored


def test_two_keys_differ(here: Organization, acting: Callable[..., Principal]) -> None:
    ada = acting()
    assert issue(ada).secret != issue(ada).secret


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"name": ""}, NameNotValid),
        ({"name": "a\x00"}, NameNotValid),
        ({"scopes": []}, KeyScopesMissing),
        ({"scopes": ["chat:write", "all"]}, UnknownKeyScope),
        ({"days": 366}, KeyLifeTooLong),
        ({"days": 0}, KeyLifeTooLong),
        ({"days": -1}, KeyLifeTooLong),
    ],
)
def test_a_key_needs_name_scope_and_an_end_within_a_year(
    here: Organization, acting: Callable[..., Principal], values: dict[str, Any], refusal: type[Exception]
) -> None:
    if "days" in values:
        values = {"expires_at": timezone.now() + timedelta(days=values["days"])}
    with pytest.raises(refusal):
        issue(acting(), **values)
    assert not ApiKey.objects.exists()


def test_a_year_is_allowed(here: Organization, acting: Callable[..., Principal]) -> None:
    assert issue(acting(), expires_at=timezone.now() + timedelta(days=365)).id


def test_a_guest_has_no_keys_of_its_own(here: Organization, acting: Callable[..., Principal]) -> None:
    with pytest.raises(PermissionMissing):
        issue(acting("guest"))


def test_only_managers_make_keys_for_others(
    here: Organization, member: Callable[..., Member], acting: Callable[..., Principal]
) -> None:
    bot = member("guest", agent=True)
    with pytest.raises(PermissionMissing):
        issue(acting(), owner_id=bot.user_id)
    issued = issue(acting("admin"), owner_id=bot.user_id)
    assert principal_for_key(issued.secret).id == bot.user_id
    with pytest.raises(MemberNotFound):
        issue(acting("admin"), owner_id=MemberFactory().user_id)


def test_a_key_makes_no_wider_key(here: Organization, member: Callable[..., Member]) -> None:
    by_key = principal_for_key(api_key(member(), scopes=["keys:write", "chat:read"]).secret)
    assert issue(by_key, scopes=["chat:read"]).scopes == ("chat:read",)
    with pytest.raises(KeyScopeAboveOwn):
        issue(by_key, scopes=["chat:write"])
    without = principal_for_key(api_key(member(), scopes=["chat:read"]).secret)
    with pytest.raises(PermissionMissing):
        issue(without, scopes=["chat:read"])


def test_a_revoked_key_is_refused_and_told_with_its_id(
    here: Organization, acting: Callable[..., Principal]
) -> None:
    ada = acting()
    issued = issue(ada)
    api_keys.revoke_key(principal=ada, key_id=issued.id)
    api_keys.revoke_key(principal=ada, key_id=issued.id)
    with pytest.raises(NotSignedIn):
        principal_for_key(issued.secret)
    told = {"principal_id": str(ada.id), "session": str(issued.id), "reason": "key_revoked"}
    assert recorded() == [("access.revoked", told)]


def test_keys_of_others_do_not_exist(
    here: Organization, member: Callable[..., Member], acting: Callable[..., Principal]
) -> None:
    stranger, foreign = api_key(member()), api_key(MemberFactory())
    for key_id in (stranger.row.pk, foreign.row.pk, uuid4()):
        ada = acting()
        for change in (api_keys.revoke_key, api_keys.rotate_key):
            with pytest.raises(KeyNotFound):
                change(principal=ada, key_id=key_id)
        with pytest.raises(KeyNotFound):
            get_key(ada, key_id)
    with pytest.raises(KeyNotFound):
        api_keys.revoke_key(principal=acting("owner"), key_id=foreign.row.pk)
    assert not ApiKey.objects.exclude(revoked_at=None).exists()
    assert recorded() == []


def test_a_manager_revokes_any_key_of_the_organization(
    here: Organization, member: Callable[..., Member], acting: Callable[..., Principal]
) -> None:
    key = api_key(member())
    api_keys.revoke_key(principal=acting("admin"), key_id=key.row.pk)
    with pytest.raises(NotSignedIn):
        principal_for_key(key.secret)


def test_rotation_overlaps(here: Organization, acting: Callable[..., Principal]) -> None:
    ada = acting()
    old = issue(ada, name="Deploy", scopes=["chat:read", "chat:write"])
    with time_machine.travel(timezone.now() + timedelta(days=2), tick=False):
        now = timezone.now()
        new = api_keys.rotate_key(principal=ada, key_id=old.id, overlap=timedelta(hours=1))
        assert (new.name, new.scopes) == ("Deploy", ("chat:read", "chat:write"))
        assert abs(new.expires_at - now - timedelta(days=30)) < timedelta(minutes=1)
        assert ApiKey.objects.get(pk=old.id).expires_at == now + timedelta(hours=1)
    assert principal_for_key(new.secret).id == principal_for_key(old.secret).id


def test_rotation_without_overlap_ends_the_old_key(
    here: Organization, acting: Callable[..., Principal]
) -> None:
    ada = acting()
    old = issue(ada)
    new = api_keys.rotate_key(principal=ada, key_id=old.id, overlap=timedelta(0))
    assert principal_for_key(new.secret).id == ada.id
    with pytest.raises(NotSignedIn):
        principal_for_key(old.secret)
    with pytest.raises(KeyNotFound):
        api_keys.rotate_key(principal=ada, key_id=old.id)


def test_the_overlap_is_a_week_at_most(here: Organization, acting: Callable[..., Principal]) -> None:
    ada = acting()
    old = issue(ada)
    for overlap in (timedelta(days=8), timedelta(seconds=-1)):
        with pytest.raises(KeyLifeTooLong):
            api_keys.rotate_key(principal=ada, key_id=old.id, overlap=overlap)
    assert ApiKey.objects.count() == 1


def test_use_is_noted_once_a_minute(
    member: Callable[..., Member], here: Organization, django_assert_num_queries: Any
) -> None:
    key_id = api_key(member()).row.pk
    with django_assert_num_queries(1):
        key_use.touch_key(key_id)
        key_use.touch_key(key_id)
    first = ApiKey.objects.get(pk=key_id).last_used_at
    assert first is not None
    key_use._touched.clear()  # another process
    key_use.touch_key(key_id)
    assert ApiKey.objects.get(pk=key_id).last_used_at == first


@pytest.mark.parametrize("number", [1, 20])
def test_lists_cost_one_query(
    member: Callable[..., Member], here: Organization, number: int, django_assert_num_queries: Any
) -> None:
    ada, bob = member(), member()
    for _ in range(number):
        api_key(ada)
    api_key(bob)
    principal = principal_of(ada)
    with django_assert_num_queries(1):
        own = list_keys(principal)
    assert len(own) == number
    assert len(list_keys(principal, everyones=True)) == number + 1
