"""The people of an organization, as far as the viewer may know them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import Member, Organization
from apps.accounts.selectors import people
from apps.accounts.selectors.principals import acting_for
from apps.accounts.types import Principal
from tests.factories.accounts import MemberFactory, SeatFactory, principal_of

pytestmark = pytest.mark.django_db


def test_people_by_id_deactivated_ones_too(here: Organization, member: Callable[..., Member]) -> None:
    ada, gone = member(name="Ada Lovelace", title="Engineer"), member(deactivated_at=timezone.now())
    foreign = MemberFactory()
    found = people.people([ada.user_id, gone.user_id, foreign.user_id])
    assert set(found) == {ada.user_id, gone.user_id}
    assert (found[gone.user_id].is_active, found[ada.user_id].is_active) == (False, True)
    view = found[ada.user_id]
    assert (view.name, view.title, view.initials, view.role, view.member_id) == (
        "Ada Lovelace", "Engineer", "AL", "member", ada.pk,
    )  # fmt: skip


@pytest.mark.parametrize("number", [0, 1, 20])
def test_people_cost_one_query_at_most(
    here: Organization, member: Callable[..., Member], number: int, django_assert_num_queries: Any
) -> None:
    ids = [member().user_id for _ in range(number)]
    with django_assert_num_queries(min(number, 1)):
        assert len(people.people(ids)) == number


def test_the_directory_finds_by_words_of_the_name_and_start_of_the_address(
    here: Organization, acting: Callable[..., Principal], member: Callable[..., Member]
) -> None:
    viewer = acting(name="Viewer")
    member(name="Grace Hopper", user__email="g.hopper@example.org")
    member(name="Ada Lovelace")
    member(name="Gone Lovelace", deactivated_at=timezone.now())
    MemberFactory(name="Foreign Lovelace")

    def names(query: str) -> list[str]:
        return [person.name for person in people.directory(principal=viewer, query=query)]

    assert names("love") == ["Ada Lovelace"]
    assert names("lace ada") == ["Ada Lovelace"]
    assert names("g.hop") == ["Grace Hopper"]
    assert names("") == ["Ada Lovelace", "Grace Hopper", "Viewer"]
    assert names("\x00") == names("")
    assert names("%") == names("_") == []
    assert len(people.directory(principal=viewer, limit=2)) == 2


def test_completion_starts_at_a_word(
    here: Organization, acting: Callable[..., Principal], member: Callable[..., Member]
) -> None:
    viewer = acting(name="Viewer")
    for name in ("Ada Lovelace", "Lola", "Carlo"):
        member(name=name)
    found = people.find_by_name(principal=viewer, prefix="lo")
    assert [person.name for person in found] == ["Ada Lovelace", "Lola"]
    assert len(people.find_by_name(principal=viewer, prefix="")) == 4


def test_exact_names_whatever_the_case(here: Organization, member: Callable[..., Member]) -> None:
    ada = member(name="Ada Lovelace")
    member(name="Ada", deactivated_at=timezone.now())
    found = people.find_by_names(names={"ada lovelace", "ada", "nobody\x00"})
    assert [person.id for person in found] == [ada.user_id]


def test_a_guest_knows_only_people_it_shares_a_scope_with(
    here: Organization, member: Callable[..., Member]
) -> None:
    guest, friend, former, stranger = (
        member("guest", name="Guest"), member(name="Friend"), member(name="Former"), member(name="Stranger"),
    )  # fmt: skip
    scope = SeatFactory(scope__organization=here, member=guest).scope
    SeatFactory(scope=scope, member=friend)
    SeatFactory(scope=scope, member=former, left_at=timezone.now())
    SeatFactory(scope__organization=here, scope__audience="organization", member=stranger)
    everyone = [each.user_id for each in (guest, friend, former, stranger)]
    viewer = principal_of(guest)
    assert set(people.visible_people(principal=viewer, ids=everyone)) == {guest.user_id, friend.user_id}
    assert [person.name for person in people.directory(principal=viewer)] == ["Friend", "Guest"]
    assert people.find_by_name(principal=viewer, prefix="str") == []
    assert set(people.visible_people(principal=principal_of(stranger), ids=everyone)) == set(everyone)
    agent = acting_for(agent_id=member(agent=True).user_id, person=viewer)
    assert set(people.visible_people(principal=agent, ids=everyone)) == {guest.user_id, friend.user_id}


def test_who_is_a_guest(here: Organization, member: Callable[..., Member]) -> None:
    guest, elsewhere = member("guest"), member()
    MemberFactory(user=elsewhere.user, role="guest")
    assert people.is_guest(guest.user_id) is True
    assert people.is_guest(elsewhere.user_id) is False


def test_an_installation_is_empty_until_the_first_user(db: None) -> None:
    assert people.is_empty() is True
    MemberFactory()
    assert people.is_empty() is False
