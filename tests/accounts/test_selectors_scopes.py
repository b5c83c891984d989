"""The visible-scopes query, in its three forms, against a count by hand."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from apps.accounts.models import Member, Organization, Scope, Seat
from apps.accounts.selectors.principals import acting_for
from apps.accounts.selectors.scopes import (
    can_see_scope,
    principals_in,
    scopes_seen_by_all,
    visible_content,
    visible_scope_clause,
    visible_scopes,
)
from apps.accounts.types import Principal
from apps.core import tenancy
from tests.factories.accounts import (
    MemberFactory,
    OrganizationFactory,
    ScopeFactory,
    SeatFactory,
    principal_of,
)

pytestmark = pytest.mark.django_db


def seen_three_ways(principal: Principal) -> set[UUID]:
    """Return the visible scopes, after checking that queryset, condition and SQL text agree."""
    with tenancy.use(principal.organization_id):
        ids = set(visible_scopes(principal))
        by_condition = set(
            Scope.objects.filter(visible_content(principal, scope="pk")).values_list("pk", flat=True)
        )
    for few in (False, True):
        clause = visible_scope_clause(principal, scope="s.id", few=few)
        with tenancy.use(principal.organization_id), connection.cursor() as cursor:
            cursor.execute(f"SELECT s.id FROM accounts_scope s WHERE {clause.sql}", clause.params)
            assert ids == {pk for (pk,) in cursor.fetchall()}
            assert all(can_see_scope(principal, pk) for pk in ids)
    assert ids == by_condition
    return ids


def test_a_member_sees_open_scopes_and_own_seats(organization: Organization) -> None:
    member = MemberFactory(organization=organization)
    opened = ScopeFactory(organization=organization, audience="organization")
    seated = SeatFactory(scope__organization=organization, member=member).scope
    ended = SeatFactory(scope__organization=organization, member=member, left_at=timezone.now()).scope
    stranger = SeatFactory(scope__organization=organization).scope
    foreign = ScopeFactory(audience="organization")
    assert seen_three_ways(principal_of(member)) == {opened.pk, seated.pk}
    with tenancy.use(organization.pk):
        assert not any(can_see_scope(principal_of(member), scope.pk) for scope in (ended, stranger, foreign))


def test_a_guest_sees_only_seats(organization: Organization) -> None:
    guest = MemberFactory(organization=organization, role="guest")
    ScopeFactory(organization=organization, audience="organization")
    seated = SeatFactory(scope__organization=organization, scope__audience="organization", member=guest).scope
    assert seen_three_ways(principal_of(guest)) == {seated.pk}


def test_an_agent_for_a_person_sees_what_both_see(organization: Organization) -> None:
    agent, person = (
        MemberFactory(organization=organization, agent=True),
        MemberFactory(organization=organization),
    )
    opened = ScopeFactory(organization=organization, audience="organization")
    SeatFactory(scope__organization=organization, member=agent)
    SeatFactory(scope__organization=organization, member=person)
    both = SeatFactory(scope__organization=organization, member=person).scope
    SeatFactory(scope=both, member=agent)
    acting = acting_for(agent_id=agent.user_id, person=principal_of(person))
    assert seen_three_ways(acting) == {opened.pk, both.pk}


def test_an_agent_for_a_guest_sees_no_open_scope_the_guest_has_no_seat_in(organization: Organization) -> None:
    agent = MemberFactory(organization=organization, agent=True)
    guest = MemberFactory(organization=organization, role="guest")
    ScopeFactory(organization=organization, audience="organization")
    seated = SeatFactory(scope__organization=organization, scope__audience="organization", member=guest).scope
    acting = acting_for(agent_id=agent.user_id, person=principal_of(guest))
    assert acting.is_guest
    assert seen_three_ways(acting) == {seated.pk}


@pytest.mark.parametrize("few", [False, True])
def test_content_from_before_the_seat_is_not_seen(organization: Organization, few: bool) -> None:
    member, now = MemberFactory(organization=organization), timezone.now()
    seat = SeatFactory(scope__organization=organization, member=member, visible_from=now)
    principal = principal_of(member)
    clause = visible_scope_clause(principal, scope="s.scope_id", time="s.joined_at", few=few)
    statement = f"SELECT count(*) FROM accounts_seat s WHERE {clause.sql}"
    with tenancy.use(organization.pk), connection.cursor() as cursor:
        old = Seat.objects.filter(pk=seat.pk).update(joined_at=now - timedelta(seconds=1))
        assert old == 1
        assert not Seat.objects.filter(visible_content(principal, time="joined_at")).exists()
        cursor.execute(statement, clause.params)
        assert cursor.fetchone() == (0,)
        Seat.objects.filter(pk=seat.pk).update(joined_at=now)
        cursor.execute(statement, clause.params)
        assert cursor.fetchone() == (1,)
        assert Seat.objects.filter(visible_content(principal, time="joined_at")).exists()


def test_everyone_in_a_scope(organization: Organization) -> None:
    member = MemberFactory(organization=organization)
    guest = MemberFactory(organization=organization, role="guest")
    MemberFactory(organization=organization, role="guest")
    MemberFactory(organization=organization, deactivated_at=timezone.now())
    MemberFactory(organization=OrganizationFactory())
    scope = SeatFactory(scope__organization=organization, member=guest).scope
    with tenancy.use(organization.pk):
        assert principals_in(scope.pk) == {guest.user_id}
        Scope.objects.filter(pk=scope.pk).update(audience="organization")
        assert principals_in(scope.pk) == {guest.user_id, member.user_id}


def test_the_scopes_all_readers_see(organization: Organization) -> None:
    readers: list[Member] = MemberFactory.create_batch(3, organization=organization)
    shared, partly = ScopeFactory.create_batch(2, organization=organization)
    for reader in readers:
        SeatFactory(scope=shared, member=reader)
    SeatFactory(scope=partly, member=readers[0])
    with tenancy.use(organization.pk):
        assert set(scopes_seen_by_all([principal_of(reader) for reader in readers])) == {shared.pk}
        assert set(scopes_seen_by_all([principal_of(readers[0])])) == {shared.pk, partly.pk}


@pytest.mark.parametrize("audience", ["seats", "organization"])
def test_visible_scopes_cost_one_query(
    organization: Organization, audience: str, django_assert_num_queries: object
) -> None:
    member = MemberFactory(organization=organization)
    principal = principal_of(member)
    for _ in range(5):
        SeatFactory(scope__organization=organization, scope__audience=audience, member=member)
    with tenancy.use(organization.pk), django_assert_num_queries(1):  # type: ignore[operator]
        assert len(list(visible_scopes(principal))) == 5
