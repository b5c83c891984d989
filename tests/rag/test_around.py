"""Passages beside a hit: of the document, of the thread, and never one that a reader may not see."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.utils import timezone

from apps.accounts.services.scopes import add_seats, create_scope, remove_seat
from apps.accounts.types import Principal
from apps.chat.selectors.conversations import scope_of
from apps.chat.services.messages import edit_message
from apps.rag.models import Chunk
from apps.rag.selectors.around import kept, neighbours, still_visible
from apps.rag.selectors.search import reach_of
from apps.rag.types import Hit
from tests.chat.world import World, make_world
from tests.rag.library import add_document, ask, embed_all, index_message

PAGES = ["Page one is about cranes.", "Page two is about kormoran birds.", "Page three is about parking."]


def beside(principal: Principal, hits: list[Hit], *audience: Principal) -> list[tuple[str, int]]:
    reach = reach_of(principal, [one.id for one in audience])
    return [(one.hit.text, one.distance) for one in neighbours(principal=principal, reach=reach, hits=hits)]


def found(principal: Principal, query: str) -> list[Hit]:
    return [hit for hit in ask(principal, query, collapse=False).hits if query in hit.text.casefold()]


def say(world: World, sender: Principal, channel: UUID, body: str, **fields: object) -> UUID:
    sent = world.say(sender, channel, body, **fields)
    index_message(world.organization.pk, channel, sent.id)
    return sent.id


@pytest.fixture
def reader(world: World) -> Principal:
    return world.person("Ada")


def test_the_pages_before_and_after_stand_beside_a_page(world: World, reader: Principal) -> None:
    scope = create_scope(organization_id=world.organization.pk, kind="collection", principals=[reader.id])
    add_document(organization_id=world.organization.pk, scope_id=scope, title="Book", pages=PAGES)
    add_document(organization_id=world.organization.pk, scope_id=scope, title="Other", pages=["Elsewhere."])
    embed_all(world.organization.pk)
    (hit,) = found(reader, "kormoran")
    assert beside(reader, [hit]) == [(PAGES[0], -1), (PAGES[2], 1)]
    (first,) = found(reader, "cranes")
    assert beside(reader, [first, hit]) == [(PAGES[2], 1)]


def test_a_thread_is_gone_on_with_from_its_first_message_on(world: World, reader: Principal) -> None:
    ben = world.person("Ben")
    channel = world.channel(reader, "betrieb", [ben])
    say(world, ben, channel, "Something else before it, long ago.")
    root = say(world, reader, channel, "Where does the kormoran nest this year?")
    reply = say(world, ben, channel, "On the western tower, as every spring.", thread=root)
    say(world, reader, channel, "The nest has four eggs by now.", thread=reply and root)
    say(world, ben, channel, "Lunch is at noon today.")
    embed_all(world.organization.pk)
    (western,) = found(reader, "western tower")
    assert beside(reader, [western]) == [
        ("Where does the kormoran nest this year?", -1),
        ("The nest has four eggs by now.", 1),
    ]
    (nest,) = found(reader, "kormoran")
    assert ("On the western tower, as every spring.", 1) in beside(reader, [nest])


def test_what_a_reader_may_not_see_stands_beside_nothing(world: World, reader: Principal) -> None:
    ben, late = world.person("Ben"), world.person("Late")
    channel = world.channel(reader, "plan", [ben], is_private=True)
    scope = scope_of(reader, channel)
    say(world, reader, channel, "The kormoran plan is secret.")
    say(world, ben, channel, "Hello, what is there to do?")
    joined = timezone.now()
    Chunk.objects.filter(body__startswith="Hello").update(content_time=joined)
    add_seats(scope_id=scope, principals=[late.id], visible_from=joined)
    embed_all(world.organization.pk)
    (hello,) = found(reader, "hello")
    assert beside(reader, [hello]) == [("The kormoran plan is secret.", -1)]
    assert beside(reader, [hello], late) == []
    assert beside(late, [hello]) == []
    stranger = world.person("Stranger", role="guest")
    assert hello.chunk is not None
    assert still_visible(reach=reach_of(late), chunks=[hello.chunk]) == {hello.chunk}
    assert still_visible(reach=reach_of(reader, [stranger.id]), chunks=[hello.chunk]) == set()
    remove_seat(scope_id=scope, principal_id=late.id)
    assert still_visible(reach=reach_of(late), chunks=[hello.chunk]) == set()
    foreign = make_world("andere").person("Eve", role="owner")
    assert still_visible(reach=reach_of(foreign), chunks=[hello.chunk]) == set()


def test_a_passage_that_was_stored_anew_is_known_by_its_words(world: World, reader: Principal) -> None:
    ben, late = world.person("Ben"), world.person("Late")
    channel = world.channel(reader, "betrieb", [ben], is_private=True)
    sent = say(world, ben, channel, "The kormoran nests on the western tower")
    embed_all(world.organization.pk)
    (hit,) = found(reader, "kormoran")
    assert hit.chunk is not None
    say(world, ben, channel, "And the swans on the lake")  # joins the passage
    (chunk,) = Chunk.objects.values_list("pk", flat=True)
    assert chunk != hit.chunk
    assert kept(reach=reach_of(reader), hits=[hit]) == {hit.chunk: chunk}
    assert kept(reach=reach_of(late), hits=[hit]) == {}
    assert kept(reach=reach_of(reader, [late.id]), hits=[hit]) == {}
    edit_message(principal=ben, message_id=sent, body="They nest elsewhere", expected_version=1)
    index_message(world.organization.pk, channel, sent)
    assert kept(reach=reach_of(reader), hits=[hit]) == {}
