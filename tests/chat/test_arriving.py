"""Sockets that open, and come back, at the same time: each step once for all of them, each answer its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from apps.accounts.types import Principal
from apps.chat.selectors import resuming
from apps.chat.selectors.resuming import Missing
from apps.chat.selectors.statuses import shown_by
from apps.chat.services import arriving, members, presence, statuses
from apps.chat.services.arriving import Entry
from apps.chat.services.batcher import get_pool
from apps.core import tenancy
from apps.core.errors import TooManyRequests
from apps.core.models import Stream
from apps.core.services import limits, places
from apps.core.services.limits import Bucket
from apps.core.services.places import Place
from apps.core.threads import in_thread
from tests.chat.test_consumers import Scene, scene
from tests.chat.world import World, make_world
from tests.conftest import owner_connection

__all__ = ["scene"]
Counting = Callable[[int], AbstractContextManager[object]]


def at_door(person: Principal, *, burst: int = 5, most: int = 5, has_room: bool = True) -> Entry:
    return Entry(
        person, [Bucket("test", uuid4().hex, 60, burst)], Place("test", str(person.id), uuid4().hex, most), has_room
    )  # fmt: skip


def test_everybody_gets_the_own_heads_and_the_own_refusal(world: World, redis: Any) -> None:
    ada, ben, eve = world.person("Ada"), world.person("Ben"), world.person("Eve")
    both, alone = world.channel(ada, "both", [ben]), world.channel(ada, "alone", is_private=True)
    world.say(ada, both)
    elsewhere = make_world("suedwind")
    with elsewhere.use():  # type: ignore[attr-defined]
        zoe = elsewhere.person("Zoe")
        hers = elsewhere.channel(zoe, "hers")
    bound = replace(ada, conversations=frozenset({alone}))
    full, tired, crowded = at_door(eve, most=1), at_door(eve, burst=1), at_door(eve, has_room=False)
    assert places.take(replace(full.place, holder="other"))
    limits.take(tired.buckets)
    entries = [at_door(ben), full, at_door(zoe), tired, at_door(bound), crowded, at_door(ada), at_door(eve)]
    with tenancy.nobody():
        answers = arriving.enter(entries)
    refused = {1: arriving.FULL_SECONDS, 3: 1, 5: arriving.FULL_SECONDS}
    for number, answer in enumerate(answers):
        if number in refused:
            assert isinstance(answer, TooManyRequests)
            assert answer.retry_after_seconds == refused[number]
        else:
            assert not isinstance(answer, Exception)
    told = [set(answer) for answer in answers if isinstance(answer, dict)]
    assert told == [{both}, {hers}, {alone}, {both, alone}, set()]
    assert answers[0] == {both: Stream.objects.get(pk=both).last_sequence}
    held = [redis.zscore(entry.place.key, entry.place.holder) is not None for entry in entries]
    assert held == [number not in refused for number in range(len(entries))]


def test_each_is_told_where_it_stands_and_a_crowd_costs_no_more_queries_than_one(
    world: World, django_assert_num_queries: Counting
) -> None:
    people = [world.person(f"Person {number}") for number in range(5)]
    channels = [world.channel(person, f"c{number}") for number, person in enumerate(people)]
    statuses.set_sharing(people[3], shows_presence=True, shows_typing=False)
    with django_assert_num_queries(4):
        standing = arriving.look(people)
    assert [set(one.heads) for one in standing] == [{channel} for channel in channels]
    own = dict(Stream.objects.values_list("pk", "last_sequence"))
    assert [one.sequence for one in standing] == [own.get(person.member_id, 0) for person in people]
    assert [one.shown.shows_typing for one in standing] == [True, True, True, False, True]
    with django_assert_num_queries(4):
        assert arriving.look(people[:1]) == standing[:1]


def test_who_comes_with_several_sockets_is_shown_once(world: World, redis: Any, told: list[Any]) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    shown = statuses_of(ada, ben)
    presence.arrive(
        [
            presence.Connection(person.organization_id, person.id, uuid4().hex, shown[person.id])
            for person in (ada, ben, ada)
        ]
    )
    assert {person: state for one in told for person, state in one.items()} == {
        str(ada.id): "online", str(ben.id): "online",
    }  # fmt: skip
    assert len(told) == 2
    assert presence.connected(organization_id=ada.organization_id, people=[ada.id, ben.id]) == {
        ada.id: False, ben.id: False,
    }  # fmt: skip


def statuses_of(*people: Principal) -> dict[UUID, Any]:
    return shown_by([person.id for person in people])


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What watchers are told of states."""
    heard: list[Any] = []
    monkeypatch.setattr(
        "apps.core.events.publishing.publish_ephemeral",
        lambda _channel, frame: heard.append(orjson.loads(frame)["data"]),
    )
    return heard


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("redis")
async def test_a_crowd_at_the_door_is_let_in_and_each_hears_its_own(scene: Scene) -> None:
    who = [scene.ada, scene.ben, scene.eve] * 6
    inboxes = await asyncio.gather(*(scene.open(person) for person in who))
    for person, inbox in zip(who, inboxes, strict=True):
        hello = await inbox.get("hello")
        assert hello["principal"] == str(person.id)
        assert set(hello["conversations"]) == (set() if person is scene.eve else {str(scene.channel)})
    inboxes[0].send(frame="send", ref="1", conversation=str(scene.channel), body="hi", client_key="k")
    for person, inbox in zip(who, inboxes, strict=True):
        if person is not scene.eve:
            await inbox.get("event", lambda f: f["type"] == "message.sent")
    for person, inbox in zip(who, inboxes, strict=True):
        if person is scene.eve:
            inbox.send(frame="ping", ref="p")
            await inbox.get("pong")
            assert inbox.named("event") == []
        inbox.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("redis")
