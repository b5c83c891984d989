"""Audiences and seats, and what their owners hear of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from apps.accounts.errors import MemberNotFound, ScopeNotFound
from apps.accounts.models import Member, Organization, Scope, Seat
from apps.accounts.services import scopes
from apps.core.models import Event
from tests.accounts.events import recorded
from tests.factories.accounts import MemberFactory, ScopeFactory
from tests.walls import everywhere

pytestmark = pytest.mark.django_db


def test_a_new_scope_seats_its_people_and_tells_each_on_its_own_stream(
    here: Organization, member: Callable[..., Member]
) -> None:
    ada, bob = member(), member()
    scope_id = scopes.create_scope(
        organization_id=here.pk, kind="conversation", principals=[ada.user_id, bob.user_id, ada.user_id]
    )
    seats = Seat.objects.filter(scope_id=scope_id, left_at=None)
    assert set(seats.values_list("principal_id", flat=True)) == {ada.user_id, bob.user_id}
    assert set(Event.objects.filter(type="seat.added").values_list("stream_id", "sequence")) == {
        (ada.pk, 1),
        (bob.pk, 1),
    }


def test_seating_twice_keeps_the_first_seat(here: Organization, member: Callable[..., Member]) -> None:
    ada = member()
    scope_id = scopes.create_scope(organization_id=here.pk, kind="board")
    since = timezone.now() - timedelta(days=1)
    assert scopes.add_seats(scope_id=scope_id, principals=[ada.user_id], visible_from=since) == [ada.user_id]
    assert scopes.add_seats(scope_id=scope_id, principals=[ada.user_id]) == []
    assert Seat.objects.get(scope_id=scope_id).visible_from == since
    assert len(recorded("seat.added")) == 1


def test_leaving_ends_the_seat_and_coming_back_makes_a_new_one(
    here: Organization, member: Callable[..., Member]
) -> None:
    ada = member()
    scope_id = scopes.create_scope(organization_id=here.pk, kind="board", principals=[ada.user_id])
    assert scopes.remove_seat(scope_id=scope_id, principal_id=ada.user_id) is True
    assert scopes.remove_seat(scope_id=scope_id, principal_id=ada.user_id) is False
    scopes.add_seats(scope_id=scope_id, principals=[ada.user_id])
    assert [seat.left_at is None for seat in Seat.objects.order_by("pk")] == [False, True]
    assert [name for name, _ in recorded()] == ["seat.added", "seat.removed", "seat.added"]
    assert recorded("seat.removed")[0][1] == {"principal_id": str(ada.user_id), "scope": str(scope_id)}


@pytest.mark.parametrize("who", ["foreign", "deactivated", "missing"])
def test_one_stranger_refuses_all_and_nothing_is_written(
    here: Organization, member: Callable[..., Member], who: str
) -> None:
    stranger = {
        "foreign": lambda: MemberFactory().user_id,
        "deactivated": lambda: member(deactivated_at=timezone.now()).user_id,
        "missing": uuid4,
    }[who]()
    scope_id = scopes.create_scope(organization_id=here.pk, kind="board")
    with pytest.raises(MemberNotFound):
        scopes.add_seats(scope_id=scope_id, principals=[member().user_id, stranger])
    assert not Seat.objects.exists()
    assert recorded() == []


def test_a_scope_of_another_organization_does_not_exist(
    here: Organization, member: Callable[..., Member]
) -> None:
    foreign, ada = ScopeFactory(), member()
    with pytest.raises(ScopeNotFound):
        scopes.add_seats(scope_id=foreign.pk, principals=[ada.user_id])
    with pytest.raises(ScopeNotFound):
        scopes.remove_seat(scope_id=foreign.pk, principal_id=ada.user_id)
    with pytest.raises(ScopeNotFound):
        scopes.set_audience(scope_id=foreign.pk, audience="organization")
    with everywhere():
        assert Scope.objects.get(pk=foreign.pk).audience == "seats"
    assert recorded() == []


def test_the_audience_opens_and_closes(here: Organization) -> None:
    scope_id = scopes.create_scope(organization_id=here.pk, kind="board", audience="organization")
    scopes.set_audience(scope_id=scope_id, audience="seats")
    assert Scope.objects.get(pk=scope_id).audience == "seats"
    with pytest.raises(ValueError, match="everyone"):
        scopes.set_audience(scope_id=scope_id, audience="everyone")
