"""Who opens a socket: cookie with exact Origin, or key; and what a later look says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.utils import timezone

from apps.accounts.errors import KeyInAddress, OrganizationNotFound, OriginNotAllowed
from apps.accounts.models import ApiKey, Member, Organization, TokenFamily, User
from apps.accounts.selectors.principals import session_id
from apps.accounts.services import api_keys, handshake, members, sessions, tokens
from apps.accounts.services.authentication import Credentials, authenticate
from apps.accounts.types import Principal
from apps.core import tenancy
from apps.core.errors import NotSignedIn, OrganizationRequired
from tests.accounts.sessions import open_session
from tests.factories.accounts import MemberFactory, api_key, principal_of
from tests.walls import everywhere

pytestmark = pytest.mark.django_db
OURS = "http://testserver"


def scope(query: str = "", **headers: str) -> dict[str, Any]:
    """Return an ASGI scope with these headers (underscores for hyphens)."""
    return {
        "type": "websocket",
        "path": "/ws/v1/",
        "query_string": query.encode(),
        "client": ("192.0.2.7", 5000),
        "headers": [
            (name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()
        ],
    }


def opened_by(shown: dict[str, Any]) -> Principal:
    """Return who opens a socket with this scope."""
    return handshake.principal_of(handshake.read(shown))


def cookie(session_key: str) -> str:
    """Return the cookie header of a browser."""
    return f"a=b; {settings.SESSION_COOKIE_NAME}={session_key}; language=de"


def test_a_page_of_ours_opens_a_socket_by_cookie(member: Callable[..., Member]) -> None:
    ada = member()
    key = open_session(ada.user)
    UserSession.objects.all().delete()
    principal = opened_by(scope(cookie=cookie(key), origin=OURS, user_agent="Browser"))
    assert (principal.id, principal.session) == (ada.user_id, session_id(key))
    row = UserSession.objects.get()
    assert (row.session_key, row.ip, row.user_agent) == (key, "192.0.2.7", "Browser")


@pytest.mark.parametrize(
    "origin",
    [None, "null", "http://testserver.evil.example", "https://testserver", "http://testserver:81", ""],
)
def test_a_cookie_needs_exactly_our_origin(member: Callable[..., Member], origin: str | None) -> None:
    headers = {"cookie": cookie(open_session(member().user))}
    with pytest.raises(OriginNotAllowed):
        opened_by(scope(**headers, **({} if origin is None else {"origin": origin})))


def test_a_program_needs_no_origin_but_a_foreign_one_is_refused(member: Callable[..., Member]) -> None:
    ada = member()
    bearer = {"authorization": f"Bearer {api_key(ada).secret}"}
    assert opened_by(scope(**bearer)).id == ada.user_id
    assert opened_by(scope(**bearer, origin=OURS)).id == ada.user_id
    with pytest.raises(OriginNotAllowed):
        opened_by(scope(**bearer, origin="https://evil.example"))


def test_keys_are_not_taken_from_the_address(member: Callable[..., Member]) -> None:
    with pytest.raises(KeyInAddress):
        opened_by(scope(f"key={api_key(member()).secret}", origin=OURS))


def test_nothing_shown_is_refused(db: None) -> None:
    for headers in ({}, {"cookie": "session="}, {"cookie": "\xff;;==", "authorization": ""}):
        with pytest.raises(NotSignedIn):
            opened_by(scope(origin=OURS, **headers))


def test_the_organization_is_named_in_the_address(
    member: Callable[..., Member], organization: Organization
) -> None:
    ada = member()
    browser = {"cookie": cookie(open_session(ada.user)), "origin": OURS}
    other = MemberFactory(user=ada.user).organization
    with pytest.raises(OrganizationRequired):
        opened_by(scope(**browser))
    for named in (other.slug, str(other.pk)):
        found = opened_by(scope(f"organization={named}", **browser))
        assert found.organization_id == other.pk
    for named in ("missing", "%00", MemberFactory().organization.slug):
        with pytest.raises(OrganizationNotFound):
            opened_by(scope(f"organization={named}", **browser))


def test_a_later_look_sees_new_rights_and_ended_access(
    here: Organization, member: Callable[..., Member]
) -> None:
    ada, admin = member(), principal_of(member("admin"))
    key = api_key(ada)
    program = opened_by(scope(authorization=f"Bearer {key.secret}"))
    browser = opened_by(scope(cookie=cookie(open_session(ada.user)), origin=OURS))
    members.change_role(principal=admin, member_id=ada.pk, role="guest")
    for principal in (program, browser):
        looked = handshake.refresh(principal)
        assert looked is not None
        assert (looked.role, looked.session, looked.key_scopes) == (
            "guest", principal.session, principal.key_scopes,
        )  # fmt: skip
    api_keys.revoke_key(principal=admin, key_id=key.row.pk)
    assert handshake.refresh(program) is None
    assert handshake.refresh(browser) is not None
    sessions.end_session(user_id=ada.user_id, session=browser.session)
    assert handshake.refresh(browser) is None


def test_a_later_look_refuses_who_left_the_organization(
    here: Organization, member: Callable[..., Member]
) -> None:
    ada, admin = member(), principal_of(member("admin"))
    MemberFactory(user=ada.user)  # so that the session goes on
    browser = opened_by(
        scope(f"organization={here.slug}", cookie=cookie(open_session(ada.user)), origin=OURS)
    )
    members.deactivate_member(principal=admin, member_id=ada.pk)
    assert handshake.refresh(browser) is None


class Crowd:
    """People of two organizations, each with a key, a family of tokens and two browsers."""

    def __init__(self, seats: list[Member]) -> None:
        self.seats = seats
        self.keys = {seat.pk: api_key(seat) for seat in seats}
        self.families = {seat.pk: self._family(seat) for seat in seats}
        self.browsers = {seat.pk: [self._browser(seat) for _ in range(2)] for seat in seats}

    @staticmethod
    def _family(seat: Member) -> Principal:
        with tenancy.use(seat.organization_id):
            issued = tokens.open_family(principal=principal_of(seat), name="Phone")
            return authenticate(
                Credentials(authorization=f"Bearer {issued.access_token}", address="192.0.2.7")
            )

    @staticmethod
    def _browser(seat: Member) -> Principal:
        where = f"organization={seat.organization.slug}"
        return opened_by(scope(where, cookie=cookie(open_session(seat.user)), origin=OURS))

    def of(self, seat: Member) -> list[Principal]:
        """Return how this one is here: by key, by token, in two browsers."""
        program = opened_by(scope(authorization=f"Bearer {self.keys[seat.pk].secret}"))
        return [program, self.families[seat.pk], *self.browsers[seat.pk]]

    @property
    def all(self) -> list[Principal]:
        """Return all of them, those of one person not beside each other."""
        return [one for four in zip(*map(self.of, self.seats), strict=True) for one in four]


@pytest.fixture
def crowd(member: Callable[..., Member]) -> Crowd:
    """Ada, Ben and Zoe, who is elsewhere; Ada has a seat there, too."""
    ada, ben, zoe = member(name="Ada"), member("guest", name="Ben"), MemberFactory(name="Zoe")
    return Crowd([ada, ben, zoe, MemberFactory(user=ada.user, organization=zoe.organization)])


def ending_of(seat: Member, crowd: Crowd) -> dict[str, tuple[Callable[[], object], list[int]]]:
    """Return ways in which access ends: what is done, and which of a person's four ways in are over."""
    key, (first, _) = crowd.keys[seat.pk].row, crowd.browsers[seat.pk]
    seats, users = Member.objects.filter(pk=seat.pk), User.objects.filter(pk=seat.user_id)
    organizations = Organization.objects.filter(pk=seat.organization_id)
    keys, families = (
        ApiKey.objects.filter(pk=key.pk),
        TokenFamily.objects.filter(pk=crowd.families[seat.pk].session),
    )
    now, before = timezone.now(), timezone.now() - timedelta(seconds=1)
    return {
        "revoked": (lambda: keys.update(revoked_at=now), [0]),
        "suspended": (lambda: keys.update(suspended_at=now), [0]),
        "expired": (lambda: keys.update(expires_at=before), [0]),
        "other network": (lambda: keys.update(networks=["198.51.100.0/24"]), [0]),
        "tokens ended": (lambda: families.update(ended_at=now), [1]),
        "tokens expired": (lambda: families.update(expires_at=before), [1]),
        "signed out": (lambda: sessions.end_session(user_id=seat.user_id, session=first.session), [2]),
        "password changed": (lambda: users.update(password="!new"), [2, 3]),
        "seat ended": (lambda: seats.update(deactivated_at=now), [0, 1, 2, 3]),
        "seat expired": (lambda: seats.update(expires_at=before), [0, 1, 2, 3]),
        "user off": (lambda: users.update(is_active=False), [0, 1, 2, 3]),
        "organization off": (lambda: organizations.update(is_active=False), [0, 1, 2, 3]),
        "factor asked for": (
            lambda: organizations.update(
                factor_policy="everybody",
                factor_policy_since=before - timedelta(days=60),
                factor_grace_days=0,
            ),
            [0, 1, 2, 3],
        ),
    }


