"""Seats of guests that end by themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from apps.accounts import handlers
from apps.accounts.errors import ExpiryNotValid, MemberNotFound, NotAGuest, PermissionMissing
from apps.accounts.models import Invitation, Member, Organization, Seat
from apps.accounts.selectors.principals import principal_for_key, principal_of_member
from apps.accounts.services import guests, invitations, members
from apps.accounts.types import Principal
from apps.core.errors import NotSignedIn
from apps.core.models import AuditEntry, Event
from tests.factories.accounts import SeatFactory, api_key, principal_of
from tests.walls import everywhere

pytestmark = pytest.mark.django_db
Make = Callable[..., Member]


@pytest.fixture
def owner(here: Organization, acting: Callable[..., Principal]) -> Principal:
    return acting("owner", name="Olga")


@pytest.fixture
def guest(here: Organization, member: Make) -> Member:
    return member("guest", name="Gast")


def test_an_expired_seat_opens_nothing_even_before_it_is_ended(owner: Principal, guest: Member) -> None:
    secret = api_key(guest).secret
    principal_for_key(secret)
    Member.objects.filter(pk=guest.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(NotSignedIn):
        principal_for_key(secret)
    with pytest.raises(MemberNotFound):
        principal_of_member(organization_id=guest.organization_id, user_id=guest.user_id)


def test_the_relay_ends_the_membership_and_its_seats(owner: Principal, guest: Member) -> None:
    seat = SeatFactory(member=guest, scope__organization=guest.organization)
    end = timezone.now() + timedelta(days=1)
    guests.set_expiry(principal=owner, member_id=guest.pk, expires_at=end)
    with everywhere():
        handlers.end_expired_seats()
    guest.refresh_from_db()
    assert guest.deactivated_at is None
    Member.objects.filter(pk=guest.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    with everywhere():
        handlers.end_expired_seats()
        handlers.end_expired_seats()
    guest.refresh_from_db()
    assert guest.deactivated_at is not None
    assert Seat.objects.get(pk=seat.pk).left_at is not None
    revoked = Event.objects.filter(stream_id=guest.pk, type="access.revoked")
    assert {event.payload["reason"] for event in revoked} == {"seat_expired"}
    assert AuditEntry.objects.filter(action="member.expired").count() == 1


def test_only_guests_have_an_end_and_it_lies_ahead(owner: Principal, guest: Member, member: Make) -> None:
    ben = member("member", name="Ben")
    soon = timezone.now() + timedelta(days=1)
    with pytest.raises(NotAGuest):
        guests.set_expiry(principal=owner, member_id=ben.pk, expires_at=soon)
    with pytest.raises(PermissionMissing):
        guests.set_expiry(principal=principal_of(ben), member_id=guest.pk, expires_at=soon)
    for wrong in (timezone.now() - timedelta(seconds=1), timezone.now() + timedelta(days=800)):
        with pytest.raises(ExpiryNotValid):
            guests.set_expiry(principal=owner, member_id=guest.pk, expires_at=wrong)
    assert not Member.objects.exclude(expires_at=None).exists()


def test_another_role_has_no_end_and_coming_back_neither(owner: Principal, guest: Member) -> None:
    guests.set_expiry(principal=owner, member_id=guest.pk, expires_at=timezone.now() + timedelta(days=1))
    with time_machine.travel(timezone.now() + timedelta(days=2), tick=False):
        guests.end_expired(organization_id=guest.organization_id)
        members.reactivate_member(principal=owner, member_id=guest.pk)
    guest.refresh_from_db()
    assert (guest.deactivated_at, guest.expires_at) == (None, None)
    guests.set_expiry(principal=owner, member_id=guest.pk, expires_at=timezone.now() + timedelta(days=1))
    members.change_role(principal=owner, member_id=guest.pk, role="member")
    guest.refresh_from_db()
    assert guest.expires_at is None


def test_an_invitation_carries_the_end_of_the_seat(owner: Principal) -> None:
    end = timezone.now() + timedelta(days=30)
    link = invitations.invite(principal=owner, email="gast@example.org", role="guest", seat_expires_at=end)
    secret = link.url.rstrip("/").rpartition("/")[2]
    invitations.accept_invitation(secret=secret, name="Gast", password="ein langer Satz 42")
    assert Member.objects.get(name="Gast").expires_at == end
    with pytest.raises(NotAGuest):
        invitations.invite(principal=owner, email="ben@example.org", role="member", seat_expires_at=end)
    assert Invitation.objects.count() == 1
