"""SEC-29: a sign-in, a token, a key and a service account belong to one organization."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import ApiKey, Member, TokenFamily
from apps.accounts.services import api_keys, members, tokens
from apps.accounts.services.service_accounts import create_service_account
from apps.core import tenancy
from apps.core.models import AuditEntry
from tests.factories.accounts import PASSWORD, MemberFactory, api_key, principal_of
from tests.security.realm import browser
from tests.walls import everywhere

pytestmark = pytest.mark.django_db


@pytest.fixture
def seats() -> tuple[Member, Member]:
    """One person in two organizations."""
    first = MemberFactory(role="owner")
    return first, MemberFactory(user=first.user, role="owner")


def bearer(secret: str, **headers: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {secret}", **headers})


def secrets_of(member: Member) -> dict[str, str]:
    return {
        "key": api_key(member).secret,
        "token": tokens.open_family(principal=principal_of(member), name="Phone").access_token,
    }


@pytest.mark.parametrize("kind", ["key", "token"])
def test_the_header_chooses_no_other_organization(seats: tuple[Member, Member], kind: str) -> None:
    here, there = seats
    secret = secrets_of(here)[kind]
    for named in (str(there.organization_id), there.organization.slug):
        assert bearer(secret, Organization=named).get("/api/v1/me/").status_code == 404
    for named in (str(here.organization_id), here.organization.slug):
        assert bearer(secret, Organization=named).get("/api/v1/me/").status_code == 200


@pytest.mark.parametrize("kind", ["key", "token"])
def test_nothing_of_the_other_organization_is_named(seats: tuple[Member, Member], kind: str) -> None:
    here, there = seats
    MemberFactory(organization=there.organization, name="Somebody there")
    caller = bearer(secrets_of(here)[kind])
    for path in (
        "organizations/",
        "members/",
        "roles/",
        "api-keys/",
        "service-accounts/",
        "conversations/",
        "me/",
    ):
        text = caller.get(f"/api/v1/{path}").content.decode()
        for word in (
            str(there.organization_id),
            there.organization.slug,
            there.organization.name,
            "Somebody there",
        ):
            assert word not in text, path
    assert caller.get(f"/api/v1/organizations/{there.organization_id}/").status_code == 404
    assert caller.get(f"/api/v1/members/{there.pk}/").status_code == 404


def test_signing_in_elsewhere_is_the_same_as_nowhere(seats: tuple[Member, Member]) -> None:
    here, _there = seats
    foreign = MemberFactory()

    def sign_in(organization: str) -> Any:
        return Client().post(
            "/api/v1/tokens/",
            {"email": here.user.email, "password": PASSWORD, "organization": organization},
            content_type="application/json",
        )

    answers = [
        sign_in(str(foreign.organization_id)),
        sign_in(foreign.organization.slug),
        sign_in("no-such-place"),
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {
        (404, "accounts.organization_not_found")
    }
    with everywhere():
        assert not TokenFamily.objects.exists()
    assert sign_in(str(here.organization_id)).status_code == 201


def test_leaving_one_ends_nothing_in_the_other(seats: tuple[Member, Member]) -> None:
    here, there = seats
    mine, other = secrets_of(here), secrets_of(there)
    boss = principal_of(MemberFactory(organization=here.organization, role="owner"))
    with tenancy.use(here.organization_id):
        members.deactivate_member(principal=boss, member_id=here.pk)
    assert {bearer(secret).get("/api/v1/me/").status_code for secret in mine.values()} == {401}
    assert {bearer(secret).get("/api/v1/me/").status_code for secret in other.values()} == {200}


def test_managers_end_only_what_is_theirs(seats: tuple[Member, Member]) -> None:
    here, _there = seats
    foreign = MemberFactory()
    key = api_key(foreign).row
    family = tokens.open_family(principal=principal_of(foreign), name="x").family
    caller = bearer(secrets_of(here)["token"])
    assert caller.delete(f"/api/v1/api-keys/{key.pk}/").status_code == 404
    for act in ("rotate", "reactivate"):
        answer = caller.post(f"/api/v1/api-keys/{key.pk}/{act}/", {}, content_type="application/json")
        assert answer.status_code == 404
    assert caller.delete(f"/api/v1/me/tokens/{family}/").status_code == 404
    with everywhere():
        assert ApiKey.objects.get(pk=key.pk).revoked_at is None
        assert TokenFamily.objects.get(pk=family).ended_at is None


def test_nobody_makes_a_key_for_an_account_elsewhere(seats: tuple[Member, Member]) -> None:
    here, there = seats
    with tenancy.use(there.organization_id):
        account = create_service_account(principal=principal_of(there), name="Importer", role="member")
    body = {
        "name": "x",
        "scopes": ["chat:read"],
        "expires_at": timezone.now() + timedelta(days=1),
        "owner_id": str(account),
    }
    answer = bearer(secrets_of(here)["token"]).post(
        "/api/v1/api-keys/", body, content_type="application/json"
    )
    assert answer.status_code == 404
    with everywhere():
        assert not ApiKey.objects.filter(principal_id=account).exists()
    with tenancy.use(there.organization_id):  # the control
        body["expires_at"] = timezone.now() + timedelta(days=1)
        assert api_keys.issue_key(principal=principal_of(there), **body).id


def wrong_password(member: Member) -> Any:
    return Client().post("/accounts/login/", {"login": member.user.email, "password": "wrong password 1"})


def wrong_password_of_a_program(member: Member) -> Any:
    return Client().post(
        "/api/v1/tokens/",
        {
            "email": member.user.email,
            "password": "wrong password 1",
            "organization": member.organization.slug,
        },
        content_type="application/json",
    )


def wrong_code(member: Member) -> Any:
    client = Client()
    client.post("/accounts/login/code/", {"email": member.user.email})
    return client.post("/accounts/login/code/confirm/", {"code": "WRNG-CODE"})


def wrong_proof(member: Member) -> Any:
    return browser(member).post("/accounts/reauthenticate/", {"password": "wrong password 1"})


def refused_in() -> list[tuple[Any, str]]:
    with everywhere():
        found = AuditEntry.objects.filter(outcome="refused").values_list("organization_id", "object_id")
        return sorted(found, key=str)


@pytest.mark.parametrize("door", [wrong_password, wrong_password_of_a_program, wrong_code, wrong_proof])
def test_a_refused_proof_of_an_account_is_once_in_each_of_its_trails(
    seats: tuple[Member, Member], door: Callable[[Member], Any]
) -> None:
    """The account is everywhere the same, and who looks after one organization sees nothing of the other."""
    here, there = seats
    MemberFactory(role="owner")  # a third organization, and one of the first that is somebody else's
    MemberFactory(organization=here.organization)
    door(here)
    about = str(here.user_id)
    assert refused_in() == sorted(((here.organization_id, about), (there.organization_id, about)), key=str)


def test_a_refused_right_is_in_the_trail_of_its_organization_only(seats: tuple[Member, Member]) -> None:
    _owner, there = seats
    guest = MemberFactory(role="guest")
    MemberFactory(user=guest.user, organization=there.organization, role="owner")
    answer = bearer(secrets_of(guest)["token"]).post(
        "/api/v1/invitations/", {"email": "fresh@example.org"}, content_type="application/json"
    )
    assert answer.status_code == 403
    assert refused_in() == [(guest.organization_id, "")]


def test_a_key_that_is_over_is_in_the_trail_of_its_organization_only(seats: tuple[Member, Member]) -> None:
    here, _there = seats
    key = api_key(here)
    key.row.revoked_at = timezone.now()
    with everywhere():
        key.row.save()
    assert bearer(key.secret).get("/api/v1/me/").status_code == 401
    assert [organization for organization, _about in refused_in()] == [here.organization_id]