ENDINGS = (
    "revoked", "suspended", "expired", "other network", "tokens ended", "tokens expired", "signed out",
    "password changed", "seat ended", "seat expired", "user off", "organization off", "factor asked for",
)  # fmt: skip


@pytest.mark.parametrize("ending", ENDINGS)
def test_several_are_looked_at_together_and_only_whose_access_ended_is_over(
    crowd: Crowd, ending: str
) -> None:
    zoe = crowd.seats[2]
    whole = crowd.all
    assert handshake.refresh_each(whole) == whole
    end, over = ending_of(zoe, crowd)[ending]
    gone = [crowd.of(zoe)[way] for way in over]
    if ending in ("organization off", "factor asked for"):
        gone += crowd.of(crowd.seats[3])
    with everywhere():
        Member.objects.filter(organization_id=zoe.organization_id).update(
            created_at=timezone.now() - timedelta(days=90)
        )
        end()
    answers = handshake.refresh_each(whole)
    assert answers == [None if one in gone else one for one in whole]
    assert answers == [handshake.refresh(one) for one in whole]


def test_the_number_of_queries_does_not_grow_with_the_crowd(
    crowd: Crowd, django_assert_num_queries: Any
) -> None:
    whole = crowd.all
    with django_assert_num_queries(
        3 + 2 * 3
    ):  # sessions, what they hold, users; keys, families and seats, twice
        assert handshake.refresh_each(whole * 4) == whole * 4
    with django_assert_num_queries(0):
        assert handshake.refresh_each([]) == []


