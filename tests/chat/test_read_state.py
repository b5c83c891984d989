"""Unread and mention counts: by conversation, topic, thread and in all, against a recount from the rows."""

from __future__ import annotations

import random
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.chat.errors import ConversationNotFound
from apps.chat.models import Membership, Mention, Message, ReadMark, Topic
from apps.chat.selectors import conversations as conversation_selectors
from apps.chat.selectors import unread, waiting
from apps.chat.selectors.threads import inbox
from apps.chat.services import members, messages, moving, reading, threads, topics
from apps.chat.services.checking import check_read_state, drift, recount
from apps.core.models import Event
from tests.chat.test_topics import Scene
from tests.chat.world import World


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


def counts(scene: Scene) -> tuple[int, int, int]:
    row = conversation_selectors.get_conversation(scene.ben, scene.channel)
    return row.unread, row.counted, row.mentions


def test_reading_a_topic_leaves_the_others_unread(scene: Scene) -> None:
    scene.say(scene.ada, "Wind")
    last = scene.world.say(scene.ada, scene.channel, topic="Fähre")
    scene.world.say(scene.ada, scene.channel)
    reading.move_marker(
        principal=scene.ben, conversation_id=scene.channel, sequence=last.sequence, place=scene.topic("Fähre")
    )
    assert counts(scene) == (2, 2, 0)
    left = unread.topics_in(scene.ben, scene.channel)
    assert {place: each.unread for place, each in left.items()} == {scene.topic("Wind"): 1, scene.channel: 1}
    told = Event.objects.filter(type="read.moved").get().payload
    assert (told["place"], told["unread"]) == (str(scene.topic("Fähre")), 2)


def test_the_marker_follows_where_every_place_was_read(scene: Scene) -> None:
    one = scene.world.say(scene.ada, scene.channel, topic="Wind")
    two = scene.world.say(scene.ada, scene.channel)
    for place in (scene.topic("Wind"), scene.channel):
        reading.move_marker(
            principal=scene.ben, conversation_id=scene.channel, sequence=two.sequence, place=place
        )
    assert not ReadMark.objects.exists()
    marker = Membership.objects.get(principal_id=scene.ben.id, conversation_id=scene.channel)
    assert marker.last_read_sequence >= two.sequence > one.sequence


def test_a_thread_is_read_alone(scene: Scene) -> None:
    root = scene.say(scene.ada)
    reply = scene.world.say(scene.ada, scene.channel, thread=root)
    assert unread.threads_in(scene.ben, scene.channel)[root].unread == 1
    reading.move_marker(
        principal=scene.ben, conversation_id=scene.channel, sequence=reply.sequence, place=root
    )
    assert unread.threads_in(scene.ben, scene.channel) == {}
    assert counts(scene) == (1, 1, 0)


def test_unread_from_here_in_a_topic_keeps_what_was_read_elsewhere(scene: Scene) -> None:
    first = scene.say(scene.ada, "Wind")
    scene.say(scene.ada)
    scene.say(scene.ada, "Wind")
    last = scene.world.say(scene.ada, scene.channel, topic="Fähre")
    reading.move_marker(principal=scene.ben, conversation_id=scene.channel, sequence=last.sequence)
    reading.mark_unread_from(principal=scene.ben, message_id=first, only_topic=True)
    assert {place: row.unread for place, row in unread.topics_in(scene.ben, scene.channel).items()} == {
        scene.topic("Wind"): 2
    }
    reading.mark_unread_from(principal=scene.ben, message_id=first)
    assert counts(scene)[0] == 4


def test_a_muted_topic_counts_nowhere_but_its_mentions_do(scene: Scene) -> None:
    scene.say(scene.ada, "Wind")
    scene.say(scene.ada, "Wind", body="@Ben")
    scene.say(scene.ada)
    topics.set_level(principal=scene.ben, topic_id=scene.topic("Wind"), level="muted")
    assert counts(scene) == (1, 1, 1)
    assert unread.topics_in(scene.ben, scene.channel)[scene.topic("Wind")].unread == 2
    assert unread.totals(scene.ben) == unread.Totals(1, 1)


