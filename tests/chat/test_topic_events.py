"""Events of topics: a snapshot and what was told since are what a fresh snapshot shows, for messages and for counts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from apps.accounts.types import Principal
from apps.chat.selectors import conversations as conversation_selectors
from apps.chat.selectors.topics import get_topic
from apps.chat.services import conversations, moving, reading, topics
from apps.core.events import consumers
from tests.chat.test_selectors_messages import apply, snapshot
from tests.chat.test_topics import Scene
from tests.chat.world import World


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


def head(stream: UUID) -> int:
    return max((event["sequence"] for event in consumers.history(stream_id=stream, after=0)), default=0)


def test_messages_that_move_within_a_channel(scene: Scene) -> None:
    first, second = scene.say(scene.ada, "Wind"), scene.say(scene.ben, "Wind")
    third = scene.say(scene.ada)
    before, since = snapshot(scene.ada, scene.channel), head(scene.channel)
    moving.move_messages(principal=scene.mod, message_id=third, topic="Wind")
    moving.move_messages(principal=scene.mod, message_id=second, span="later", topic="Fähre")
    topics.rename_topic(principal=scene.mod, topic_id=scene.topic("Fähre"), name="Schiff")
    topics.set_resolved(principal=scene.mod, topic_id=scene.topic("Schiff"), is_resolved=True)
    moving.move_messages(principal=scene.mod, message_id=first, span="topic", topic="")
    scene.say(scene.ada, "Schiff")
    for event in consumers.history(stream_id=scene.channel, after=since):
        apply(before, event)
    assert before == snapshot(scene.ada, scene.channel)
    assert get_topic(scene.ada, scene.topic("Schiff")).resolved_at is not None


def test_messages_that_move_to_another_channel(scene: Scene) -> None:
    other = scene.world.channel(scene.mod, "technik", [scene.ada])
    scene.world.say(scene.ada, other)
    root = scene.say(scene.ada, "Wind")
    scene.say(scene.ben)
    scene.say(scene.ben, thread=root)
    shown = {place: snapshot(scene.ada, place) for place in (scene.channel, other)}
    since = {place: head(place) for place in shown}
    moving.move_messages(principal=scene.mod, message_id=root, conversation_id=other, topic="Sturm")
    for place, state in shown.items():
        for event in consumers.history(stream_id=place, after=since[place]):
            apply(state, event)
        fresh = snapshot(scene.ada, place)
        assert state == fresh
    assert len(shown[scene.channel]) == 1
    assert shown[other][str(root)]["replies"]["count"] == 1


def test_counts_of_the_own_stream(scene: Scene) -> None:
    scene.say(scene.ada, "Wind", body="@Ben")
    last = scene.world.say(scene.ada, scene.channel, topic="Fähre")
    since = head(scene.ben.member_id)
    reading.move_marker(
        principal=scene.ben, conversation_id=scene.channel, sequence=last.sequence, place=scene.topic("Fähre")
    )
    topics.set_level(principal=scene.ben, topic_id=scene.topic("Wind"), level="muted")
    read, wish = consumers.history(stream_id=scene.ben.member_id, after=since)
    row = conversation_selectors.get_conversation(scene.ben, scene.channel)
    told: dict[str, Any] = read["payload"]
    assert (told["unread"], told["mentions"]) == (1, 1)  # before the topic was muted
    assert (row.unread, row.mentions) == (0, 1)
    assert (wish["type"], wish["payload"]["level"]) == ("topic.preference_changed", "muted")
    assert get_topic(scene.ben, scene.topic("Wind")).level == "muted"


def test_settings_of_a_channel(scene: Scene) -> None:
    def shown(who: Principal) -> dict[str, Any]:
        row = conversation_selectors.get_conversation(who, scene.channel)
        return {
            name: getattr(row, name)
            for name in ("kind", "name", "description", "is_private", "who_posts", "takes_replies")
        }

    before, since = shown(scene.ben), head(scene.channel)
    conversations.update_conversation(
        principal=scene.ada, conversation_id=scene.channel, who_posts="announcers", takes_replies=False,
        description="Nur Wichtiges",
    )  # fmt: skip
    for event in consumers.history(stream_id=scene.channel, after=since):
        before.update({name: value for name, value in event["payload"].items() if name in before})
    assert before == shown(scene.ben)