def test_rights_of_one_are_never_those_of_another(crowd: Crowd) -> None:
    """Whoever shows another's key or session by mistake of this process is refused, not let in as the other."""
    ada, ben = crowd.of(crowd.seats[0]), crowd.of(crowd.seats[1])
    mixed = [replace(mine, id=theirs.id) for mine, theirs in zip(ada, ben, strict=True)]
    assert handshake.refresh_each(mixed) == [None] * 4
    for both in ([*ada, *mixed], [*mixed, *ada]):  # nor is one sent away because another shows the same
        assert handshake.refresh_each(both) == [one if one in ada else None for one in both]
    elsewhere = crowd.seats[2].organization_id
    moved = [replace(one, organization_id=elsewhere) for one in ben]
    assert handshake.refresh_each(moved) == [None] * 4


@pytest.mark.parametrize(
    ("headers", "language"),
    [
        ({}, "en"),
        ({"cookie": "language=de"}, "de"),
        ({"cookie": "language=xx", "accept_language": "fr, de-AT;q=0.8, en;q=0.5"}, "de"),
        ({"accept_language": "*"}, "en"),
        ({"accept_language": ";;,,\xff"}, "en"),
    ],
)
def test_refusals_speak_the_language_of_the_browser(headers: dict[str, str], language: str) -> None:
    assert handshake.language_of(handshake.read(scope(**headers))) == language