def test_a_followed_topic_counts_in_a_muted_conversation(scene: Scene) -> None:
    scene.say(scene.ada, "Wind")
    scene.say(scene.ada)
    members.set_preferences(principal=scene.ben, conversation_id=scene.channel, is_muted=True)
    assert unread.totals(scene.ben) == unread.Totals(0, 0)
    topics.set_level(principal=scene.ben, topic_id=scene.topic("Wind"), level="followed")
    assert counts(scene) == (2, 1, 0)
    assert unread.totals(scene.ben) == unread.Totals(1, 0)
    topics.set_level(principal=scene.ben, topic_id=scene.topic("Wind"), level="default")
    assert unread.totals(scene.ben) == unread.Totals(0, 0)


def test_the_explanation_lists_exactly_what_waits_and_why(scene: Scene) -> None:
    muted = scene.say(scene.ada, "Wind")
    followed = scene.say(scene.ada, "Fähre")
    named = scene.say(scene.ada, body="@Ben")
    plain = scene.say(scene.ada)
    topics.set_level(principal=scene.ben, topic_id=scene.topic("Wind"), level="muted")
    topics.set_level(principal=scene.ben, topic_id=scene.topic("Fähre"), level="followed")
    found = {each.message.id: each.reason for each in waiting.explain(scene.ben)}
    assert found == {plain: "unread", named: "mention", followed: "followed_topic", muted: "topic_muted"}
    here = waiting.explain(scene.ben, conversation_id=scene.channel, place=scene.topic("Wind"))
    assert [each.message.id for each in here] == [muted]
    with pytest.raises(ConversationNotFound):
        waiting.explain(scene.world.person("Eve"), conversation_id=scene.channel)


def test_a_place_that_is_not_there_is_refused(scene: Scene) -> None:
    other = scene.world.channel(scene.ada, "anderes", [scene.ben])
    scene.world.say(scene.ada, other, topic="Wind")
    with pytest.raises(ConversationNotFound):
        reading.move_marker(
            principal=scene.ben, conversation_id=scene.channel, sequence=1, place=scene.topic("Wind")
        )
    assert not ReadMark.objects.exists()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_counts_equal_a_recount_after_anything_that_happens(scene: Scene, seed: int) -> None:
    chance = random.Random(seed)
    other = scene.world.channel(scene.mod, "technik", [scene.ada, scene.ben])
    acts = Acts(scene, chance, [scene.channel, other])
    for _ in range(60):
        acts.act()
        for who in (scene.ada, scene.ben):
            listed = {
                row.id: (row.unread, row.counted, row.mentions)
                for row in conversation_selectors.list_conversations(who)
            }
            assert listed == recount(organization_id=who.organization_id, principal_id=who.id)


def test_the_self_check_finds_what_cannot_be(scene: Scene) -> None:
    scene.say(scene.ada, body="@Ben")
    organization = scene.ben.organization_id
    assert check_read_state(organization_id=organization).wrong == {}
    Mention.objects.update(sequence=1)
    found = check_read_state(organization_id=organization)
    assert found.memberships == 3
    assert found.wrong == {"count": 1, "mention_misplaced": 1}
    assert drift.labels(str(organization), "count")._value.get() == 1


