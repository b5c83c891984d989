"""Open sockets whose turn it is: one look for all of them, each keeps its own rights, place and presence."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from apps.accounts.models import ApiKey, Member
from apps.accounts.selectors.principals import principal_for_key
from apps.accounts.types import Principal
from apps.chat.selectors import conversations
from apps.chat.selectors.statuses import shown_by
from apps.chat.services import members, presence, statuses, staying
from apps.chat.services.presence import Connection
from apps.chat.services.staying import Kept
from apps.core import tenancy
from apps.core.services import places
from apps.core.services.places import Place
from tests.chat.world import World, make_world
from tests.factories.accounts import api_key
from tests.walls import everywhere

Counting = Callable[[int], AbstractContextManager[object]]


def by_key(world: World, person: Principal) -> Principal:
    """Return the person as one of its programs."""
    seat = Member.objects.get(organization_id=world.organization.pk, user_id=person.id)
    return principal_for_key(api_key(seat).secret)


def test_each_stands_where_it_is_now(world: World) -> None:
    ada, ben, eve = (by_key(world, world.person(name)) for name in ("Ada", "Ben", "Eve"))
    both, alone = world.channel(ada, "both", [ben]), world.channel(ada, "alone", is_private=True)
    world.say(ada, both)
    elsewhere = make_world("suedwind")
    with elsewhere.use():  # type: ignore[attr-defined]
        zoe = by_key(elsewhere, elsewhere.person("Zoe"))
        hers = elsewhere.channel(zoe, "hers")
    statuses.set_status(principal=ben, text="im Feld")
    members.remove_person(principal=ada, conversation_id=both, person_id=ben.id)
    ApiKey.objects.filter(pk=eve.session).update(revoked_at=timezone.now())
    with tenancy.nobody():
        answers = staying.look([ada, eve, zoe, ben, ada])
    stands = [answer for answer in answers if answer is not None]
    assert answers[1] is None
    assert [stood.principal for stood in stands] == [ada, zoe, ben, ada]
    assert [set(stood.heads) for stood in stands] == [{both, alone}, {hers}, set(), {both, alone}]
    assert stands[0].heads == conversations.heads(ada)
    assert (stands[2].shown, stands[2].shown.text) == (shown_by([ben.id])[ben.id], "im Feld")
    with tenancy.nobody():
        assert staying.look([eve]) == [None]


def test_a_look_costs_the_same_for_one_and_for_many(
    world: World, django_assert_num_queries: Counting
) -> None:
    crowd = [by_key(world, world.person(f"P{number}")) for number in range(12)]
    world.channel(crowd[0], "all", crowd[1:])
    for some in (crowd[:1], crowd):
        with django_assert_num_queries(4), tenancy.nobody():  # keys, statuses, who wants quiet, heads
            staying.look(some)


def test_a_connection_and_its_place_are_kept_for_each(world: World, redis: Any) -> None:
    people = [world.person("Ada"), world.person("Ben")]
    kept = [
        Kept(
            Connection(one.organization_id, one.id, uuid4().hex, shown_by([one.id])[one.id]),
            Place("test", str(one.id), uuid4().hex, 1),
        )
        for one in people
    ]
    with tenancy.nobody():
        assert staying._keep(kept) == [None, None]
    seen, _ = presence.states(organization_id=world.organization.pk, people=[one.id for one in people])
    assert set(seen.values()) == {"away"}  # here, but nobody did anything
    for one in kept:
        assert not places.take(replace(one.place, holder="other"))
        assert places.take(one.place)


@pytest.mark.parametrize("what", ["role", "name"])
def test_a_look_sees_what_changed_behind_the_back_of_every_notice(world: World, what: str) -> None:
    ada = by_key(world, world.person("Ada"))
    with everywhere():
        seat = Member.objects.get(organization_id=ada.organization_id, user_id=ada.id)
        guest = type(seat.role).objects.get(organization_id=ada.organization_id, key="guest")
        Member.objects.filter(pk=seat.pk).update(
            **{"role": {"role": guest}, "name": {"name": "Ada L."}}[what]
        )
    with tenancy.nobody():
        (stood,) = staying.look([ada])
    assert stood is not None
    assert (stood.principal.role, stood.principal.name) == (
        ("guest", ada.name) if what == "role" else (ada.role, "Ada L.")
    )
