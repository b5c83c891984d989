"""The REST endpoints of tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import ApiKey, Member, TokenFamily
from apps.core import tenancy
from tests.accounts.api import Api
from tests.accounts.factors import code_of, enrol
from tests.factories.accounts import PASSWORD, MemberFactory
from tests.walls import everywhere

pytestmark = pytest.mark.django_db


@pytest.fixture
def member() -> Member:
    """A member of one organization."""
    return MemberFactory()


def post(path: str, body: dict[str, Any], **headers: str) -> Any:
    """Send a body as a program without credentials."""
    return Client(headers=headers).post(f"/api/v1/{path}", body, content_type="application/json")


def sign_in(member: Member, **more: Any) -> Any:
    """Sign a client of the member in."""
    return post("tokens/", {"email": member.user.email, "password": PASSWORD, **more})


def me(token: str) -> Any:
    """Ask who the token is."""
    return Client().get("/api/v1/me/", headers={"Authorization": f"Bearer {token}"})


def test_sign_in_refresh_and_sign_out(member: Member) -> None:
    answer = sign_in(member, name="My phone")
    assert answer.status_code == 201, answer.content
    first = answer.json()
    assert (first["token_type"], me(first["access_token"]).json()["id"]) == ("Bearer", str(member.user_id))
    assert answer["Cache-Control"] == "private, no-store"
    second = post("tokens/refresh/", {"refresh_token": first["refresh_token"]}).json()
    assert me(second["access_token"]).status_code == 200
    assert post("tokens/revoke/", {"refresh_token": second["refresh_token"]}).status_code == 204
    assert me(second["access_token"]).status_code == 401
    assert post("tokens/revoke/", {"refresh_token": "cr_unknown"}).status_code == 204


def test_reuse_says_so_and_ends_everything(member: Member) -> None:
    first = sign_in(member).json()
    second = post("tokens/refresh/", {"refresh_token": first["refresh_token"]}).json()
    answer = post("tokens/refresh/", {"refresh_token": first["refresh_token"]})
    assert (answer.status_code, answer.json()["code"]) == (401, "accounts.token_reused")
    assert me(second["access_token"]).status_code == 401
    with tenancy.use(member.organization_id):
        assert TokenFamily.objects.get().end_reason == "token_reused"


@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"email": "nobody@example.org"}])
def test_a_wrong_password_and_an_unknown_address_are_the_same(member: Member, wrong: dict[str, str]) -> None:
    answer = sign_in(member, **wrong)
    assert (answer.status_code, answer.json()["code"]) == (401, "accounts.credentials_not_valid")
    with tenancy.use(member.organization_id):
        assert not TokenFamily.objects.exists()


def test_a_closed_account_is_the_same_too(member: Member) -> None:
    member.user.is_active = False
    member.user.save()
    assert sign_in(member).json()["code"] == "accounts.credentials_not_valid"


def test_guessing_is_limited_like_on_the_page(member: Member) -> None:
    for _ in range(10):
        assert sign_in(member, password="wrong").status_code == 401
    answer = sign_in(member)
    assert (answer.status_code, answer.json()["code"]) == (429, "accounts.too_many_attempts")


def test_a_member_of_several_names_one(member: Member) -> None:
    other = MemberFactory(user=member.user)
    assert sign_in(member).json()["code"] == "core.organization_required"
    for named in (str(other.organization_id), other.organization.slug):
        token = sign_in(member, organization=named).json()["access_token"]
        assert me(token).json()["organization"]["id"] == str(other.organization_id)
    foreign = MemberFactory()
    assert sign_in(member, organization=str(foreign.organization_id)).status_code == 404


def test_who_has_a_second_factor_shows_it_here_too(member: Member) -> None:
    secret = enrol(member.user)
    answer = sign_in(member)
    assert (answer.status_code, answer.json()["code"]) == (401, "accounts.factor_code_required")
    wrong = f"{(int(code_of(secret)) + 1) % 1_000_000:06}"
    assert sign_in(member, code=wrong).json()["code"] == "accounts.code_wrong"
    with everywhere():
        assert not TokenFamily.objects.exists()
    code = code_of(secret)
    assert sign_in(member, code=code).status_code == 201
    assert sign_in(member, code=code).json()["code"] == "accounts.code_wrong"  # once


def test_an_organization_that_asks_lets_no_password_in_alone(member: Member) -> None:
    before = sign_in(member).json()
    member.organization.factor_policy, member.organization.factor_grace_days = "everybody", 0
    member.organization.save()
    answer = sign_in(member)
    assert (answer.status_code, answer.json()["code"]) == (403, "accounts.second_factor_required")
    # neither does what was opened before
    assert me(before["access_token"]).json()["code"] == "accounts.second_factor_required"
    for _ in range(2):  # refused, not used up
        again = post("tokens/refresh/", {"refresh_token": before["refresh_token"]})
        assert (again.status_code, again.json()["code"]) == (403, "accounts.second_factor_required")
    secret = enrol(member.user)
    proved = sign_in(member, code=code_of(secret)).json()
    assert me(proved["access_token"]).status_code == 200
    assert post("tokens/refresh/", {"refresh_token": proved["refresh_token"]}).status_code == 200
    with everywhere():  # a proof with a factor that is gone is none, even where nothing told the family
        TokenFamily.objects.filter(pk=proved["family"]).update(factor=0)
    assert me(proved["access_token"]).json()["code"] == "accounts.second_factor_required"


def test_a_changed_factor_signs_clients_out(member: Member) -> None:
    token = sign_in(member).json()["access_token"]
    enrol(member.user)
    assert me(token).status_code == 401


def test_keys_are_made_by_clients_that_signed_in_lately(member: Member) -> None:
    token = sign_in(member).json()["access_token"]
    client = Client(headers={"Authorization": f"Bearer {token}"})
    wanted = {
        "name": "build",
        "scopes": ["chat:read"],
        "expires_at": (timezone.now() + timedelta(days=3)).isoformat(),
    }
    assert client.post("/api/v1/api-keys/", wanted, content_type="application/json").status_code == 201
    with everywhere():
        TokenFamily.objects.update(created_at=timezone.now() - timedelta(minutes=11))
    answer = client.post("/api/v1/api-keys/", wanted, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "accounts.step_up_required")
    with everywhere():
        assert ApiKey.objects.count() == 1


def test_narrow_clients_and_keys_do_not_see_the_list(member: Member) -> None:
    wide, narrow = sign_in(member).json(), sign_in(member, scopes=["chat:read"]).json()
    clients = {
        name: Client(headers={"Authorization": f"Bearer {tokens['access_token']}"})
        for name, tokens in {"wide": wide, "narrow": narrow}.items()
    }
    assert clients["narrow"].get("/api/v1/me/tokens/").json()["code"] == "accounts.person_required"
    assert Api.by_key(member).get("me/tokens/").status_code == 403
    shown = clients["wide"].get("/api/v1/me/tokens/").json()["results"]
    assert {(row["id"], row["is_current"]) for row in shown} == {
        (wide["family"], True),
        (narrow["family"], False),
    }
    assert clients["wide"].delete(f"/api/v1/me/tokens/{narrow['family']}/").status_code == 204
    assert me(narrow["access_token"]).status_code == 401
    foreign = sign_in(MemberFactory(organization=member.organization)).json()["family"]
    assert clients["wide"].delete(f"/api/v1/me/tokens/{foreign}/").status_code == 404
    # browsers are signed out from a browser only
    assert clients["wide"].get("/api/v1/me/sessions/").json()["code"] == "accounts.person_required"


def test_a_cookie_changes_nothing_about_signing_in(member: Member) -> None:
    """No login by a foreign page: the tokens come in the body, and no cookie is read or set."""
    browser = Api.by_cookie(MemberFactory()).client
    answer = browser.post(
        "/api/v1/tokens/", {"email": member.user.email, "password": PASSWORD}, content_type="application/json"
    )
    assert answer.status_code == 201
    assert not answer.cookies
    assert me(answer.json()["access_token"]).json()["id"] == str(member.user_id)
    form = Client().post("/api/v1/tokens/", {"email": member.user.email, "password": PASSWORD})
    assert form.status_code in (400, 415)


@pytest.mark.parametrize("rows", [1, 20])
def test_the_list_costs_two_queries(member: Member, rows: int, django_assert_num_queries: Any) -> None:
    tokens = [sign_in(member).json() for _ in range(min(rows, 4))]
    with tenancy.use(member.organization_id):
        family = TokenFamily.objects.first()
        assert family is not None
        for _ in range(rows - len(tokens)):
            family.pk, family._state.adding = None, True
            family.id = type(family)._meta.pk.get_default()
            family.save()
    client = Client(headers={"Authorization": f"Bearer {tokens[0]['access_token']}"})
    client.get("/api/v1/me/tokens/")
    with django_assert_num_queries(2):  # the family; the list
        assert len(client.get("/api/v1/me/tokens/").json()["results"]) == rows
