"""Who opens a socket: cookie with exact Origin, or key; and what a later look says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings

from apps.accounts.errors import KeyInAddress, OrganizationNotFound, OriginNotAllowed
from apps.accounts.models import Member, Organization
from apps.accounts.selectors.principals import session_id
from apps.accounts.services import api_keys, handshake, members, sessions
from apps.accounts.types import Principal
from apps.core.errors import NotSignedIn, OrganizationRequired
from tests.accounts.sessions import open_session
from tests.factories.accounts import MemberFactory, api_key, principal_of

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
