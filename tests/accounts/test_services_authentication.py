"""From what a request shows to who acts, and the memory that hears of revocations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts.errors import KeyInAddress, OrganizationNotFound
from apps.accounts.models import Member, Organization
from apps.accounts.selectors.principals import session_id
from apps.accounts.services import api_keys, members, principal_cache, sessions
from apps.accounts.services.authentication import Credentials, authenticate, find_kept
from apps.accounts.types import Principal
from apps.core.errors import NotSignedIn, OrganizationRequired
from apps.core.redis import client
from tests.accounts.sessions import open_session
from tests.factories.accounts import MemberFactory, api_key, principal_of
from tests.walls import everywhere

pytestmark = pytest.mark.django_db


def by_key(secret: str, **values: str) -> Credentials:
    """Return the credentials of a program."""
    return Credentials(authorization=f"Bearer {secret}", **values)


def test_a_key_says_who_and_where(member: Callable[..., Member], django_assert_num_queries: Any) -> None:
    ada = member()
    key = api_key(ada)
    with django_assert_num_queries(2):  # the key with its owner; the note of its use
        first = authenticate(by_key(key.secret))
    with django_assert_num_queries(1):
        assert authenticate(by_key(key.secret)) == first
    assert (first.id, first.organization_id) == (ada.user_id, ada.organization_id)
    with everywhere():
        key.row.refresh_from_db()
    assert key.row.last_used_at is not None


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer ",
        "Bearer ck_",
        "Basic YTpi",
        "Bearer nothing",
        "ck_",
        "Bearer ck_" + "x" * 9000,
        "Bearer ck_\x00",
    ],
)
def test_anything_else_is_refused_alike(member: Callable[..., Member], authorization: str) -> None:
    api_key(member())
    with pytest.raises(NotSignedIn):
        authenticate(Credentials(authorization=authorization))


def test_a_wrong_key_beside_a_good_cookie_is_refused(member: Callable[..., Member]) -> None:
    session = open_session(member().user)
    with pytest.raises(NotSignedIn):
        authenticate(Credentials(authorization="Bearer ck_wrong", session_key=session))


@pytest.mark.parametrize("query", ["key={}", "access_token={}&a=1", "a=1&anything={}", "k=%63k_{}"])
def test_a_key_in_the_address_is_refused_even_beside_a_good_one(
    member: Callable[..., Member], query: str
) -> None:
    secret = api_key(member()).secret
    address = query.format(secret.removeprefix("ck_") if "%63" in query else secret)
    with pytest.raises(KeyInAddress):
        authenticate(by_key(secret, query=address))
    with pytest.raises(KeyInAddress):
        authenticate(Credentials(query=address))


def test_a_key_is_not_moved_to_another_organization(
    member: Callable[..., Member], organization: Organization
) -> None:
    ada = member()
    other, key = MemberFactory(user=ada.user).organization, api_key(ada)
    for named in (str(organization.pk), organization.slug, str(organization.pk).upper()):
        assert authenticate(by_key(key.secret, organization=named)).organization_id == organization.pk
    for named in (str(other.pk), other.slug, "missing", "\x00", "ü"):
        with pytest.raises(OrganizationNotFound):
            authenticate(by_key(key.secret, organization=named))


def test_a_session_names_its_organization_or_has_one(
    member: Callable[..., Member], organization: Organization
) -> None:
    ada = member()
    key = open_session(ada.user)
    alone = authenticate(Credentials(session_key=key))
    assert (alone.organization_id, alone.session) == (organization.pk, session_id(key))
    other = MemberFactory(user=ada.user).organization
    with pytest.raises(OrganizationRequired):
        authenticate(Credentials(session_key=key))
    for named in (other.slug, str(other.pk)):
        found = authenticate(Credentials(session_key=key, organization=named))
        assert found.organization_id == other.pk
    foreign = MemberFactory().organization
    for named in (foreign.slug, str(foreign.pk), "missing", "\x00"):
        with pytest.raises(OrganizationNotFound):
            authenticate(Credentials(session_key=key, organization=named))


def test_a_user_without_organization_has_to_name_one() -> None:
    member = MemberFactory()
    key = open_session(member.user)
    with everywhere():
        Member.objects.all().delete()
    with pytest.raises(OrganizationRequired):
        authenticate(Credentials(session_key=key))


@pytest.fixture
def followed() -> list[int | None]:
    """Switch the memory on; the list's value is the number of the connection, None while it is down."""
    connection: list[int | None] = [1]
    principal_cache.follow(lambda: connection[0])
    return connection


def kept_after(change: Callable[[], object], credentials: Credentials, capture: Any) -> Principal | None:
    """Return what is remembered after a committed change."""
    authenticate(credentials)
    assert find_kept(credentials) is not None
    with capture(execute=True):
        change()
    return find_kept(credentials)


def test_nothing_is_remembered_where_revocations_are_not_heard(member: Callable[..., Member]) -> None:
    credentials = by_key(api_key(member()).secret)
    authenticate(credentials)
    assert find_kept(credentials) is None