async def test_who_is_removed_while_the_socket_opens_hears_nothing_of_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The heads that it came with are older than its removal; the look after it subscribed is not."""
    inside = arriving.enter

    def slowly(entries: Any) -> Any:
        found = inside(entries)
        with tenancy.use(scene.world.organization.pk):
            members.remove_person(principal=scene.ada, conversation_id=scene.channel, person_id=scene.ben.id)
        return found

    monkeypatch.setattr(arriving, "enter", slowly)
    arriving._arrivals_of.cache_clear()
    ben = await scene.open(scene.ben)
    assert (await ben.get("hello"))["conversations"] == {}
    monkeypatch.undo()
    arriving._arrivals_of.cache_clear()
    ada = await scene.open(scene.ada)
    ada.send(frame="send", ref="1", conversation=str(scene.channel), body="secret", client_key="k")
    await ada.get("ack")
    ben.send(frame="ping", ref="p")
    await ben.get("pong")
    assert ben.named("event") == []
    ada.close(), ben.close()


def write(organization: UUID, stream: UUID, count: int) -> None:
    """Write the log of a stream; only the owner may do so by hand."""
    with owner_connection() as owner, owner.transaction():
        owner.execute("SELECT set_config('app.organization', %s, true)", [str(organization)])
        owner.execute(
            "INSERT INTO core_stream (id, organization_id, last_sequence) VALUES (%s, %s, %s)",
            [stream, organization, count],
        )
        owner.execute(
            "INSERT INTO core_event (organization_id, stream_id, sequence, type, payload, trace_id, created_at) "
            "SELECT %s, %s, n, 'message.sent', jsonb_build_object('n', n), '', now() FROM generate_series(1, %s) n",
            [organization, stream, count],
        )


def numbers(payloads: Any) -> list[int]:
    return [orjson.loads(payload)["data"]["n"] for payload in payloads]


@pytest.mark.django_db(transaction=True)
async def test_each_of_a_crowd_is_told_exactly_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = await in_thread(make_world), await in_thread(make_world, "suedwind")
    here, there = one.organization.pk, other.organization.pk
    first, second, long, foreign = (uuid4() for _ in range(4))
    for organization, stream, count in (
        (here, first, 9),
        (here, second, 4),
        (here, long, 600),
        (there, foreign, 3),
    ):
        await in_thread(write, organization, stream, count)
    asked = [
        Missing(here, {first: 7, second: 4}),
        Missing(here, {first: 0, long: 99}),
        Missing(there, {foreign: 1, first: 0}),
        Missing(here, {foreign: 0, long: 100, uuid4(): 3}),
        Missing(here, {first: 99}),
        Missing(here, {}),
        Missing(here, {first: 7}),
    ]
    told = await resuming.missed(await get_pool(), asked)
    assert [{stream: numbers(kept) for stream, kept in one.payloads.items()} for one in told] == [
        {first: [8, 9]},
        {first: list(range(1, 10))},
        {foreign: [2, 3]},
        {long: list(range(101, 601))},
        {},
        {},
        {first: [8, 9]},
    ]
    assert [list(one.too_far) for one in told] == [[], [long], [], [], [], [], []]
    monkeypatch.setattr(resuming, "TOO_MUCH", 10)
    [told_some] = await resuming.missed(await get_pool(), [Missing(here, {first: 1, second: 0, long: 598})])
    assert {stream: numbers(kept) for stream, kept in told_some.payloads.items()} == {
        first: list(range(2, 10)), long: [599, 600],
    }  # fmt: skip
    assert list(told_some.too_far) == [second]
