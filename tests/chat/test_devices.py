"""Devices that hear the same in different orders, however late, show what one shows that comes new."""

from __future__ import annotations

import asyncio
import dataclasses
import random
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
import pytest

from apps.accounts.types import Principal
from apps.chat.errors import MessageDeleted, NotRestorable, NotTheAuthor, TopicNameTaken
from apps.chat.models import Topic
from apps.chat.selectors import conversations as conversation_selectors
from apps.chat.selectors import unread
from apps.chat.selectors.pages import message_page, thread_page
from apps.chat.selectors.topics import list_topics
from apps.chat.services import deleted, messages, pins, reactions, topics
from apps.core.events import consumers
from tests.chaos.plans import Operation, plan, shrink
from tests.chaos.views import View, differences
from tests.chat.test_read_state import Acts
from tests.chat.test_topics import Scene
from tests.chat.world import World

Told = dict[str, Any]


class MoreActs(Acts):
    """What else people do with messages, by chance."""

    def __init__(self, scene: Scene, chance: random.Random, channels: list[UUID]) -> None:
        super().__init__(scene, chance, channels)
        self.kinds += [self.edit, self.react, self.react, self.restore, self.pin, self.change_topic]

    def act(self) -> None:
        try:
            super().act()
        except (MessageDeleted, NotRestorable, NotTheAuthor, TopicNameTaken):
            self.send()

    def edit(self) -> None:
        body = self.chance.choice(["other", "other @Ben", "**other**"])
        self.on_message(lambda who, pk: messages.edit_message(principal=who, message_id=pk, body=body))

    def react(self) -> None:
        change = self.chance.choice(
            [reactions.add_reaction, reactions.add_reaction, reactions.remove_reaction]
        )
        self.on_message(lambda who, pk: change(principal=who, message_id=pk, emoji="👍"))

    def restore(self) -> None:
        self.on_message(lambda _who, pk: deleted.restore_message(principal=self.scene.mod, message_id=pk))

    def pin(self) -> None:
        is_pinned = self.chance.random() < 0.6
        self.on_message(lambda who, pk: pins.set_pinned(principal=who, message_id=pk, is_pinned=is_pinned))

    def change_topic(self) -> None:
        for topic in Topic.objects.order_by("pk")[:1]:
            is_resolved = self.chance.random() < 0.5
            topics.set_resolved(principal=self.scene.mod, topic_id=topic.pk, is_resolved=is_resolved)
            topics.rename_topic(
                principal=self.scene.mod, topic_id=topic.pk, name=f"Thema {self.chance.random()}"
            )


def as_json(value: Any) -> Any:
    return orjson.loads(orjson.dumps(value))


def fresh(who: Principal, channel: UUID) -> View:
    page = message_page(principal=who, conversation_id=channel, anchor="newest", before=199, after=1)
    view = View(str(who.id), page.last_sequence)
    shown = [
        *page.messages,
        *(
            one
            for root in page.messages
            for one in thread_page(principal=who, message_id=root.id)[1].messages
        ),
    ]
    view.learn(as_json([dataclasses.asdict(one) for one in shown]), page.last_sequence)
    for topic in as_json([dataclasses.asdict(row) for row in list_topics(who, channel)]):
        view.meet(topic)
    view.members = {str(person.id) for person in conversation_selectors.members(who, channel)}
    row = conversation_selectors.get_conversation(who, channel)
    view.preferences = {"is_muted": row.is_muted, "is_starred": row.is_starred}
    count(view, who, channel)
    return view


def count(view: View, who: Principal, channel: UUID) -> None:
    told = unread.counts_in(organization_id=who.organization_id, principal_id=who.id, conversation_id=channel)
    assert told is not None
    view.count(dataclasses.asdict(told))


def tell(views: dict[str, View], own: UUID, event: Told) -> None:
    """Hand a device one event, as the socket does."""
    data = as_json(event["payload"])
    if event["stream_id"] != own:
        views[str(event["stream_id"])].take(event["sequence"], event["type"], data)
    elif data.get("conversation") in views:
        views[data["conversation"]].notice(event["type"], data)


def shuffled(chance: random.Random, streams: Sequence[list[Told]]) -> list[Told]:
    """Return the events of streams mixed by chance, each stream in its order."""
    left = [list(stream) for stream in streams]
    mixed = []
    while waiting := [stream for stream in left if stream]:
        mixed.append(chance.choice(waiting).pop(0))
    return mixed


@pytest.mark.parametrize("seed", range(2))
def test_devices_that_hear_in_any_order_show_the_same(world: World, seed: int) -> None:
    scene, chance = Scene(world), random.Random(seed)
    other = world.channel(scene.mod, "technik", [scene.ada, scene.ben])
    acts, who, channels = MoreActs(scene, chance, [scene.channel, other]), scene.ben, [scene.channel, other]
    for _ in range(20):
        acts.act()
    places = [*channels, who.member_id]
    devices = [{str(channel): fresh(who, channel) for channel in channels} for _ in range(3)]
    heads = {
        place: max((event["sequence"] for event in consumers.history(stream_id=place, after=0)), default=0)
        for place in places
    }
    for _ in range(60):
        acts.act()
    streams = [consumers.history(stream_id=place, after=heads[place]) for place in places]
    for device in devices:
        for event in shuffled(chance, streams):
            tell(device, who.member_id, event)
    for channel in channels:
        expected = fresh(who, channel)
        for view in (device[str(channel)] for device in devices):
            if view.is_uncertain:
                count(view, who, channel)
            assert differences(view.state(), expected.state()) == []
        threads = {pk: one["replies"] for pk, one in expected.state()["messages"].items()}
        assert {pk: told for pk, told in expected.threads_counted().items() if pk in threads} == threads


def test_a_list_of_operations_shrinks_to_those_that_matter() -> None:
    made = plan(7, 200, longest_break=2)
    assert made == plan(7, 200, longest_break=2)
    matters = {made[20].number, made[120].number}

    async def fails(operations: Sequence[Operation]) -> bool:
        return matters <= {one.number for one in operations}

    short = asyncio.run(shrink(made, fails))
    assert {one.number for one in short} == matters
