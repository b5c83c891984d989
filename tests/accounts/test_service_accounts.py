"""Service accounts: programs with a role and keys, and no way to sign in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.errors import PermissionMissing, RoleAboveOwn, RoleNotFound
from apps.accounts.models import Member, Organization, User
from apps.accounts.services import api_keys, members
from apps.accounts.services.service_accounts import create_service_account
from apps.accounts.types import Principal
from tests.accounts.api import Api
from tests.core.trail import entries

pytestmark = pytest.mark.django_db


def test_an_account_acts_by_key_with_its_role(here: Organization, acting: Callable[..., Principal]) -> None:
    admin = acting("admin")
    made = create_service_account(principal=admin, name="Nightly import", role="member")
    assert {(row.action, row.object_id) for row in entries(here.pk)} == {
        ("member.joined", str(made)),
        ("service_account.created", str(made)),
    }
    user = User.objects.get(pk=made)
    assert (user.kind, user.email, user.has_usable_password()) == ("service", None, False)
    issued = api_keys.issue_key(
        principal=admin,
        name="importer",
        scopes=["chat:read"],
        expires_at=timezone.now() + timedelta(days=9),
        owner_id=made,
    )
    me = Client(headers={"Authorization": f"Bearer {issued.secret}"}).get("/api/v1/me/").json()
    assert (me["kind"], me["role"], me["name"]) == ("service", "member", "Nightly import")


def test_only_managers_make_them_and_nobody_above_itself(
    here: Organization, acting: Callable[..., Principal]
) -> None:
    for role in ("member", "moderator", "guest"):
        with pytest.raises(PermissionMissing):
            create_service_account(principal=acting(role), name="x")
    with pytest.raises(RoleAboveOwn):
        create_service_account(principal=acting("admin"), name="x", role="owner")
    with pytest.raises(RoleNotFound):
        create_service_account(principal=acting("admin"), name="x", role="pirate")
    assert not User.objects.filter(kind="service").exists()


def test_deactivating_ends_its_keys(here: Organization, acting: Callable[..., Principal]) -> None:
    admin = acting("admin")
    made = create_service_account(principal=admin, name="Importer", role="member")
    issued = api_keys.issue_key(
        principal=admin,
        name="k",
        scopes=["chat:read"],
        expires_at=timezone.now() + timedelta(days=9),
        owner_id=made,
    )
    members.deactivate_member(principal=admin, member_id=Member.objects.get(user_id=made).pk)
    assert Client(headers={"Authorization": f"Bearer {issued.secret}"}).get("/api/v1/me/").status_code == 401


def test_the_api_lists_and_makes_them(member: Callable[..., Member]) -> None:
    api = Api.by_key(member("admin"))
    made = api.post("service-accounts/", {"name": "Importer", "role": "member"})
    assert made.status_code == 201, made.content
    assert (made.json()["kind"], made.json()["role"]) == ("service", "member")
    assert [row["name"] for row in api.get("service-accounts/").json()["results"]] == ["Importer"]
    assert Api.by_key(member()).get("service-accounts/").status_code == 403
    assert (
        Api.by_key(member("admin"), scopes=["keys:write"])
        .post("service-accounts/", {"name": "x"})
        .status_code
        == 403
    )
