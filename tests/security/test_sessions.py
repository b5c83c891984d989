"""SEC-15: a session starts fresh, has an end, and ends for real; SEC-29: an invitation is for one and for one place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from apps.accounts.errors import InvitationForAnother, LinkNotValid
from apps.accounts.models import Invitation, Member, Organization, Role, User
from apps.accounts.selectors.sessions import LONGEST_SECONDS, find_user_id
from apps.accounts.services import invitations, principal_cache, sessions
from apps.accounts.services.members import change_role
from apps.core import tenancy
from tests.accounts.factors import code_of, enrol, first_step, second_step
from tests.accounts.sessions import open_session
from tests.factories.accounts import MemberFactory, OrganizationFactory, PersonFactory, principal_of
from tests.walls import everywhere

pytestmark = pytest.mark.django_db
PASSWORD = "seven green llamas sing"


@pytest.fixture(autouse=True)
def _forget_what_the_process_knows() -> None:
    principal_cache.follow(None)
    sessions._tracked.clear()


def browser_of(member: Member, **values: Any) -> Client:
    client = Client()
    client.cookies["session"] = open_session(member.user, **values)
    return client


def key_of(client: Client) -> str:
    return client.cookies["session"].value


def settings_page(member: Member) -> str:
    return f"/o/{member.organization.slug}/settings/"


def test_an_id_from_before_the_sign_in_is_worth_nothing() -> None:
    ada = MemberFactory()
    enrol_secret = enrol(ada.user)
    client = Client()
    client.post("/accounts/passkeys/options/")
    client.get("/accounts/login/")
    first_step(client, ada.user)
    planted = key_of(client)
    second_step(client, code_of(enrol_secret))
    assert key_of(client) != planted
    assert (find_user_id(planted), find_user_id(key_of(client))) == (None, ada.user_id)


def test_a_planted_id_is_not_taken_over() -> None:
    ada, client = MemberFactory(), Client()
    client.cookies["session"] = "a" * 32
    first_step(client, ada.user)
    assert key_of(client) != "a" * 32
    assert find_user_id("a" * 32) is None


def test_the_id_changes_with_the_rights() -> None:
    ada, owner = MemberFactory(), None
    owner = MemberFactory(organization=ada.organization, role="owner")
    client = browser_of(ada)
    client.get(settings_page(ada))
    before = key_of(client)
    assert client.get(settings_page(ada)).status_code == 200
    assert key_of(client) == before
    with tenancy.use(ada.organization_id):
        change_role(principal=principal_of(owner), member_id=ada.pk, role="admin")
    assert client.get(settings_page(ada)).status_code == 200
    assert key_of(client) != before
    assert (find_user_id(before), find_user_id(key_of(client))) == (None, ada.user_id)
    thief = Client()
    thief.cookies["session"] = before
    assert thief.get(settings_page(ada)).status_code == 302


def test_a_fragment_does_not_change_the_id_under_its_page() -> None:
    ada = MemberFactory()
    client = browser_of(ada)
    client.get(settings_page(ada))
    before = key_of(client)
    with everywhere():
        Member.objects.filter(pk=ada.pk).update(
            role=Role.objects.get(organization=ada.organization, key="admin")
        )
    for headers in ({"HX-Request": "true"}, {"Sec-Fetch-Dest": "image"}, {"Sec-Fetch-Dest": "empty"}):
        client.get(settings_page(ada), headers=headers)
    assert key_of(client) == before
    client.get(settings_page(ada), headers={"Sec-Fetch-Dest": "document"})
    assert key_of(client) != before


@pytest.mark.parametrize(("age", "is_in"), [(LONGEST_SECONDS - 60, True), (LONGEST_SECONDS + 1, False)])
def test_a_session_has_an_absolute_end_however_it_is_used(age: int, is_in: bool) -> None:
    ada = MemberFactory()
    answer = browser_of(ada, age_seconds=age).get(settings_page(ada))
    assert (answer.status_code == 200) is is_in


def test_a_session_ends_when_it_is_not_used(settings: Any) -> None:
    ada = MemberFactory()
    client = browser_of(ada)
    client.get(settings_page(ada))
    with time_machine.travel(
        timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE + 60), tick=False
    ):
        assert client.get(settings_page(ada)).status_code == 302
        assert find_user_id(key_of(client)) is None


def test_a_new_factor_or_password_ends_the_others_and_keeps_this_one() -> None:
    ada = MemberFactory()
    other = browser_of(ada)
    enrol(ada.user)
    assert other.get(settings_page(ada)).status_code == 302
    other, here = browser_of(ada), browser_of(ada)
    here.post(
        "/accounts/password/change/",
        {"oldpassword": "correct horse battery", "password1": PASSWORD, "password2": PASSWORD},
    )
    assert other.get(settings_page(ada)).status_code == 302
    assert here.get(settings_page(ada)).status_code == 200


# --- SEC-29 ---


@pytest.fixture
def invited() -> tuple[Organization, str, str]:
    """An organization, the invited address and the secret of its invitation."""
    organization = OrganizationFactory()
    owner = MemberFactory(organization=organization, role="owner")
    with tenancy.use(organization.pk):
        link = invitations.invite(principal=principal_of(owner), email="new@example.org")
    return organization, "new@example.org", link.url.rstrip("/").rpartition("/")[2]


def accept(secret: str) -> int:
    return int(Client().post(f"/invite/{secret}/", {"name": "New", "password": PASSWORD}).status_code)


def test_an_invitation_lets_the_invited_into_its_organization_once(
    invited: tuple[Organization, str, str],
) -> None:
    organization, email, secret = invited
    MemberFactory()
    assert accept(secret) == 302
    with everywhere():
        member = Member.objects.select_related("role", "user").get(user__email=email)
    assert (member.organization_id, member.role.key) == (organization.pk, "member")
    assert accept(secret) == 410
    with everywhere():
        assert Member.objects.filter(user__email=email).count() == 1


def by_expiry(organization: Organization, secret: str) -> None:
    with everywhere():
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def by_revoking(organization: Organization, secret: str) -> None:
    with everywhere():
        owner = Member.objects.get(organization=organization, role__key="owner")
    with tenancy.use(organization.pk):
        invitations.revoke_invitation(
            principal=principal_of(owner), invitation_id=Invitation.objects.get().pk
        )


def by_renewing(organization: Organization, secret: str) -> None:
    with everywhere():
        owner = Member.objects.get(organization=organization, role__key="owner")
    with tenancy.use(organization.pk):
        invitations.renew_invitation(principal=principal_of(owner), invitation_id=Invitation.objects.get().pk)


def by_closing(organization: Organization, secret: str) -> None:
    Organization.objects.filter(pk=organization.pk).update(is_active=False)


@pytest.mark.parametrize("end", [by_expiry, by_revoking, by_renewing, by_closing])
def test_an_invitation_that_ended_lets_nobody_in(
    invited: tuple[Organization, str, str], end: Callable[[Organization, str], None]
) -> None:
    organization, email, secret = invited
    end(organization, secret)
    assert accept(secret) == 410
    assert not User.objects.filter(email=email).exists()


def test_another_account_cannot_use_it_signed_in_or_not(invited: tuple[Organization, str, str]) -> None:
    organization, email, secret = invited
    mallory = MemberFactory()
    client = browser_of(mallory)
    assert client.post(f"/invite/{secret}/").status_code == 403
    with pytest.raises(InvitationForAnother):
        invitations.accept_invitation(secret=secret, user_id=mallory.user_id)
    with everywhere():
        assert not Member.objects.filter(organization=organization, user=mallory.user).exists()
    known = PersonFactory(email=email)
    assert (
        accept(secret) == 400
    )  # the address has an account: its owner signs in first, no second password is set
    assert known.check_password("correct horse battery")
    with everywhere():
        assert not Member.objects.filter(organization=organization, user=known).exists()
    with everywhere():
        assert Invitation.objects.get().accepted_at is None


def test_fields_of_the_request_do_not_choose_another_place_or_role(
    invited: tuple[Organization, str, str],
) -> None:
    organization, email, secret = invited
    other = MemberFactory(role="owner").organization
    Client().post(
        f"/invite/{secret}/",
        {"name": "New", "password": PASSWORD, "organization": str(other.pk), "organization_id": str(other.pk),
         "role": "owner", "email": "evil@example.org", "is_staff": "1", "user_id": "1"},
        headers={"Organization": str(other.pk)},
    )  # fmt: skip
    with everywhere():
        member = Member.objects.select_related("role", "user").get(user__email=email)
    assert (member.organization_id, member.role.key, member.user.is_staff) == (
        organization.pk,
        "member",
        False,
    )
    assert not User.objects.filter(email="evil@example.org").exists()


@pytest.mark.parametrize("secret", ["x", "0" * 43, "a" * 5000, "%00", "..%2f..", "é"])
def test_made_up_secrets_are_all_alike(invited: tuple[Organization, str, str], secret: str) -> None:
    assert accept(secret) in (404, 410)
    with pytest.raises(LinkNotValid):
        invitations.accept_invitation(secret=secret)


def test_the_database_holds_no_secret(invited: tuple[Organization, str, str]) -> None:
    _, _, secret = invited
    with everywhere():
        assert secret not in str(list(Invitation.objects.values()))