def test_a_principal_is_remembered_without_a_query(
    member: Callable[..., Member], followed: list[int | None], django_assert_num_queries: Any
) -> None:
    credentials = by_key(api_key(member()).secret)
    principal = authenticate(credentials)
    with django_assert_num_queries(0):
        assert find_kept(credentials) == principal
    assert find_kept(by_key("ck_other")) is None
    assert find_kept(by_key("ck_other", query="key=ck_x")) is None


def test_a_revoked_key_is_forgotten(
    here: Organization,
    member: Callable[..., Member],
    followed: list[int | None],
    django_capture_on_commit_callbacks: Any,
) -> None:
    ada = member()
    key, other = api_key(ada), api_key(ada)
    authenticate(by_key(other.secret))
    gone = kept_after(
        lambda: api_keys.revoke_key(principal=principal_of(ada), key_id=key.row.pk),
        by_key(key.secret),
        django_capture_on_commit_callbacks,
    )
    assert gone is None
    assert find_kept(by_key(other.secret)) is not None


@pytest.mark.parametrize("change", ["role", "deactivate", "profile", "language"])
def test_a_changed_member_is_forgotten(
    *,
    here: Organization,
    member: Callable[..., Member],
    followed: list[int | None],
    django_capture_on_commit_callbacks: Any,
    change: str,
) -> None:
    ada, admin = member(), principal_of(member("admin"))
    changes: dict[str, Callable[[], object]] = {
        "role": lambda: members.change_role(principal=admin, member_id=ada.pk, role="guest"),
        "deactivate": lambda: members.deactivate_member(principal=admin, member_id=ada.pk),
        "profile": lambda: members.update_profile(principal=principal_of(ada), name="Ada L."),
        "language": lambda: members.update_preferences(user_id=ada.user_id, language="de"),
    }
    for credentials in (by_key(api_key(ada).secret), Credentials(session_key=open_session(ada.user))):
        authenticate(credentials)
        assert find_kept(credentials) is not None
    with django_capture_on_commit_callbacks(execute=True):
        changes[change]()
    assert find_kept(credentials) is None


def test_a_signed_out_session_is_forgotten(
    member: Callable[..., Member], followed: list[int | None], django_capture_on_commit_callbacks: Any
) -> None:
    ada = member()
    key, other = open_session(ada.user), Credentials(session_key=open_session(ada.user))
    authenticate(other)
    gone = kept_after(
        lambda: sessions.end_key(user_id=ada.user_id, session_key=key),
        Credentials(session_key=key),
        django_capture_on_commit_callbacks,
    )
    assert gone is None
    assert find_kept(other) is not None


def test_other_processes_are_told(
    here: Organization, member: Callable[..., Member], django_capture_on_commit_callbacks: Any
) -> None:
    ada, admin = member(), principal_of(member("admin"))
    listening = client().pubsub()
    listening.subscribe(principal_cache.CHANNEL)
    assert listening.get_message(timeout=5)["type"] == "subscribe"
    with django_capture_on_commit_callbacks(execute=True):
        members.change_role(principal=admin, member_id=ada.pk, role="guest")
    told = listening.get_message(timeout=5)["data"]
    listening.close()

    principal_cache.follow(lambda: 1)
    credentials, bystander = by_key(api_key(ada).secret), by_key(api_key(member()).secret)
    authenticate(credentials)
    authenticate(bystander)
    principal_cache.on_frame(told)
    assert find_kept(credentials) is None
    assert find_kept(bystander) is not None


def test_nothing_is_answered_from_memory_while_redis_is_away_nor_after_the_gap(
    member: Callable[..., Member], followed: list[int | None]
) -> None:
    credentials = by_key(api_key(member()).secret)
    authenticate(credentials)
    followed[0] = None
    assert find_kept(credentials) is None
    followed[0] = 2
    assert find_kept(credentials) is None
    authenticate(credentials)
    assert find_kept(credentials) is not None


def test_rows_read_before_an_invalidation_are_not_kept_after_it(
    member: Callable[..., Member], followed: list[int | None]
) -> None:
    principal = principal_of(member())
    since = principal_cache.generation()
    principal_cache.invalidate(principal_id=principal.id)
    principal_cache.keep("late", principal, since=since)
    assert principal_cache.find("late") is None
    principal_cache.keep("fresh", principal, since=principal_cache.generation())
    assert principal_cache.find("fresh") == principal


def test_memory_is_short_and_bounded(
    member: Callable[..., Member], followed: list[int | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    principal = principal_of(member())
    monkeypatch.setattr(principal_cache, "MOST", 2)
    for key in ("a", "b", "c"):
        principal_cache.keep(key, principal, since=principal_cache.generation())
    assert [principal_cache.find(key) is not None for key in ("a", "b", "c")] == [False, True, True]
    monkeypatch.setattr(principal_cache, "TTL_SECONDS", 0.0)
    principal_cache.keep("b", principal, since=principal_cache.generation())
    assert principal_cache.find("b") is None
