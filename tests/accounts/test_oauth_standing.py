"""Who may let a program in: pages outside of every organization ask what pages inside ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY

from apps.accounts.conditions import clean
from apps.accounts.models import Member, OAuthCode, OAuthConsent, Organization, Role, SecondFactor, ViewAs
from apps.accounts.selectors.oauth import find_known
from apps.accounts.selectors.sessions import VIEW_AS, store
from apps.accounts.services import oauth_devices
from tests.accounts.factors import enrol
from tests.accounts.oauth import app_of, decide, told
from tests.accounts.sessions import open_session
from tests.factories.accounts import MemberFactory, OrganizationFactory
from tests.walls import everywhere

pytestmark = pytest.mark.django_db
Make = Callable[..., Member]
NEEDED = "/accounts/second-factor/required/"


@pytest.fixture
def ben(member: Make) -> Member:
    return member("member", name="Ben")


def browser_of(member: Member, *, proved: bool = False) -> Client:
    if proved:
        enrol(member.user)
    key = open_session(member.user)
    if proved:
        session = store(key)
        factor = SecondFactor.objects.get(user=member.user, authenticator__type="totp")
        session[DEVICE_ID_SESSION_KEY] = f"accounts.secondfactor/{factor.pk}"
        session.save()
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = key
    return client


def look(admin: Member, ben: Member, **values: Any) -> Client:
    client = browser_of(admin, **values)
    answer = client.post(
        f"/o/{admin.organization.slug}/console/people/{ben.pk}/view/", {"reason": "You asked for help."}
    )
    assert answer.status_code == 302, answer.content
    return client


def ask_for_factors(organization: Organization) -> None:
    Organization.objects.filter(pk=organization.pk).update(factor_policy="everybody", factor_grace_days=0)


def let_in() -> tuple[int, int]:
    with everywhere():
        return OAuthConsent.objects.count(), OAuthCode.objects.count()


def a_device_of(organization: Organization) -> str:
    client = find_known(app_of(organization).id)
    assert client is not None
    return oauth_devices.start_device(client=client, scopes=("openid", "chat:read")).user_code


# While somebody looks at pages as another person


def test_who_looks_lets_no_program_in(organization: Organization, member: Make, ben: Member) -> None:
    address, code = app_of(organization).question()[0], a_device_of(organization)
    client = look(member("admin"), ben)
    for answer in (
        client.get(address),
        client.post(address, {"decision": "allow"}),
        client.get("/oauth/device/"),
        client.post("/oauth/device/", {"user_code": code, "decision": "allow"}),
    ):
        assert answer.status_code == 403
    assert let_in() == (0, 0)
    assert client.post("/view/end/").status_code == 302
    assert told(decide(client, address))["code"]


def test_who_looks_lets_nothing_into_an_organization_without_that_view_either(
    member: Make, ben: Member
) -> None:
    admin = member("admin")
    elsewhere = OrganizationFactory()
    MemberFactory(organization=elsewhere, user=admin.user)
    client = look(admin, ben)
    assert client.get(app_of(elsewhere).question()[0]).status_code == 403
    assert let_in() == (0, 0)


@pytest.mark.parametrize(
    "page",
    [
        "/accounts/factors/", "/accounts/factors/app/", "/accounts/factors/passkeys/", "/accounts/factors/codes/",
        "/accounts/second-factor/required/", "/accounts/reauthenticate/", "/accounts/reauthenticate/resume/",
        "{inside}privacy/", "{inside}settings/", "{inside}console/audit/export/",
    ],
)  # fmt: skip
def test_factors_proofs_keys_and_exports_wait_meanwhile(
    organization: Organization, member: Make, page: str
) -> None:
    client = look(member("owner"), member("auditor"))
    address = page.format(inside=f"/o/{organization.slug}/")
    assert client.get(address).status_code == 403


def test_who_looks_needs_the_second_factor_and_who_is_looked_at_does_not(
    organization: Organization, member: Make, ben: Member
) -> None:
    ask_for_factors(organization)
    inside = f"/o/{organization.slug}/"
    proved = look(member("admin"), ben, proved=True)
    assert b"data-view-as" in proved.get(inside, follow=True).content
    plain = browser_of(member("admin"))
    begun = plain.post(f"{inside}console/people/{ben.pk}/view/", {"reason": "You asked for help."})
    assert begun["Location"].startswith(NEEDED)


def test_a_look_ends_where_the_organization_begins_to_ask(
    organization: Organization, member: Make, ben: Member
) -> None:
    client = look(member("admin"), ben)
    ask_for_factors(organization)
    assert client.get(f"/o/{organization.slug}/")["Location"].startswith(NEEDED)
    with everywhere():
        assert ViewAs.objects.get().ended_at is not None
    assert VIEW_AS not in store(client.cookies["session"].value).load()
    assert client.get("/accounts/factors/").status_code == 200  # its own, again


# The second factor, and conditions of roles


def test_the_organization_of_the_program_asks_for_its_second_factor(
    organization: Organization, member: Make
) -> None:
    cleo = member("member")
    MemberFactory(organization=OrganizationFactory(), user=cleo.user)
    app, code = app_of(organization), a_device_of(organization)
    address, _ = app.question()
    ask_for_factors(organization)
    plain = browser_of(cleo)
    assert plain.get(address)["Location"].startswith(NEEDED)
    assert plain.post(address, {"decision": "allow"})["Location"].startswith(NEEDED)
    sent = plain.post("/oauth/device/", {"user_code": code, "decision": "allow"})
    assert sent["Location"].startswith(NEEDED)
    assert told(plain.get(app.question(prompt="none")[0]))["error"] == "interaction_required"
    assert let_in() == (0, 0)
    proved = browser_of(cleo, proved=True)
    assert told(decide(proved, address))["code"]


def test_a_role_that_gives_nothing_here_lets_no_program_in(organization: Organization) -> None:
    with everywhere():
        role = Role.objects.create(
            organization=organization, key="desk", name="Desk", permissions=["message.send"],
            conditions=clean(networks=["192.0.2.0/24"]).as_json(),
        )  # fmt: skip
    client = browser_of(MemberFactory(organization=organization, role=role))
    address, code = app_of(organization).question()[0], a_device_of(organization)
    assert told(client.get(address))["error"] == "access_denied"
    assert told(client.post(address, {"decision": "allow"}))["error"] == "access_denied"
    answer = client.post("/oauth/device/", {"user_code": code, "decision": "allow"})
    assert answer.status_code == 403
    assert let_in() == (0, 0)
