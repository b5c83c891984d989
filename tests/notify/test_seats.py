"""A guest hears some days before that its seat ends, and so does who invited it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Member
from apps.accounts.selectors.principals import principal_of_member
from apps.accounts.services import guests, invitations
from apps.accounts.types import BUILTIN_ROLES, Principal
from apps.core import tenancy
from apps.notify.models import Notification
from apps.notify.selectors.notifications import list_page
from apps.notify.services.seats import tell_of_ending_seats
from tests.chat.test_pages import Reader
from tests.chat.world import World, make_world

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


@dataclass
class Visit:
    """A guest whose seat ends in thirty days, who manages members, and who invited the guest."""

    owner: Principal
    inviter: Principal
    guest: Principal

    def said_to(self, person: Principal) -> list[tuple[str, str, str]]:
        now = principal_of_member(organization_id=person.organization_id, user_id=person.id)
        rows = [view.described for view in list_page(now).rows]
        return [(one.title, one.text, one.url) for one in rows]


@pytest.fixture
def visit(world: World) -> Visit:
    owner, inviter = (
        world.person("Olga", role="owner"),
        world.role_of("Ines", BUILTIN_ROLES["guest"] | {"member.invite"}),
    )
    with time_machine.travel(NOW, tick=False):
        link = invitations.invite(
            principal=inviter,
            email="gast@example.org",
            role="guest",
            seat_expires_at=NOW + timedelta(days=30),
        )
        came = invitations.accept_invitation(
            secret=link.url.rstrip("/").rpartition("/")[2], name="Gast", password="forty quiet herons wade"
        )
    found = principal_of_member(organization_id=world.organization.pk, user_id=came.user_id)
    return Visit(owner, inviter, found)


def at(days: float) -> time_machine.travel:
    return time_machine.travel(NOW + timedelta(days=days), tick=False)


def test_nobody_is_told_while_there_is_time(visit: Visit) -> None:
    with at(22):
        assert tell_of_ending_seats() == 0
    assert not Notification.objects.exists()


def test_the_guest_and_who_invited_it_are_told_once(visit: Visit) -> None:
    with at(24):
        assert tell_of_ending_seats() == 1
        assert tell_of_ending_seats() == 0
        ((title, text, url),) = visit.said_to(visit.guest)
        assert title == "Your access as a guest ends soon"
        assert "Nordlicht" in text
        assert url == reverse("people:settings", kwargs={"slug": "nordlicht"})
        ((title, text, url),) = visit.said_to(visit.inviter)
        assert title == "The access of a guest you invited ends soon"
        assert "Gast" in text
        assert url == reverse("notify:list", kwargs={"slug": "nordlicht"})
        assert visit.said_to(visit.owner) == []


def test_who_gets_more_time_is_told_of_the_new_end_alone(visit: Visit) -> None:
    with at(24):
        tell_of_ending_seats()
        guests.set_expiry(
            principal=visit.owner, member_id=visit.guest.member_id, expires_at=NOW + timedelta(days=60)
        )
        assert visit.said_to(visit.guest) == visit.said_to(visit.inviter) == []
        assert tell_of_ending_seats() == 0
    with at(54):
        assert tell_of_ending_seats() == 1
        assert len(visit.said_to(visit.guest)) == 1


def test_a_seat_nobody_invited_to_tells_the_guest_alone(world: World) -> None:
    guest = world.person("Gast", role="guest")
    Member.objects.filter(pk=guest.member_id).update(expires_at=timezone.now() + timedelta(days=2))
    assert tell_of_ending_seats() == 1
    assert list(Notification.objects.values_list("recipient_id", "reason")) == [(guest.id, "admin")]


def test_seats_of_another_organization_are_not_told_of(world: World) -> None:
    other = make_world("suedstern")
    with tenancy.use(other.organization.pk):
        guest = other.person("Gast", role="guest")
        Member.objects.filter(pk=guest.member_id).update(expires_at=timezone.now() + timedelta(days=2))
    with tenancy.use(world.organization.pk):
        assert tell_of_ending_seats() == 0
    with tenancy.use(other.organization.pk):
        assert tell_of_ending_seats() == 1


def test_the_guests_own_page_shows_the_end(world: World) -> None:
    guest, ada = world.person("Gast", role="guest"), world.person("Ada")
    Member.objects.filter(pk=guest.member_id).update(expires_at=timezone.now() + timedelta(days=2))
    for person, is_said in ((guest, True), (ada, False)):
        page = Reader(person).page(reverse("people:settings", kwargs={"slug": person.organization_slug}))
        assert ("Your access as a guest ends" in page.text_content()) is is_said
