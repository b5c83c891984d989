"""Apps in the console and in one's own settings: registered, changed, replaced, switched off, taken out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone
from lxml import html

from apps.accounts.errors import (
    ConsentNotFound,
    GrantsNotValid,
    PermissionMissing,
    RoleAboveOwn,
    UnknownKeyScope,
)
from apps.accounts.models import Member, OAuthClient, OAuthConsent, RefreshToken, TokenFamily
from apps.accounts.selectors.oauth import list_consents
from apps.accounts.services import oauth_clients, oauth_consents, tokens
from apps.core import tenancy
from tests.accounts.oauth import App, app_of, browser_of, decide, me, tokens_for, told
from tests.accounts.sessions import open_session
from tests.factories.accounts import MemberFactory, principal_of
from tests.walls import everywhere

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> Member:
    return MemberFactory(role="owner")


@pytest.fixture
def console(owner: Member) -> Client:
    client = Client()
    client.cookies["session"] = open_session(owner.user)
    return client


def at(owner: Member, part: str = "") -> str:
    return f"/o/{owner.organization.slug}/console/apps/{part}"


FORM = {
    "name": "Wetterdienst", "kind": "confidential", "grants": ["authorization_code", "refresh_token"],
    "redirect_uris": "https://a.example.org/1\nhttps://a.example.org/2", "scopes": ["openid", "chat:read"],
    "id_token_algorithm": "EdDSA", "service_role": "guest",
}  # fmt: skip


def test_an_administrator_registers_changes_and_switches_off(owner: Member, console: Client) -> None:
    page = console.post(at(owner, "new/"), FORM)
    assert page.status_code == 200, page.content
    secret = html.fromstring(page.content).xpath("//*[@data-secret]")[0].text_content()
    assert secret.startswith("cs_")
    with everywhere():
        client = OAuthClient.objects.get()
    assert client.redirect_uris == ["https://a.example.org/1", "https://a.example.org/2"]
    listed = console.get(at(owner)).content.decode()
    assert "Wetterdienst" in listed
    assert secret not in listed
    assert console.get(at(owner, f"{client.pk}/")).status_code == 200
    changed = console.post(at(owner, f"{client.pk}/"), {**FORM, "name": "Wetter", "scopes": ["openid"]})
    assert changed.status_code == 302
    fresh = console.post(at(owner, f"{client.pk}/secret/"))
    assert html.fromstring(fresh.content).xpath("//*[@data-secret]")[0].text_content() != secret
    assert console.post(at(owner, f"{client.pk}/active/"), {"active": "0"}).status_code == 302
    with everywhere():
        client.refresh_from_db()
    assert (client.name, client.scopes, client.disabled_at is None) == ("Wetter", ["openid"], False)
    console.post(at(owner, f"{client.pk}/active/"), {"active": "1"})
    with everywhere():
        client.refresh_from_db()
    assert client.disabled_at is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"redirect_uris": ""}, {"redirect_uris": "http://evil.example/"}, {"grants": ["refresh_token"]},
        {"kind": "public", "grants": ["client_credentials"], "redirect_uris": ""}, {"scopes": ["keys:write"]},
        {"name": " "}, {"service_role": "nobody"},
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_and_not_kept(
    owner: Member, console: Client, wrong: dict[str, Any]
) -> None:
    page = console.post(at(owner, "new/"), {**FORM, **wrong})
    assert page.status_code == 422
    assert b"field__error" in page.content or b"notice" in page.content
    with everywhere():
        assert not OAuthClient.objects.exists()


def test_members_and_other_organizations_reach_nothing(owner: Member) -> None:
    app = app_of(owner.organization)
    ben, stranger = MemberFactory(organization=owner.organization), MemberFactory(role="owner")
    for member, where in ((ben, owner), (stranger, stranger)):
        client = Client()
        client.cookies["session"] = open_session(member.user)
        for part in ("secret/", "active/"):
            assert client.post(at(where, f"{app.id}/{part}"), {"active": "0"}).status_code in (403, 404)
    with everywhere():
        row = OAuthClient.objects.get()
    assert row.disabled_at is None
    assert row.previous_hash is None


def test_the_service_refuses_what_is_above_its_caller(owner: Member) -> None:
    ben = MemberFactory(organization=owner.organization)
    with pytest.raises(PermissionMissing):
        app_of(owner.organization, by=ben)
    admin = MemberFactory(organization=owner.organization, role="admin")
    with pytest.raises(RoleAboveOwn):
        app_of(owner.organization, by=admin, service_role="owner")
    with pytest.raises(UnknownKeyScope):
        app_of(owner.organization, by=owner, scopes=["all"])
    with everywhere():
        assert not OAuthClient.objects.exists()
    app = app_of(owner.organization, by=owner)
    with tenancy.use(owner.organization_id), pytest.raises(GrantsNotValid):
        oauth_clients.update_client(
            principal=principal_of(owner),
            client_id=OAuthClient.objects.get().pk,
            values=oauth_clients.ClientValues(
                name="x", is_confidential=False, redirect_uris=app.values.redirect_uris
            ),
        )


def let_in() -> tuple[Member, App, dict[str, Any]]:
    member = MemberFactory()
    app = app_of(member.organization)
    return member, app, tokens_for(app, member)


def test_a_person_takes_an_app_out_in_the_settings() -> None:
    member, app, said = let_in()
    address, verifier = app.question()
    waiting = told(browser_of(member).get(address))["code"]
    browser = Client()
    browser.cookies["session"] = open_session(member.user)
    settings_page = f"/o/{member.organization.slug}/settings/"
    section = html.fromstring(browser.get(settings_page).content).get_element_by_id("apps")
    assert "Wetterdienst" in section.text_content()
    end = section.xpath(".//button/@formaction")[0]
    assert browser.post(end).status_code == 302
    assert me(said["access_token"]).status_code == 401
    assert app.refresh(said["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.exchange(waiting, verifier).json()["error"] == "invalid_grant"
    with everywhere():
        assert not OAuthConsent.objects.exists()
        assert TokenFamily.objects.get().end_reason == "consent_ended"
    assert browser_of(member).get(app.question()[0]).status_code == 200, "asked again"
    assert "apps" not in {one.get("id") for one in html.fromstring(browser.get(settings_page).content).iter()}


def test_nobody_takes_out_what_another_let_in() -> None:
    member, _, said = let_in()
    other = MemberFactory(organization=member.organization)
    with tenancy.use(member.organization_id):
        (consent,) = list_consents(principal_of(member))
        assert list_consents(principal_of(other)) == []
        with pytest.raises(ConsentNotFound):
            oauth_consents.end_consent(principal=principal_of(other), consent_id=consent.id)
    assert me(said["access_token"]).status_code == 200


def test_a_person_who_leaves_takes_the_apps_along() -> None:
    from apps.accounts.services.members import deactivate_member

    member, app, said = let_in()
    owner = MemberFactory(organization=member.organization, role="owner")
    address, verifier = app.question()
    code = told(browser_of(member).get(address))["code"]
    with tenancy.use(member.organization_id):
        deactivate_member(principal=principal_of(owner), member_id=member.pk)
    assert me(said["access_token"]).status_code == 401
    assert app.exchange(code, verifier).json()["error"] == "invalid_grant"
    assert app.refresh(said["refresh_token"]).json()["error"] == "invalid_grant"


def test_switching_off_ends_lines_and_switching_on_does_not_bring_them_back() -> None:
    member, app, said = let_in()
    owner = MemberFactory(organization=member.organization, role="owner")
    with tenancy.use(member.organization_id):
        client_id = OAuthClient.objects.get().pk
        oauth_clients.disable_client(principal=principal_of(owner), client_id=client_id)
        assert TokenFamily.objects.get().end_reason == "client_disabled"
        oauth_clients.enable_client(principal=principal_of(owner), client_id=client_id)
    assert me(said["access_token"]).status_code == 401
    assert tokens_for(app, member)["access_token"]


def test_what_is_long_over_is_forgotten() -> None:
    member, app, _ = let_in()
    app.post("token", grant_type="client_credentials")
    with everywhere():
        service = TokenFamily.objects.exclude(principal_id=member.user_id)
        old = timezone.now() - timedelta(days=3)
        service.update(created_at=old, ends_at=old + timedelta(minutes=10))
    with tenancy.use(member.organization_id):
        tokens.forget_old(organization_id=member.organization_id)
        assert [row.principal_id for row in TokenFamily.objects.all()] == [member.user_id]
        assert RefreshToken.objects.count() == 1


@pytest.mark.parametrize("rows", [1, 20])
def test_own_apps_cost_one_query(rows: int, django_assert_num_queries: Any) -> None:
    member = MemberFactory()
    first = app_of(member.organization)
    with everywhere():
        client = OAuthClient.objects.get()
        for number in range(rows):
            client.pk, client.name, client._state.adding = (
                OAuthClient._meta.pk.get_default(),
                f"App {number}",
                True,
            )
            client.save()
            OAuthConsent.objects.create(
                organization_id=member.organization_id, principal_id=member.user_id, client=client, scopes=["openid"],
                given_at=timezone.now(),
            )  # fmt: skip
    assert first.id
    with tenancy.use(member.organization_id), django_assert_num_queries(1):
        assert len(list_consents(principal_of_cached(member))) == rows


def principal_of_cached(member: Member) -> Any:
    """Return the acting principal without a query."""
    from apps.accounts.types import Principal

    return Principal(
        id=member.user_id, kind="person", organization_id=member.organization_id, organization_slug="", name="",
        member_id=member.pk, role="member", permissions=frozenset(),
    )  # fmt: skip


def test_agreeing_needs_a_person() -> None:
    from apps.accounts.errors import PersonRequired
    from apps.accounts.selectors.principals import principal_for_key
    from tests.factories.accounts import api_key

    member = MemberFactory()
    app = app_of(member.organization)
    principal = principal_for_key(api_key(member).secret)
    with pytest.raises(PersonRequired):
        oauth_consents.give_consent(principal=principal, client_id=UUID(app.id), scopes=["openid"])
    with everywhere():
        assert not OAuthConsent.objects.exists()
    assert decide(browser_of(member), app.question()[0]).status_code == 200
