"""Pages of messages asked for at the same time: found together, each answer its reader's own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from apps.accounts.types import Principal
from apps.chat.errors import ConversationNotFound, MessageNotFound
from apps.chat.selectors.kept_pages import Unkept, pages
from apps.chat.selectors.pages import Window
from apps.chat.services import paging, reading
from apps.chat.services.paging import Asked
from apps.core import tenancy
from apps.core.errors import TooManyRequests
from apps.core.services import limits
from apps.core.services.limits import Bucket
from apps.core.threads import in_thread
from tests.chat.world import World, make_world

pytestmark = pytest.mark.django_db(transaction=True)
Counting = Callable[[int], AbstractContextManager[object]]


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    pages.clear()
    yield
    pages.clear()


def bucket(burst: int = 100) -> list[Bucket]:
    return [Bucket("test", uuid4().hex, 60, burst)]


def asked(who: Principal, channel: UUID, *, burst: int = 100, **options: Any) -> Asked:
    window = Window(conversation=channel, **{"anchor": "newest", "before": 50, "after": 0} | options)
    return Asked(who, window, bucket(burst))


def bodies(found: Any) -> list[str]:
    page = found.read() if isinstance(found, Unkept) else found
    return [message["body"] for message in orjson.loads(page)["messages"]]


def keep(who: Principal, channel: UUID) -> None:
    for _ in range(2):
        (found, _taken) = paging.look([asked(who, channel)])[0]
        bodies(found)


def test_each_gets_the_own_page_or_the_own_refusal(world: World, redis: Any) -> None:
    ada, ben, eve = world.person("Ada"), world.person("Ben"), world.person("Eve")
    channel = world.channel(ada, "both", [ben], is_private=True)
    world.say(ada, channel, "moin")
    elsewhere = make_world("suedwind")
    with elsewhere.use():  # type: ignore[attr-defined]
        zoe = elsewhere.person("Zoe")
        hers = elsewhere.channel(zoe, "hers")
        elsewhere.say(zoe, hers, "servus")
        keep(zoe, hers)
    keep(ada, channel)
    tired = asked(ada, channel, burst=1)
    limits.take(tired.buckets)
    with tenancy.nobody():
        answers = paging.look(
            [
                asked(ben, channel), asked(eve, channel), asked(zoe, hers), tired, asked(zoe, channel),
                asked(ada, channel, anchor=uuid4()), asked(replace(ada, scopes=frozenset()), channel),
                asked(ada, channel, before=1),
            ]
        )  # fmt: skip
    found = [one for one, _ in answers]
    assert bodies(found[0]) == ["moin"]
    assert bodies(found[2]) == ["servus"]
    assert [type(found[number]) for number in (1, 4, 5, 6)] == [
        ConversationNotFound, ConversationNotFound, MessageNotFound, ConversationNotFound,
    ]  # fmt: skip
    assert [taken.is_allowed for _, taken in answers] == [number != 3 for number in range(8)]
    assert found[3] == b""  # nothing was looked up for whoever asks too much
    assert isinstance(found[7], Unkept)
    assert bodies(found[7]) == ["moin"]


def test_a_crowd_asks_the_database_as_often_as_one(world: World, django_assert_num_queries: Counting) -> None:
    people = [world.person(f"Person {number}") for number in range(6)]
    channel = world.channel(people[0], "allgemein", people[1:])
    sent = [world.say(people[0], channel, str(number)) for number in range(3)]
    keep(people[0], channel)
    reading.move_marker(principal=people[2], conversation_id=channel, sequence=sent[1].sequence)
    crowd = [asked(person, channel) for person in people]
    with django_assert_num_queries(2):
        answers = paging.look(crowd)
    told = [orjson.loads(found) for found, _ in answers if isinstance(found, bytes)]
    assert [one["first_unread"] for one in told] == [
        None, str(sent[0].id), str(sent[2].id), str(sent[0].id), str(sent[0].id), str(sent[0].id),
    ]  # fmt: skip
    with django_assert_num_queries(2):
        paging.look(crowd[1:2])


async def test_who_asks_at_the_same_time_is_answered_each(world: World) -> None:
    def furnish() -> tuple[Principal, Principal, UUID]:
        ada, eve = world.person("Ada"), world.person("Eve")
        channel = world.channel(ada, "geheim", is_private=True)
        world.say(ada, channel, "der Preis")
        return ada, eve, channel

    ada, eve, channel = await in_thread(furnish)
    window = Window(conversation=channel, anchor="newest", before=5, after=0)
    tired = bucket(1)
    asks = [
        paging.page_as_json(who, window, buckets=buckets)
        for who, buckets in [(ada, bucket()), (eve, bucket()), (ada, tired), (ada, tired), (ada, bucket())]
    ]
    answers = await asyncio.gather(*asks, return_exceptions=True)
    assert [type(one) for one in answers] == [tuple, ConversationNotFound, tuple, TooManyRequests, tuple]
    for number in (0, 2, 4):
        page, taken = answers[number]  # type: ignore[misc]  # a tuple, as above
        assert bodies(page) == ["der Preis"]
        assert taken.is_allowed
