"""Who needs a second factor in an organization, and what goes without one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from lxml import html

from apps.accounts.errors import FactorPolicyUnknown, PermissionMissing, SecondFactorRequired
from apps.accounts.models import Member, Organization, SecondFactor
from apps.accounts.selectors.factors import get_policy, list_lacking
from apps.accounts.selectors.principals import principal_for_key, principal_for_session
from apps.accounts.services.factor_policy import set_factor_policy
from apps.accounts.services.organizations import create_organization
from apps.accounts.types import Principal
from tests.accounts.events import recorded
from tests.accounts.factors import code_of, enrol, first_step, second_step
from tests.accounts.sessions import open_session
from tests.factories.accounts import PASSWORD, MemberFactory, OrganizationFactory, PersonFactory, api_key
from tests.walls import everywhere

pytestmark = pytest.mark.django_db


@pytest.fixture
def strict(organization: Organization) -> Organization:
    """Everybody, at once."""
    organization.factor_policy, organization.factor_grace_days = "everybody", 0
    organization.save()
    return organization


def browser_of(member: Member, **values: Any) -> Client:
    client = Client()
    client.cookies["session"] = open_session(member.user, **values)
    return client


def _server_asks(settings: Any, whom: str) -> None:
    security = settings.CONFIGURATION.security.model_copy(update={"second_factor": whom})
    settings.CONFIGURATION = dataclasses.replace(settings.CONFIGURATION, security=security)


def test_new_organizations_ask_administrators_after_two_weeks() -> None:
    made = create_organization(slug="new", name="New", owner_id=PersonFactory().pk)
    policy = get_policy(made)
    assert (policy.policy, policy.grace_days) == ("administrators", 14)
    with everywhere():
        owner = Member.objects.get(organization_id=made)
    principal = principal_for_session(user_id=owner.user_id, organization_id=made, session="s")
    assert principal.factor_due_at is not None
    with (
        time_machine.travel(timezone.now() + timedelta(days=15), tick=False),
        pytest.raises(SecondFactorRequired),
    ):
        principal_for_session(user_id=owner.user_id, organization_id=made, session="s")


@pytest.mark.parametrize(
    ("policy", "role", "is_asked"),
    [
        ("nobody", "owner", False), ("administrators", "owner", True), ("administrators", "moderator", True),
        ("administrators", "member", False), ("administrators", "guest", False), ("everybody", "member", True),
        ("everybody", "guest", True),
    ],
)  # fmt: skip
def test_who_is_asked(organization: Organization, member: Callable[..., Member], policy: str, role: str,
                      is_asked: bool) -> None:  # fmt: skip
    Organization.objects.filter(pk=organization.pk).update(factor_policy=policy, factor_grace_days=0)
    ada = member(role)
    who = {"user_id": ada.user_id, "organization_id": organization.pk, "session": "s"}
    with everywhere():
        lacking = list_lacking(organization_id=organization.pk, policy=get_policy(organization.pk))
    assert [found.id for found in lacking] == ([ada.pk] if is_asked else [])
    if is_asked:
        with pytest.raises(SecondFactorRequired):
            principal_for_session(**who)
    else:
        assert principal_for_session(**who).factor_due_at is None


@pytest.mark.parametrize("setting", ["administrators", "everybody"])
def test_the_server_may_be_stricter(settings: Any, acting: Callable[..., Principal], setting: str) -> None:
    owner = acting("owner")
    _server_asks(settings, setting)
    with pytest.raises(SecondFactorRequired):
        principal_for_session(user_id=owner.id, organization_id=owner.organization_id, session="s")


def test_agents_and_services_are_not_asked(strict: Organization) -> None:
    agent = MemberFactory(organization=strict, agent=True)
    key = api_key(agent)
    assert principal_for_key(key.secret).id == agent.user_id


def test_a_proof_of_another_person_or_of_a_removed_factor_counts_nothing(strict: Organization) -> None:
    ada, bob = MemberFactory(organization=strict), MemberFactory(organization=strict)
    enrol(ada.user)
    enrol(bob.user)
    factor = SecondFactor.objects.filter(user=ada.user).first()
    assert factor is not None
    who = {"organization_id": strict.pk, "session": "s", "factor_id": factor.pk}
    assert principal_for_session(user_id=ada.user_id, **who).id == ada.user_id
    with pytest.raises(SecondFactorRequired):
        principal_for_session(user_id=bob.user_id, **who)
    factor.delete()
    with pytest.raises(SecondFactorRequired):
        principal_for_session(user_id=ada.user_id, **who)


def test_pages_lead_to_the_set_up_and_then_back(strict: Organization, member: Callable[..., Member]) -> None:
    ada = member()
    client, inside = browser_of(ada), f"/o/{strict.slug}/settings/"
    sent = client.get(inside)
    assert sent["Location"] == f"/accounts/second-factor/required/?next={inside}"
    needed = client.get(sent["Location"])
    assert needed.status_code == 403
    assert "/accounts/factors/" in html.fromstring(needed.content).xpath("//a/@href")
    assert client.get("/")["Location"] == "/accounts/second-factor/required/"
    assert (
        client.get(inside, headers={"HX-Request": "true"})["HX-Redirect"]
        == "/accounts/second-factor/required/"
    )
    assert (
        client.get(inside, headers={"X-Requested-With": "fetch"}).status_code == 403
    )  # a script follows unseen
    assert client.post(f"{inside}profile/", {"name": "Changed"}).status_code == 302
    with everywhere():
        ada.refresh_from_db()
    assert ada.name != "Changed"
    page = html.fromstring(client.get("/accounts/factors/app/").content)
    secret = "".join(page.xpath("//*[@data-secret]")[0].text_content().split())
    client.post("/accounts/factors/app/", {"code": code_of(secret)})
    assert client.get(inside).status_code == 200


def test_an_old_session_of_who_has_a_factor_shows_it(
    strict: Organization, member: Callable[..., Member]
) -> None:
    ada = member()
    secret = enrol(ada.user)
    client, inside = browser_of(ada), f"/o/{strict.slug}/settings/"
    assert client.get(inside).status_code == 302
    before = client.cookies["session"].value
    client.post(f"/accounts/reauthenticate/?next={inside}", {"code": code_of(secret)})
    assert client.get(inside).status_code == 200
    assert client.cookies["session"].value != before


def test_another_organization_goes_on(strict: Organization, member: Callable[..., Member]) -> None:
    ada = member()
    elsewhere = MemberFactory(user=ada.user)
    client = browser_of(ada)
    assert client.get(f"/o/{strict.slug}/settings/").status_code == 302
    assert client.get(f"/o/{elsewhere.organization.slug}/settings/").status_code == 200


def test_rest_and_keys_are_refused_by_name(strict: Organization, member: Callable[..., Member]) -> None:
    ada = member()
    key = api_key(ada)
    by_cookie = browser_of(ada).get("/api/v1/me/")
    by_key = Client().get("/api/v1/me/", headers={"Authorization": f"Bearer {key.secret}"})
    for answer in (by_cookie, by_key):
        assert (answer.status_code, answer.json()["code"]) == (403, "accounts.second_factor_required")
    secret = enrol(ada.user)
    assert Client().get("/api/v1/me/", headers={"Authorization": f"Bearer {key.secret}"}).status_code == 200
    client = Client()
    first_step(client, ada.user)
    second_step(client, code_of(secret))
    assert client.get("/api/v1/me/").status_code == 200


def test_in_the_days_of_grace_pages_say_until_when(
    organization: Organization, member: Callable[..., Member]
) -> None:
    Organization.objects.filter(pk=organization.pk).update(factor_policy="everybody", factor_grace_days=3)
    client, inside = browser_of(member()), f"/o/{organization.slug}/settings/"
    assert b"asks for a second factor from" in client.get(inside).content
    with time_machine.travel(timezone.now() + timedelta(days=4), tick=False):
        assert client.get(inside).status_code == 302


def test_who_joins_later_has_the_same_days(organization: Organization, member: Callable[..., Member]) -> None:
    long_ago = timezone.now() - timedelta(days=100)
    Organization.objects.filter(pk=organization.pk).update(
        factor_policy="everybody", factor_policy_since=long_ago, factor_grace_days=3
    )
    ada = member()
    who = {"user_id": ada.user_id, "organization_id": organization.pk, "session": "s"}
    assert principal_for_session(**who).factor_due_at is not None
    with everywhere():
        Member.objects.filter(pk=ada.pk).update(created_at=timezone.now() - timedelta(days=4))
    with pytest.raises(SecondFactorRequired):
        principal_for_session(**who)


@pytest.mark.usefixtures("here")
def test_owners_set_the_policy_and_sockets_without_proof_hear_of_it(acting: Callable[..., Principal]) -> None:
    owner, bob = acting("owner"), acting("member")
    enrol(Member.objects.get(user_id=owner.id).user)
    set_factor_policy(principal=owner, policy="everybody", grace_days=0)
    changed = [told["principal_id"] for name, told in recorded("access.changed")]
    assert changed == [str(bob.id)]
    assert get_policy(owner.organization_id).policy == "everybody"


def test_others_do_not_set_it(acting: Callable[..., Principal]) -> None:
    admin = acting("admin")
    with pytest.raises(PermissionMissing):
        set_factor_policy(principal=admin, policy="nobody", grace_days=0)
    owner = acting("owner")
    for policy, days in [("all", 1), ("everybody", -1), ("everybody", 91)]:
        with pytest.raises(FactorPolicyUnknown):
            set_factor_policy(principal=owner, policy=policy, grace_days=days)
    assert get_policy(owner.organization_id).policy == "nobody"


@pytest.mark.usefixtures("here")
def test_the_days_begin_again_only_when_more_people_are_asked(acting: Callable[..., Principal]) -> None:
    owner = acting("owner")
    set_factor_policy(principal=owner, policy="administrators", grace_days=14)
    since = get_policy(owner.organization_id).since
    set_factor_policy(principal=owner, policy="administrators", grace_days=30)
    assert get_policy(owner.organization_id).since == since
    set_factor_policy(principal=owner, policy="everybody", grace_days=30)
    assert get_policy(owner.organization_id).since > since


def test_the_console_shows_previews_and_changes(
    organization: Organization, member: Callable[..., Member]
) -> None:
    owner, bob = member("owner", name="Olga"), member(name="Bob without")
    client, page = browser_of(owner), f"/o/{organization.slug}/console/second-factor/"
    assert b"Nobody is asked." in client.get(page).content
    preview = client.get(page, {"preview": "1", "policy": "everybody", "grace_days": "7"}).content
    assert b"Bob without" in preview
    assert get_policy(organization.pk).policy == "nobody"
    stale = browser_of(owner, age_seconds=601).post(page, {"policy": "everybody", "grace_days": "7"})
    assert stale["Location"].startswith("/accounts/reauthenticate/")
    assert get_policy(organization.pk).policy == "nobody"
    assert client.post(page, {"policy": "everybody", "grace_days": "7"}).status_code == 302
    assert get_policy(organization.pk).policy == "everybody"
    assert b"Bob without" in client.get(page).content
    assert client.post(page, {"policy": "x", "grace_days": "700"}).status_code == 422
    admin = browser_of(member("admin"))
    assert admin.post(page, {"policy": "nobody", "grace_days": "0"}).status_code == 403
    assert browser_of(bob).get(page).status_code == 404
    assert get_policy(organization.pk).policy == "everybody"


@pytest.mark.parametrize("number", [1, 20])
def test_the_list_of_who_lacks_one_is_one_query(organization: Organization, member: Callable[..., Member],
                                                number: int, django_assert_num_queries: Any) -> None:  # fmt: skip
    for _ in range(number):
        member()
    Organization.objects.filter(pk=organization.pk).update(factor_policy="everybody")
    policy = get_policy(organization.pk)
    with everywhere(), django_assert_num_queries(1):
        assert len(list_lacking(organization_id=organization.pk, policy=policy)) == number


def test_the_list_names_only_the_own_organization(
    organization: Organization, member: Callable[..., Member]
) -> None:
    member()
    MemberFactory(organization=OrganizationFactory())
    Organization.objects.update(factor_policy="everybody")
    with everywhere():
        found = list_lacking(organization_id=organization.pk, policy=get_policy(organization.pk))
    assert len(found) == 1


def test_the_policy_over_rest(organization: Organization, member: Callable[..., Member]) -> None:
    owner, bob = member("owner"), member(name="Bob")
    client = browser_of(owner)
    assert client.get("/api/v1/second-factor-policy/").json()["policy"] == "nobody"
    lacking = client.get("/api/v1/second-factor-policy/lacking/?policy=everybody&grace_days=1").json()
    assert {entry["id"] for entry in lacking["results"]} == {str(owner.pk), str(bob.pk)}
    change = {"policy": "administrators", "grace_days": 5}
    stale = browser_of(owner, age_seconds=601).patch(
        "/api/v1/second-factor-policy/", change, content_type="application/json"
    )
    assert stale.json()["code"] == "accounts.step_up_required"
    assert get_policy(organization.pk).policy == "nobody"
    changed = client.patch("/api/v1/second-factor-policy/", change, content_type="application/json")
    assert (changed.status_code, changed.json()["policy"], changed.json()["grace_days"]) == (
        200,
        "administrators",
        5,
    )
    refused = browser_of(bob).get("/api/v1/second-factor-policy/")
    assert refused.json()["code"] == "accounts.permission_missing"


def test_the_operators_admin_asks_when_an_organization_does(strict: Organization) -> None:
    operator = MemberFactory(organization=strict, user__is_staff=True, user__is_superuser=True)
    client = browser_of(operator)
    assert client.get("/admin/")["Location"] == "/accounts/second-factor/required/?next=/admin/"
    secret = enrol(operator.user)
    client = Client()
    first_step(client, operator.user, PASSWORD)
    second_step(client, code_of(secret))
    assert client.get("/admin/").status_code == 200


def test_the_operators_admin_asks_when_the_server_does(settings: Any) -> None:
    operator = MemberFactory(user__is_staff=True, user__is_superuser=True)
    assert browser_of(operator).get("/admin/").status_code == 200
    _server_asks(settings, "administrators")
    assert browser_of(operator).get("/admin/").status_code == 302
