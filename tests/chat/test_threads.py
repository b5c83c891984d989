"""Following threads: by taking part, by being mentioned, by choice; the inbox; who is told of a reply."""

from __future__ import annotations

from uuid import UUID

import pytest

from apps.accounts.types import Principal
from apps.chat import handlers
from apps.chat.errors import MessageNotFound
from apps.chat.events import MessageEdited, MessageSent
from apps.chat.models import ThreadFollow
from apps.chat.selectors import threads
from apps.chat.selectors.own import own_counts
from apps.chat.services import members, messages
from apps.chat.services.threads import mark_read, set_followed
from apps.core.events import types
from apps.core.models import Event
from tests.chat.test_api import caller_of
from tests.chat.world import World


def heard() -> None:
    """Let the durable consumers of threads hear of everything, as the relay does."""
    for row in Event.objects.order_by("id").values():
        event = types.restore(row) if row["type"] in (MessageSent.type, MessageEdited.type) else None
        if isinstance(event, MessageSent):
            handlers.follow_threads(event)
        elif isinstance(event, MessageEdited):
            handlers.follow_threads_by_edit(event)


@pytest.fixture
def ada(world: World) -> Principal:
    return world.person("Ada")


@pytest.fixture
def ben(world: World) -> Principal:
    return world.person("Ben")


@pytest.fixture
def channel(world: World, ada: Principal, ben: Principal) -> UUID:
    return world.channel(ada, "allgemein", [ben])


def unread(person: Principal) -> list[int]:
    return [thread.unread for thread in threads.inbox(person)]


def test_who_takes_part_follows_and_only_others_replies_are_new(
    world: World, ada: Principal, ben: Principal, channel: UUID
) -> None:
    root = world.say(ada, channel, "root")
    world.say(ben, channel, "reply", thread=root.id)
    heard()
    assert (unread(ada), unread(ben)) == ([1], [0])
    assert set(threads.followers(organization_id=ada.organization_id, thread_id=root.id)) == {ada.id, ben.id}
    assert own_counts(ada, drafts=0).threads == 1
    (entry,) = threads.inbox(ada)
    assert (entry.root.body, entry.last.body) == ("root", "reply")
    mark_read(principal=ada, message_id=root.id, sequence=1 << 40)
    assert (unread(ada), threads.inbox(ada, only_unread=True)) == ([0], [])


def test_who_reads_before_the_events_arrive_has_read(
    world: World, ada: Principal, ben: Principal, channel: UUID
) -> None:
    cara = world.person("Cara")
    members.join(principal=cara, conversation_id=channel)
    root = world.say(ada, channel, "root")
    reply = world.say(ben, channel, "reply", thread=root.id)
    for reader in (ada, cara):
        mark_read(principal=reader, message_id=root.id, sequence=reply.sequence)
    heard()
    assert (unread(ada), unread(ben), unread(cara)) == ([0], [0], [])
    assert not ThreadFollow.objects.filter(principal_id=cara.id).exists()


def test_a_mention_follows_and_an_edit_that_adds_one_too(
    world: World, ada: Principal, ben: Principal, channel: UUID
) -> None:
    cara, dora = world.person("Cara"), world.person("Dora")
    for person in (cara, dora):
        members.join(principal=person, conversation_id=channel)
    root = world.say(ada, channel, "root @Cara")
    messages.edit_message(principal=ada, message_id=root.id, body="root @Dora")
    world.say(ben, channel, "reply", thread=root.id)
    heard()
    assert (unread(cara), unread(dora)) == ([1], [1])


def test_who_left_a_thread_is_not_brought_back_by_a_mention_or_an_event_that_comes_twice(
    world: World, ada: Principal, ben: Principal, channel: UUID
) -> None:
    root = world.say(ada, channel, "root")
    world.say(ben, channel, "mine", thread=root.id)
    heard()
    set_followed(principal=ben, message_id=root.id, is_followed=False)
    world.say(ada, channel, "@Ben look", thread=root.id)
    heard()
    assert unread(ben) == []
    assert threads.followers(organization_id=ada.organization_id, thread_id=root.id) == [ada.id]
    world.say(ben, channel, "back", thread=root.id)
    heard()
    assert unread(ben) == [0]


def test_a_choice_reaches_the_other_devices(
    world: World, ada: Principal, ben: Principal, channel: UUID
) -> None:
    root = world.say(ada, channel, "root")
    world.say(ada, channel, "reply", thread=root.id)
    before = Event.objects.filter(stream_id=ben.member_id).count()
    set_followed(principal=ben, message_id=root.id, is_followed=True)
    set_followed(principal=ben, message_id=root.id, is_followed=False)
    told = Event.objects.filter(stream_id=ben.member_id).order_by("sequence")[before:]
    assert [(row.type, row.payload["is_followed"]) for row in told] == [
        ("thread.follow_changed", True),
        ("thread.follow_changed", False),
    ]


def test_an_outsider_follows_nothing_and_sees_no_thread_it_lost(
    world: World, ada: Principal, ben: Principal
) -> None:
    secret = world.channel(ada, "geheim", [ben], is_private=True)
    root = world.say(ada, secret, "root")
    world.say(ben, secret, "reply", thread=root.id)
    heard()
    with pytest.raises(MessageNotFound):
        set_followed(principal=world.person("Eve"), message_id=root.id, is_followed=True)
    members.remove_person(principal=ada, conversation_id=secret, person_id=ben.id)
    assert threads.inbox(ben) == []
    assert own_counts(ben, drafts=0).threads == 0
    assert ThreadFollow.objects.count() == 2


@pytest.mark.parametrize("rows", [1, 12])
def test_the_inbox_costs_the_same_for_any_number_of_threads(
    world: World, ada: Principal, ben: Principal, rows: int, django_assert_num_queries: object
) -> None:
    channel = world.channel(ada, "allgemein", [ben])
    for number in range(rows):
        root = world.say(ada, channel, f"root {number}")
        world.say(ben, channel, "reply", thread=root.id)
    heard()
    with django_assert_num_queries(5):  # type: ignore[operator]  # entries, roots, replies, people, what is around
        assert len(threads.inbox(ada)) == rows


def test_the_api_lists_follows_and_reads(world: World, ada: Principal, ben: Principal, channel: UUID) -> None:
    root = world.say(ada, channel, "root")
    world.say(ben, channel, "reply", thread=root.id)
    heard()
    client = caller_of(ada)
    (listed,) = client.get("/api/v1/threads/?unread=true").json()["results"]
    assert (listed["root"]["id"], listed["unread"]) == (str(root.id), 1)
    address = f"/api/v1/messages/{root.id}/"
    assert client.put(f"{address}thread-read/", {"sequence": 99}, "application/json").status_code == 204
    assert client.get("/api/v1/threads/?unread=true").json()["results"] == []
    assert client.put(f"{address}follow/", {"is_followed": False}, "application/json").status_code == 204
    assert client.get("/api/v1/threads/").json()["results"] == []