def test_the_command_tells_of_a_drift_by_its_exit(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    scene.say(scene.ada, body="@Ben")
    call_command("check_unread", "nordlicht")
    assert "no drift" in capsys.readouterr().out
    Mention.objects.update(sequence=1)
    with pytest.raises(CommandError):
        call_command("check_unread", "nordlicht")


class Acts:
    """Things people do, by chance."""

    def __init__(self, scene: Scene, chance: random.Random, channels: list[UUID]) -> None:
        self.scene, self.chance, self.channels = scene, chance, channels
        self.people = [scene.ada, scene.ben, scene.mod]
        self.kinds = [
            self.send,
            self.send,
            self.send,
            self.read,
            self.read,
            self.back,
            self.delete,
            self.move,
            self.wish,
        ]

    def act(self) -> None:
        self.chance.choice(self.kinds)()

    def send(self) -> None:
        who, channel = self.chance.choice(self.people), self.chance.choice(self.channels)
        roots = list(Message.objects.filter(conversation_id=channel, thread_id=None).order_by("pk"))
        thread = self.chance.choice(roots).pk if roots and self.chance.random() < 0.3 else None
        body = self.chance.choice(["hello", "@Ben", "@Ada look"])
        topic = self.chance.choice(["", "Wind", "Fähre"])
        self.scene.world.say(who, channel, body, thread=thread, topic=topic)

    def read(self) -> None:
        channel = self.chance.choice(self.channels)
        places = [
            None,
            None,
            channel,
            *Topic.objects.filter(conversation_id=channel).values_list("pk", flat=True),
        ]
        places += list(
            Message.objects.filter(conversation_id=channel, thread_id=None).values_list("pk", flat=True)
        )[:3]
        reading.move_marker(
            principal=self.chance.choice(self.people),
            conversation_id=channel,
            sequence=self.chance.randint(0, 40),
            place=self.chance.choice(places),
        )

    def back(self) -> None:
        self.on_message(
            lambda who, pk: reading.mark_unread_from(
                principal=who, message_id=pk, only_topic=self.chance.random() < 0.5
            )
        )

    def delete(self) -> None:
        self.on_message(lambda _who, pk: messages.delete_message(principal=self.scene.mod, message_id=pk))

    def move(self) -> None:
        roots = Message.objects.filter(thread_id=None).order_by("pk").values_list("pk", flat=True)
        if roots:
            try:
                moving.move_messages(
                    principal=self.scene.mod,
                    message_id=self.chance.choice(list(roots)),
                    span=self.chance.choice(["message", "later", "topic"]),
                    topic=self.chance.choice(["", "Wind", "Sturm"]),
                    conversation_id=self.chance.choice([None, *self.channels]),
                )
            except moving.NothingToMove:
                self.send()

    def wish(self) -> None:
        who = self.chance.choice(self.people)
        known = list(Topic.objects.order_by("pk").values_list("pk", flat=True))
        if known and self.chance.random() < 0.7:
            level = self.chance.choice(["default", "followed", "muted"])
            topics.set_level(principal=who, topic_id=self.chance.choice(known), level=level)
        else:
            members.set_preferences(
                principal=who,
                conversation_id=self.chance.choice(self.channels),
                is_muted=self.chance.random() < 0.5,
            )

    def on_message(self, run: object) -> None:
        known = list(Message.objects.order_by("pk").values_list("pk", flat=True))
        if known:
            run(self.chance.choice(self.people), self.chance.choice(known))  # type: ignore[operator]


def test_everything_is_read_at_once_and_only_for_oneself(scene: Scene, world: World) -> None:
    other = world.channel(scene.ada, "betrieb", [scene.ben])
    members.set_preferences(principal=scene.ben, conversation_id=other, is_muted=True)
    root = world.say(scene.ben, scene.channel, "Wer kommt?")
    threads.set_followed(principal=scene.ben, message_id=root.id, is_followed=True)
    world.say(scene.ada, scene.channel, "Ich", thread=root.id)
    world.say(scene.ada, scene.channel, "@**Ben** siehst du das?")
    world.say(scene.ada, other, "Im stummen Kanal")
    world.say(scene.ben, other, "Für Ada")
    assert inbox(scene.ben, only_unread=True)
    assert reading.read_everything(principal=scene.ben) == 3
    rows = conversation_selectors.list_conversations(scene.ben)
    assert [(row.unread, row.mentions) for row in rows] == [(0, 0)] * len(rows)
    assert not inbox(scene.ben, only_unread=True)
    assert not waiting.explain(scene.ben)
    assert conversation_selectors.get_conversation(scene.ada, other).unread == 1
    assert reading.read_everything(principal=scene.ben) == 0


def test_what_was_read_before_a_break_stays_read_and_a_repeat_reads_the_rest(
    scene: Scene, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("eins", "zwei", "drei"):
        world.say(scene.ada, world.channel(scene.ada, name, [scene.ben]))
    usual, calls = reading.move_marker, iter((False, True))

    def breaks(**given: Any) -> int:
        if next(calls, False):
            raise ConnectionError("the process is going")
        return usual(**given)

    monkeypatch.setattr(reading, "move_marker", breaks)
    with pytest.raises(ConnectionError):
        reading.read_everything(principal=scene.ben)
    monkeypatch.setattr(reading, "move_marker", usual)
    left = [row.unread for row in conversation_selectors.list_conversations(scene.ben)]
    assert sum(left) == 2
    assert reading.read_everything(principal=scene.ben) == 2
    assert reading.read_everything(principal=scene.ben) == 0
