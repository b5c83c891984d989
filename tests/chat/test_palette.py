"""What the palette knows of conversations and people, for each reader."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from django.urls import reverse
from lxml import html
from pytest_django import DjangoAssertNumQueries

from apps.accounts.types import Principal
from apps.chat.services import administration, conversations
from apps.core import palette
from tests.chat.test_pages import Reader
from tests.chat.world import World


def urls(principal: Principal, typed: str) -> dict[str, str]:
    return {
        target.label: target.url
        for group in palette.find(principal, typed)
        if group.key in ("conversations", "people")
        for target in group.targets
    }


def address(principal: Principal, conversation: object) -> str:
    which = {"slug": principal.organization_slug, "conversation_id": conversation}
    return reverse("chat:conversation", kwargs=which)


def test_channels_that_may_be_seen_are_found_and_no_others(world: World) -> None:
    ada, ben = world.person("Ada", role="admin"), world.person("Ben")
    joined = world.channel(ada, "bau-nord", [ben])
    open_one = world.channel(ada, "bau-süd")
    world.channel(ada, "bau-geheim", is_private=True)
    archived = world.channel(ada, "bau-alt", [ben])
    administration.set_archived(principal=ada, conversation_id=archived, is_archived=True)
    assert urls(ben, "bau") == {"bau-nord": address(ben, joined), "bau-süd": address(ben, open_one)}


def test_a_guest_finds_only_places_and_people_it_shares(world: World) -> None:
    ada, guest = world.person("Ada Kern"), world.person("Gast", role="guest")
    world.person("Adam Fremd")
    shared = world.channel(ada, "adressen", [guest])
    world.channel(ada, "administration")
    assert urls(guest, "ad") == {"adressen": address(guest, shared)}


def test_people_lead_to_the_conversation_there_is_or_to_a_new_one(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben Berg")
    world.person("Bea Berg")
    direct = conversations.open_direct(principal=ada, people=[ben.id])
    begin = reverse("chat:new_direct", kwargs={"slug": ada.organization_slug})
    assert urls(ada, "berg") == {"Ben Berg": address(ada, direct), "Bea Berg": f"{begin}?q=Bea+Berg"}


def test_a_group_is_found_by_the_people_in_it(world: World) -> None:
    ada, ben, cem = world.person("Ada"), world.person("Ben"), world.person("Cem")
    group = conversations.open_direct(principal=ada, people=[ben.id, cem.id])
    assert urls(ada, "cem")["Ben, Cem"] == address(ada, group)


@pytest.mark.parametrize("count", [1, 20])
def test_it_costs_the_same_for_any_number_of_places(
    world: World, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ada, ben, cem = world.person("Ada"), world.person("Ben"), world.person("Cem")
    for number in range(count):
        world.channel(ada, f"kanal-{number}", [ben])
        world.person(f"Person {number}")
    conversations.open_direct(principal=ada, people=[ben.id, cem.id])
    with django_assert_num_queries(
        5
    ):  # channels; groups and their people; people by name; direct ones with them
        palette.find(ada, "p")


def test_the_fragment_names_places_and_pages(world: World) -> None:
    reader = Reader(world.person("Ada"))
    world.channel(reader.person, "einkauf")
    where = reverse("core:palette", kwargs={"slug": reader.person.organization_slug})
    page = html.fromstring(reader.client.get(f"{where}?q={quote('ein')}").content)
    assert [link.text_content().strip() for link in page.iter("a")] == ["einkauf"]
