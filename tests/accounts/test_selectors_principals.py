"""From a session, a key or an agent to who acts: one query, and nothing for who lost access."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.errors import MemberNotFound, OrganizationNotFound
from apps.accounts.models import Member, Organization, User
from apps.accounts.selectors.principals import (
    acting_for,
    look_again,
    principal_for_key,
    principal_for_session,
)
from apps.accounts.selectors.seats import organizations_of
from apps.accounts.types import BUILTIN_ROLES, KEY_SCOPES
from apps.core.errors import NotSignedIn
from tests.factories.accounts import MemberFactory, OrganizationFactory, api_key, principal_of
from tests.walls import everywhere

pytestmark = pytest.mark.django_db


def test_a_session_becomes_the_member_of_the_named_organization(
    member: Callable[..., Member], organization: Organization, django_assert_num_queries: Any
) -> None:
    ada = member("admin", name="Ada")
    MemberFactory(user=ada.user, role="guest", organization=OrganizationFactory())
    with django_assert_num_queries(1):
        principal = principal_for_session(user_id=ada.user_id, slug=organization.slug, session="s")
    assert (principal.id, principal.member_id, principal.name) == (ada.user_id, ada.pk, "Ada")
    assert (principal.organization_id, principal.organization_name) == (organization.pk, organization.name)
    assert (principal.role, principal.permissions) == ("admin", BUILTIN_ROLES["admin"])
    assert (principal.kind, principal.session, principal.key_scopes) == ("person", "s", None)


@pytest.mark.parametrize("end", ["member", "user", "organization"])
def test_who_lost_access_finds_no_organization(
    member: Callable[..., Member], organization: Organization, end: str
) -> None:
    ada = member()
    key = api_key(ada)
    before = principal_for_key(key.secret)
    with everywhere():
        {
            "member": lambda: Member.objects.filter(pk=ada.pk).update(deactivated_at=timezone.now()),
            "user": lambda: User.objects.filter(pk=ada.user_id).update(is_active=False),
            "organization": lambda: Organization.objects.filter(pk=organization.pk).update(is_active=False),
        }[end]()
    with pytest.raises(OrganizationNotFound):
        principal_for_session(user_id=ada.user_id, organization_id=organization.pk, session="s")
    with pytest.raises(NotSignedIn):
        principal_for_key(key.secret)
    assert look_again([before], {}) == [None]
    assert organizations_of(ada.user_id) == []


def test_another_organization_and_a_missing_one_are_not_told_apart(member: Callable[..., Member]) -> None:
    ada, foreign = member(), OrganizationFactory()
    refusals = []
    for slug in (foreign.slug, "missing"):
        with pytest.raises(OrganizationNotFound) as refusal:
            principal_for_session(user_id=ada.user_id, slug=slug, session="s")
        refusals.append((refusal.value.code, refusal.value.status, refusal.value.detail))
    assert refusals[0] == refusals[1]


def test_a_key_is_narrowed_to_its_scopes(
    member: Callable[..., Member], django_assert_num_queries: Any
) -> None:
    key = api_key(member("guest"), scopes=["chat:write", "admin:write"])
    with django_assert_num_queries(1):
        principal = principal_for_key(key.secret)
    assert principal.key_scopes == {"chat:write", "admin:write"}
    assert principal.permissions == {"message.send"}
    assert principal.session == str(key.row.pk)
    assert look_again([principal], {}) == [principal]


@pytest.mark.parametrize("scope", sorted(KEY_SCOPES))
@pytest.mark.parametrize("role", sorted(BUILTIN_ROLES))
def test_a_key_never_has_more_than_role_and_scope(
    member: Callable[..., Member], role: str, scope: str
) -> None:
    principal = principal_for_key(api_key(member(role), scopes=[scope]).secret)
    assert principal.permissions == BUILTIN_ROLES[role] & KEY_SCOPES[scope]


def test_expired_revoked_and_unknown_keys_are_refused_alike(member: Callable[..., Member]) -> None:
    expired, revoked = api_key(member(), days=-1), api_key(member())
    revoked.row.revoked_at = timezone.now()
    with everywhere():
        revoked.row.save()
    for secret in (expired.secret, revoked.secret, "ck_unknown", "ck_\x00", "ck_\ud800", ""):
        with pytest.raises(NotSignedIn):
            principal_for_key(secret)


def test_an_agent_has_the_rights_of_both(member: Callable[..., Member]) -> None:
    agent, person = member("admin", agent=True), member("guest")
    acting = acting_for(agent_id=agent.user_id, person=principal_of(person, session="browser"))
    assert acting.permissions == BUILTIN_ROLES["guest"]
    assert (acting.id, acting.on_behalf_of, acting.kind) == (agent.user_id, person.user_id, "agent")
    assert (acting.session, acting.is_guest) == ("browser", True)


def test_an_agent_keeps_the_bounds_of_the_key_it_was_asked_with(member: Callable[..., Member]) -> None:
    asker = principal_for_key(api_key(member(), scopes=["ask:write"]).secret)
    acting = acting_for(agent_id=member(agent=True).user_id, person=asker)
    assert (acting.permissions, acting.key_scopes) == ({"agent.ask"}, {"ask:write"})


def test_nobody_acts_as_a_person_or_as_a_foreign_agent(member: Callable[..., Member]) -> None:
    person, other = member(), member()
    foreign = MemberFactory(agent=True)
    for who in (other.user_id, foreign.user_id):
        with pytest.raises(MemberNotFound):
            acting_for(agent_id=who, person=principal_of(person))


@pytest.mark.parametrize("number", [1, 20])
def test_organizations_of_a_user_by_name_in_one_query(
    django_assert_num_queries: Any, number: int, db: None
) -> None:
    ada = MemberFactory(organization=OrganizationFactory(name="B 0"))
    for index in range(1, number):
        MemberFactory(user=ada.user, organization=OrganizationFactory(name=f"a {index:02}"))
    with django_assert_num_queries(1):
        found = organizations_of(ada.user_id)
    assert [each.name for each in found] == [*(f"a {index:02}" for index in range(1, number)), "B 0"]
