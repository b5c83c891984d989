"""The REST endpoints: who may call, what strangers see, strict input, versions, pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from apps.accounts.models import ApiKey, Invitation, Member, Organization, Role, User
from apps.accounts.selectors.sessions import find_user_id
from tests.accounts.api import Api
from tests.accounts.sessions import open_session
from tests.factories.accounts import (
    MemberFactory,
    OrganizationFactory,
    SeatFactory,
    api_key,
    principal_of,
    role_of,
)
from tests.walls import everywhere

pytestmark = pytest.mark.django_db
PATHS = ("organizations/", "members/", "invitations/", "roles/", "me/", "api-keys/")


@pytest.fixture
def api(member: Callable[..., Member]) -> Callable[..., Api]:
    """Make API clients: `api("admin")`, `api(member)`, `api("admin", scopes=[...])`."""

    def make(who: Member | str = "member", scopes: list[str] | None = None) -> Api:
        return Api.by_key(who if isinstance(who, Member) else member(who), scopes=scopes)

    return make


def problem(response: Any) -> tuple[int, str]:
    """Return status and code of a refusal."""
    assert response["Content-Type"] == "application/problem+json"
    return response.status_code, response.json()["code"]


@pytest.mark.parametrize("path", PATHS)
def test_visitors_are_refused(db: None, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer ck_wrong"}, {"Authorization": "Token x"}):
        response = Client().get(f"/api/v1/{path}", headers=headers)
        assert problem(response) == (401, "core.not_signed_in")
        assert response["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", PATHS)
def test_a_key_in_the_address_is_refused(member: Callable[..., Member], path: str) -> None:
    key = api_key(member("owner"))
    for headers in ({}, {"Authorization": f"Bearer {key.secret}"}):
        response = Client().get(f"/api/v1/{path}?api_key={key.secret}", headers=headers)
        assert problem(response) == (400, "accounts.key_in_address")


def test_a_revoked_key_is_refused_at_once(member: Callable[..., Member], api: Callable[..., Api]) -> None:
    ada = member()
    key = api_key(ada)
    program = Api(Client(headers={"Authorization": f"Bearer {key.secret}"}))
    assert program.get("me/").status_code == 200
    assert api(ada).delete(f"api-keys/{key.row.pk}/").status_code == 204
    assert problem(program.get("me/")) == (401, "core.not_signed_in")


def test_a_browser_reads_by_cookie_and_writes_with_its_token(member: Callable[..., Member]) -> None:
    ada = member()
    client = Client(enforce_csrf_checks=True)
    client.cookies[settings.SESSION_COOKIE_NAME] = open_session(ada.user)
    browser = Api(client)
    assert browser.get("me/").json()["name"] == ada.name
    assert problem(browser.patch("me/", {"title": "Engineer"})) == (403, "core.cross_site_request")
    with everywhere():
        assert Member.objects.get(pk=ada.pk).title == ""
    token = "a" * 32
    client.cookies[settings.CSRF_COOKIE_NAME] = token
    response = browser.patch("me/", {"title": "Engineer"}, headers={"X-CSRFToken": token})
    assert response.status_code == 200, response.content
    with everywhere():
        assert Member.objects.get(pk=ada.pk).title == "Engineer"


def test_a_browser_names_its_organization(member: Callable[..., Member]) -> None:
    ada = member()
    other = MemberFactory(user=ada.user)
    browser = Api.by_cookie(ada)
    assert problem(browser.get("me/")) == (400, "core.organization_required")
    assert browser.get("me/", headers={"Organization": str(other.organization_id)}).json()[
        "member_id"
    ] == str(other.pk)
    listed = browser.get("organizations/").json()["results"]
    assert {entry["slug"] for entry in listed} == {ada.organization.slug, other.organization.slug}
    for named in (OrganizationFactory().slug, "missing"):
        refused = browser.get("me/", headers={"Organization": named})
        assert problem(refused) == (404, "accounts.organization_not_found")


def test_a_key_lists_its_own_organization_only(
    member: Callable[..., Member], api: Callable[..., Api]
) -> None:
    ada = member()
    other = MemberFactory(user=ada.user).organization
    listed = api(ada).get("organizations/").json()["results"]
    assert [entry["slug"] for entry in listed] == [ada.organization.slug]
    assert problem(api(ada).get(f"organizations/{other.pk}/"))[0] == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "allowed"),
    [
        ("get", "members/", None, {"owner", "admin", "moderator", "member", "guest"}),
        ("get", "members/?include_inactive=true", None, {"owner", "admin"}),
        ("get", "roles/", None, {"owner", "admin", "moderator", "member"}),
        ("get", "invitations/", None, {"owner", "admin"}),
        ("get", "api-keys/", None, {"owner", "admin", "moderator", "member"}),
        ("get", "api-keys/?everyones=true", None, {"owner", "admin"}),
        ("get", "me/", None, {"owner", "admin", "moderator", "member", "guest"}),
        ("get", "organizations/", None, {"owner", "admin", "moderator", "member", "guest"}),
        ("post", "invitations/", {"email": "bob@example.org"}, {"owner", "admin"}),
        ("post", "roles/", {"key": "desk", "name": "Desk", "permissions": []}, {"owner", "admin"}),
    ],
)
@pytest.mark.parametrize("role", ["owner", "admin", "moderator", "member", "guest"])
def test_who_may_call_what(
    *,
    api: Callable[..., Api],
    role: str,
    method: str,
    path: str,
    body: dict[str, Any] | None,
    allowed: set[str],
) -> None:
    caller = api(role)
    response = caller.get(path) if method == "get" else caller.post(path, body)
    assert (response.status_code < 300) is (role in allowed), response.content
    assert response.status_code in (200, 201, 403)


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("members/", "chat:read"),
        ("roles/", "chat:read"),
        ("invitations/", "admin:write"),
        ("api-keys/", "keys:write"),
    ],
)
def test_a_key_needs_the_scope(api: Callable[..., Api], path: str, scope: str) -> None:
    assert api("owner", scopes=[scope]).get(path).status_code == 200
    assert problem(api("owner", scopes=["search:read"]).get(path)) == (403, "accounts.permission_missing")


def test_foreign_and_missing_ids_answer_alike(api: Callable[..., Api]) -> None:
    foreign = MemberFactory(role="owner")
    with everywhere():
        invitation = Invitation.objects.create(
            organization=foreign.organization, email="a@example.org", hash=b"x" * 32, expires_at=timezone.now(),
            role=foreign.role,
        )  # fmt: skip
    there = {
        "members": foreign.pk,
        "roles": role_of(foreign.organization, "guest").pk,
        "api-keys": api_key(foreign).row.pk,
        "invitations": invitation.pk,
        "organizations": foreign.organization_id,
    }
    caller = api("owner")
    for resource, foreign_id in there.items():
        for method in ("get", "patch", "delete"):
            answers = []
            for pk in (foreign_id, uuid4()):
                response = getattr(caller, method)(f"{resource}/{pk}/")
                text = {name: value for name, value in response.json().items() if name != "request_id"}
                answers.append((response.status_code, text))
            assert answers[0] == answers[1], (resource, method)
            assert answers[0][0] in (404, 405), (resource, method)
    with everywhere():
        assert Member.objects.get(pk=foreign.pk).deactivated_at is None
        assert not ApiKey.objects.filter(principal=foreign.user).exclude(revoked_at=None).exists()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("me/", {"name": "x", "role": "owner"}),
        ("me/", {"is_staff": True}),
        ("me/", {"organization_id": str(uuid4())}),
        ("me/", {"avatar_file_id": str(uuid4())}),
        ("me/", {"name": "a\x00b"}),
        ("me/", {"name": 7}),
        ("me/", {"name": ""}),
        ("me/", {"name": "x" * 81}),
        ("me/", {"language": "tlh"}),
        ("me/", {"theme": "pink"}),
    ],
)
def test_only_what_is_offered_can_be_set(
    api: Callable[..., Api], member: Callable[..., Member], path: str, body: dict[str, Any]
) -> None:
    ada = member(name="Ada")
    response = api(ada).patch(path, body)
    assert response.status_code == 400, response.content
    with everywhere():
        assert Member.objects.get(pk=ada.pk).name == "Ada"
    assert not User.objects.filter(is_staff=True).exists()


@pytest.mark.parametrize(
    "raw", [b'{"name": "\\ud800"}', b'{"name": "\\u0000"}', b"{", b"[]", b'"x"', b"\xff"]
)
def test_what_cannot_be_stored_is_refused(api: Callable[..., Api], raw: bytes) -> None:
    caller = api()
    response = caller.client.patch("/api/v1/me/", raw, content_type="application/json")
    assert response.status_code == 400, response.content


def test_me(api: Callable[..., Api], member: Callable[..., Member]) -> None:
    ada = member("admin", name="Ada")
    shown = api(ada, ["chat:read", "chat:write"]).get("me/").json()
    assert (shown["id"], shown["member_id"], shown["name"]) == (str(ada.user_id), str(ada.pk), "Ada")
    assert (shown["role"], shown["key_scopes"]) == ("admin", ["chat:read", "chat:write"])
    assert "member.manage" not in shown["permissions"]
    assert shown["organization"]["slug"] == ada.organization.slug
    changed = api(ada).patch("me/", {"name": "Ada L.", "language": "de", "theme": "dark", "about": ""})
    assert changed.status_code == 200, changed.content
    stored = User.objects.get(pk=ada.user_id)
    assert (principal_of(ada).name, stored.language, stored.theme) == ("Ada L.", "de", "dark")
    refused = api(ada, ["chat:read"]).patch("me/", {"name": "Eve"})
    assert problem(refused) == (403, "accounts.permission_missing")


def test_nobody_overwrites_unseen(api: Callable[..., Api], member: Callable[..., Member]) -> None:
    ada = member(name="Ada")
    caller = api(ada)
    version = caller.get("me/")["ETag"]
    changed = caller.patch("me/", {"name": "Ada L."}, headers={"If-Match": version})
    assert changed.status_code == 200, changed.content
    assert changed["ETag"] != version
    late = caller.patch("me/", {"name": "Eve"}, headers={"If-Match": version})
    assert problem(late) == (412, "core.version_conflict")
    with everywhere():
        assert Member.objects.get(pk=ada.pk).name == "Ada L."


def test_managing_a_member(api: Callable[..., Api], member: Callable[..., Member]) -> None:
    ada, admin = member(name="Ada"), api("admin")
    shown = admin.get(f"members/{ada.pk}/")
    assert (shown.json()["email"], shown.json()["role"]) == (ada.user.email, "member")
    stale = admin.patch(f"members/{ada.pk}/", {"role": "guest"}, headers={"If-Match": '"other"'})
    assert stale.status_code == 412
    raised = admin.patch(f"members/{ada.pk}/", {"role": "moderator"}, headers={"If-Match": shown["ETag"]})
    assert raised.json()["role"] == "moderator"
    assert problem(admin.patch(f"members/{ada.pk}/", {"role": "owner"})) == (403, "accounts.role_above_own")
    assert admin.patch(f"members/{ada.pk}/", {"is_active": False}).json()["is_active"] is False
    assert admin.patch(f"members/{ada.pk}/", {"is_active": True}).json()["is_active"] is True
    assert admin.delete(f"members/{ada.pk}/").status_code == 204
    with everywhere():
        assert Member.objects.get(pk=ada.pk).deactivated_at is not None
    refused = api("member").patch(f"members/{admin.member_id}/", {"role": "guest"})
    assert problem(refused) == (403, "accounts.permission_missing")


def test_addresses_of_others_are_for_managers(api: Callable[..., Api], member: Callable[..., Member]) -> None:
    ada, bob = member(), member()
    assert api(ada).get(f"members/{bob.pk}/").json()["email"] is None
    assert api(ada).get(f"members/{ada.pk}/").json()["email"] == ada.user.email


def test_guests_see_only_people_they_share_a_conversation_with(
    api: Callable[..., Api], member: Callable[..., Member], organization: Organization
) -> None:
    guest, friend, stranger = member("guest"), member(), member()
    scope = SeatFactory(scope__organization=organization, member=guest).scope
    SeatFactory(scope=scope, member=friend)
    caller = api(guest)
    assert {entry["id"] for entry in caller.get("members/").json()["results"]} == {
        str(guest.pk),
        str(friend.pk),
    }
    assert problem(caller.get(f"members/{stranger.pk}/")) == (404, "accounts.member_not_found")
    assert caller.get(f"members/?query={stranger.name}").json()["results"] == []


@pytest.mark.parametrize("rows", [1, 20])
def test_the_list_of_members_costs_the_same(
    api: Callable[..., Api], member: Callable[..., Member], rows: int, django_assert_num_queries: Any
) -> None:
    caller = api()
    for _ in range(rows - 1):
        member()
    caller.get("members/")  # notes the use of the key once a minute
    with django_assert_num_queries(2):  # key with its owner, members
        assert len(caller.get("members/").json()["results"]) == rows


def test_members_by_page(api: Callable[..., Api], member: Callable[..., Member]) -> None:
    for number in range(5):
        member(name=f"A {number}")
    caller = api()
    names, path = [], "members/?limit=2&query=A"
    for _ in range(3):
        page = caller.get(path).json()
        names += [entry["name"] for entry in page["results"]]
        path = (page["next"] or "").partition("/api/v1/")[2]
    assert names == [f"A {number}" for number in range(5)]
    assert path == ""
    assert caller.get("members/?limit=0").status_code == 400
    assert caller.get("members/?cursor=x").status_code == 400
    assert caller.get("members/?unknown=1").status_code == 400
    assert caller.get("members/?query=%00").status_code == 400


def test_invitations(api: Callable[..., Api]) -> None:
    admin = api("admin")
    made = admin.post("invitations/", {"email": "bob@example.org", "role": "guest"})
    assert made.status_code == 201, made.content
    assert made.json()["url"].startswith("http://testserver/invite/")
    invitation = made.json()["id"]
    (listed,) = admin.get("invitations/").json()["results"]
    assert (listed["email"], listed["role"], "url" in listed) == ("bob@example.org", "guest", False)
    renewed = admin.post(f"invitations/{invitation}/renew/", {})
    assert renewed.json()["url"] != made.json()["url"]
    assert problem(admin.post("invitations/", {"email": "bob@example.org"})) == (
        409,
        "accounts.already_invited",
    )
    assert problem(admin.post("invitations/", {"email": "nobody"})) == (400, "accounts.address_not_valid")
    assert admin.delete(f"invitations/{invitation}/").status_code == 204
    assert problem(admin.get(f"invitations/{invitation}/"))[0] == 404


def test_roles(api: Callable[..., Api]) -> None:
    admin = api("admin")
    made = admin.post("roles/", {"key": "desk", "name": "Desk", "permissions": ["message.send"]})
    assert made.status_code == 201, made.content
    path = f"roles/{made.json()['id']}/"
    assert admin.patch(path, {"name": "Front desk"}, headers={"If-Match": made["ETag"]}).status_code == 200
    assert admin.patch(path, {"name": "Late"}, headers={"If-Match": made["ETag"]}).status_code == 412
    assert admin.get(path).json()["name"] == "Front desk"
    assert problem(admin.patch(path, {"permissions": ["all"]})) == (400, "accounts.unknown_permission")
    assert problem(admin.patch(path, {"permissions": ["organization.manage"]}))[0] == 403
    with everywhere():
        builtin = Role.objects.get(organization_id=admin.organization_id, key="guest").pk
    assert problem(admin.patch(f"roles/{builtin}/", {"name": "x"})) == (409, "accounts.role_built_in")
    assert admin.delete(path).status_code == 204
    assert len(admin.get("roles/").json()["results"]) == 6


def test_a_role_is_created_once_for_one_retry_key(api: Callable[..., Api]) -> None:
    admin, body = api("admin"), {"key": "desk", "name": "Desk", "permissions": []}
    headers = {"Idempotency-Key": "once"}
    first, again = (admin.post("roles/", body, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    other = admin.post("roles/", {**body, "key": "other"}, headers=headers)
    assert other.status_code == 422


def test_keys(api: Callable[..., Api], member: Callable[..., Member]) -> None:
    ada = member()
    caller = api(ada, ["keys:write", "chat:read"])
    body = {
        "name": "CI",
        "scopes": ["chat:read"],
        "expires_at": (timezone.now() + timedelta(days=9)).isoformat(),
    }
    made = caller.post("api-keys/", body)
    assert made.status_code == 201, made.content
    secret, path = made.json()["secret"], f"api-keys/{made.json()['id']}/"
    assert Api(Client(headers={"Authorization": f"Bearer {secret}"})).get("me/").json()["key_scopes"] == [
        "chat:read"
    ]
    assert secret not in caller.get(path).content.decode()
    assert secret not in caller.get("api-keys/").content.decode()
    rotated = caller.post(f"{path}rotate/", {"overlap_hours": 1})
    assert rotated.status_code == 201, rotated.content
    assert rotated.json()["secret"] != secret
    assert problem(caller.post("api-keys/", {**body, "scopes": ["chat:write"]})) == (
        403, "accounts.key_scope_above_own",
    )  # fmt: skip
    for wrong in (
        {"scopes": []},
        {"expires_at": None},
        {"scopes": ["all"]},
        {"hash": "x"},
        {"secret": "ck_x"},
    ):
        assert caller.post("api-keys/", {**body, **wrong}).status_code == 400
    late = {"expires_at": (timezone.now() + timedelta(days=400)).isoformat()}
    assert problem(caller.post("api-keys/", {**body, **late})) == (400, "accounts.key_life_too_long")
    assert caller.delete(path).status_code == 204
    assert caller.get(path).json()["revoked_at"] is not None


def test_sessions_are_for_the_person_at_the_browser(
    api: Callable[..., Api], member: Callable[..., Member]
) -> None:
    ada = member()
    browser, other, third = Api.by_cookie(ada), open_session(ada.user), open_session(ada.user)
    listed = browser.get("me/sessions/").json()["results"]
    assert len(listed) == 3
    assert [entry["is_current"] for entry in listed].count(True) == 1
    gone = next(entry["id"] for entry in listed if not entry["is_current"])
    assert browser.delete(f"me/sessions/{gone}/").status_code == 204
    assert problem(browser.delete(f"me/sessions/{gone}/")) == (404, "accounts.session_not_found")
    assert [find_user_id(key) for key in (other, third)].count(None) == 1
    assert browser.delete("me/sessions/").status_code == 204
    assert [find_user_id(key) for key in (other, third)] == [None, None]
    assert browser.get("me/").status_code == 200
    assert problem(api(ada).get("me/sessions/")) == (403, "accounts.person_required")
    assert problem(api(ada).delete("me/sessions/")) == (403, "accounts.person_required")


def test_the_organization_is_changed_by_its_owner(api: Callable[..., Api]) -> None:
    owner = api("owner")
    path = f"organizations/{owner.organization_id}/"
    version = owner.get(path)["ETag"]
    changed = owner.patch(path, {"name": "New name"}, headers={"If-Match": version})
    assert changed.json()["name"] == "New name"
    assert owner.patch(path, {"name": "Late"}, headers={"If-Match": version}).status_code == 412
    assert owner.patch(path, {"slug": "other"}).status_code == 400
    assert problem(api("admin").patch(path, {"name": "x"})) == (403, "accounts.permission_missing")
    assert Organization.objects.get(pk=owner.organization_id).name == "New name"
