"""Topics: made by their first message, named, resolved, wished for, moved and merged."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from apps.accounts.types import Principal
from apps.chat.errors import (
    AnnouncersOnly,
    ConversationNotFound,
    MessageNotFound,
    NotAChannel,
    NothingToMove,
    NotYoursToMove,
    RepliesClosed,
    ReplyMovesWithThread,
    TopicNameInvalid,
    TopicNameTaken,
    TopicNotFound,
)
from apps.chat.models import Message, Topic
from apps.chat.selectors import conversations as conversation_selectors
from apps.chat.selectors.messages import get_message
from apps.chat.selectors.pages import message_page
from apps.chat.selectors.topics import get_topic, list_topics
from apps.chat.services import conversations, messages, moving, reactions, topics
from apps.core.models import AuditEntry, Event
from tests.chat.world import World


class Scene:
    """A channel of Ada, Ben and a moderator."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ada, self.ben = world.person("Ada"), world.person("Ben")
        self.mod = world.person("Mod", role="moderator")
        self.channel = world.channel(self.ada, "allgemein", [self.ben, self.mod])

    def say(self, who: Principal, topic: str = "", **fields: object) -> UUID:
        return self.world.say(who, self.channel, topic=topic, **fields).id

    def topic(self, name: str) -> UUID:
        return Topic.objects.get(name=name).pk

    def names(self, who: Principal | None = None) -> list[str]:
        return [row.name for row in list_topics(who or self.ada, self.channel)]

    def told(self, kind: str) -> list[dict[str, object]]:
        return list(
            Event.objects.filter(type=kind)
            .order_by("stream_id", "sequence")
            .values_list("payload", flat=True)
        )


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


def topic_of(who: Principal, message_id: UUID) -> str | None:
    found = get_message(who, message_id).topic
    return found.name if found else None


def test_the_first_message_makes_a_topic_and_later_ones_find_it(scene: Scene) -> None:
    first = scene.say(scene.ada, "Fähre ")
    second = scene.say(scene.ben, "FÄHRE")
    assert [topic_of(scene.ada, pk) for pk in (first, second)] == ["Fähre", "Fähre"]
    (row,) = list_topics(scene.ben, scene.channel)
    assert (row.messages, row.unread, row.created_by) == (2, 1, scene.ada.id)
    sent = scene.told("message.sent")[0]["message"]
    assert sent["topic"] == {"id": str(row.id), "name": "Fähre"}


def test_one_batch_makes_a_topic_once(scene: Scene) -> None:
    drafts = [
        messages.composing.compose(
            principal=who, conversation_id=scene.channel, body="x", client_key=uuid4().hex, topic=name
        )
        for who, name in ((scene.ada, "neu"), (scene.ben, "Neu"), (scene.ada, "anders"), (scene.ada, ""))
    ]
    assert len(messages.send_messages(drafts)) == 4
    counts = sorted((row.name, row.messages) for row in list_topics(scene.ada, scene.channel))
    assert counts == [("anders", 1), ("neu", 2)]
    assert Message.objects.filter(topic=None).count() == 1


def test_a_reply_stands_in_the_topic_of_its_thread(scene: Scene) -> None:
    root = scene.say(scene.ada, "Fähre")
    reply = scene.say(scene.ben, "anders", thread=root)
    assert topic_of(scene.ada, reply) == "Fähre"
    assert scene.names() == ["Fähre"]


@pytest.mark.parametrize("name", ["a" * 61, "zwei\x00", "\ud800"])
def test_a_topic_name_is_one_short_line(scene: Scene, name: str) -> None:
    with pytest.raises(TopicNameInvalid):
        scene.say(scene.ada, name)
    assert not Message.objects.exists()
    assert not Topic.objects.exists()


def test_a_direct_conversation_has_no_topics(scene: Scene) -> None:
    direct = conversations.open_direct(principal=scene.ada, people=[scene.ben.id])
    with pytest.raises(NotAChannel):
        scene.world.say(scene.ada, direct, topic="Fähre")
    assert not Topic.objects.exists()


def test_a_topic_is_a_page_of_its_own(scene: Scene) -> None:
    general, in_topic = scene.say(scene.ada), scene.say(scene.ada, "Fähre")
    shown = {
        place: [
            row.id
            for row in message_page(principal=scene.ben, conversation_id=scene.channel, topic=place).messages
        ]
        for place in (scene.topic("Fähre"), scene.channel, None)
    }
    assert list(shown.values()) == [[in_topic], [general], [general, in_topic]]


def test_who_began_a_topic_names_it_for_some_days_and_moderators_always(scene: Scene) -> None:
    scene.say(scene.ada, "Fähre")
    topic = scene.topic("Fähre")
    with pytest.raises(NotYoursToMove):
        topics.rename_topic(principal=scene.ben, topic_id=topic, name="Schiff")
    topics.rename_topic(principal=scene.ada, topic_id=topic, name="Schiff")
    Topic.objects.filter(pk=topic).update(created_at=timezone.now() - timedelta(days=8))
    with pytest.raises(NotYoursToMove):
        topics.rename_topic(principal=scene.ada, topic_id=topic, name="Boot")
    topics.rename_topic(principal=scene.mod, topic_id=topic, name="Boot")
    assert scene.names() == ["Boot"]
    changed = [(told["former_name"], told["name"]) for told in scene.told("topic.changed")]
    assert changed == [("Fähre", "Schiff"), ("Schiff", "Boot")]
    assert AuditEntry.objects.filter(action="topic.renamed").count() == 1


def test_two_topics_do_not_share_a_name(scene: Scene) -> None:
    scene.say(scene.ada, "Fähre")
    scene.say(scene.ada, "Wind")
    with pytest.raises(TopicNameTaken):
        topics.rename_topic(principal=scene.ada, topic_id=scene.topic("Wind"), name="fähre")
    assert sorted(scene.names()) == ["Fähre", "Wind"]


def test_members_resolve_topics_and_open_them_again(scene: Scene) -> None:
    scene.say(scene.ada, "alt")
    scene.say(scene.ada, "neu")
    topics.set_resolved(principal=scene.ben, topic_id=scene.topic("neu"), is_resolved=True)
    topics.set_resolved(principal=scene.ben, topic_id=scene.topic("neu"), is_resolved=True)
    assert scene.names() == ["alt", "neu"]
    assert len(scene.told("topic.changed")) == 1
    topics.set_resolved(principal=scene.ada, topic_id=scene.topic("neu"), is_resolved=False)
    assert scene.names() == ["neu", "alt"]


def test_outsiders_of_a_private_channel_find_no_topic(scene: Scene) -> None:
    eve = scene.world.person("Eve")
    secret = scene.world.channel(scene.ada, "geheim", is_private=True)
    scene.world.say(scene.ada, secret, topic="Fähre")
    topic = scene.topic("Fähre")
    for act in (
        lambda: get_topic(eve, topic),
        lambda: topics.set_resolved(principal=eve, topic_id=topic, is_resolved=True),
        lambda: topics.set_level(principal=eve, topic_id=topic, level="muted"),
        lambda: topics.rename_topic(principal=eve, topic_id=topic, name="x"),
        lambda: moving.merge_topics(principal=eve, topic_id=topic, into=topic),
    ):
        with pytest.raises(TopicNotFound):
            act()
    with pytest.raises(ConversationNotFound):
        list_topics(eve, secret)
    assert scene.told("topic.changed") == []


def test_one_message_moves_with_its_replies(scene: Scene) -> None:
    root, other = scene.say(scene.ada, "Fähre"), scene.say(scene.ada, "Fähre")
    reply = scene.say(scene.ben, thread=root)
    moved = moving.move_messages(principal=scene.ada, message_id=root, topic="Wind")
    assert moved == 1
    assert [topic_of(scene.ada, pk) for pk in (root, reply, other)] == ["Wind", "Wind", "Fähre"]
    (told,) = scene.told("message.moved")
    assert (told["message_id"], told["is_source_gone"], told["target"]["name"]) == (str(root), False, "Wind")


def test_all_from_a_message_on_move_and_an_empty_topic_goes(scene: Scene) -> None:
    first, second = scene.say(scene.ada, "Fähre"), scene.say(scene.ada, "Fähre")
    late_reply = scene.say(scene.ada, thread=first)
    moving.move_messages(principal=scene.ada, message_id=second, span="later", topic="Wind")
    assert [topic_of(scene.ada, pk) for pk in (first, second, late_reply)] == ["Fähre", "Wind", "Fähre"]
    moving.move_messages(principal=scene.ada, message_id=first, span="topic", topic="")
    assert topic_of(scene.ada, late_reply) is None
    assert scene.names() == ["Wind"]
    gone = [(told["is_source_gone"], told["gone_name"]) for told in scene.told("message.moved")]
    assert gone == [(False, ""), (True, "Fähre")]


def test_merging_moves_everything_and_needs_a_right_over_others(scene: Scene) -> None:
    scene.say(scene.ada, "Fähre")
    scene.say(scene.ben, "Schiff")
    here = {"topic_id": scene.topic("Schiff"), "into": scene.topic("Fähre")}
    with pytest.raises(NotYoursToMove):
        moving.merge_topics(principal=scene.ada, **here)
    assert sorted(scene.names()) == ["Fähre", "Schiff"]
    assert moving.merge_topics(principal=scene.mod, **here) == 1
    assert scene.names() == ["Fähre"]
    assert AuditEntry.objects.filter(action="message.moved").count() == 1


def test_old_messages_and_replies_stay(scene: Scene) -> None:
    root = scene.say(scene.ada, "Fähre")
    reply = scene.say(scene.ada, thread=root)
    with pytest.raises(ReplyMovesWithThread):
        moving.move_messages(principal=scene.ada, message_id=reply, topic="x")
    with pytest.raises(NothingToMove):
        moving.move_messages(principal=scene.ada, message_id=root, topic="fähre")
    Message.objects.update(sent_at=timezone.now() - timedelta(days=8))
    with pytest.raises(NotYoursToMove):
        moving.move_messages(principal=scene.ada, message_id=root, topic="x")
    assert scene.told("message.moved") == []
    assert scene.names() == ["Fähre"]


def test_messages_move_to_another_channel_with_what_hangs_on_them(scene: Scene) -> None:
    other = scene.world.channel(scene.mod, "technik", [scene.ada])
    root = scene.say(scene.ben, "Fähre", body="@Ada und @Mod, bitte")
    reply = scene.say(scene.ada, thread=root)
    reactions.add_reaction(principal=scene.ada, message_id=root, emoji="👍")
    moving.move_messages(
        principal=scene.mod, message_id=root, span="topic", topic="Boote", conversation_id=other
    )
    view = get_message(scene.ada, root)
    assert (view.conversation, view.topic and view.topic.name, len(view.reactions)) == (other, "Boote", 1)
    assert get_message(scene.ada, reply).conversation == other
    assert scene.names() == []
    away, inside = scene.told("message.moved_away"), scene.told("message.moved_in")
    assert away[0]["message_ids"] == [str(root), str(reply)]
    numbers = list(Event.objects.filter(type="message.moved_in").values_list("sequence", flat=True))
    assert [told["message"]["sequence"] for told in inside] == sorted(numbers)
    row = conversation_selectors.get_conversation(scene.ada, other)
    assert (row.unread, row.mentions) == (1, 1)


def test_nobody_moves_into_a_channel_it_may_not_post_in(scene: Scene) -> None:
    news = scene.world.channel(scene.mod, "aushang", [scene.ada])
    conversations.update_conversation(principal=scene.mod, conversation_id=news, who_posts="announcers")
    secret = scene.world.channel(scene.ben, "geheim", is_private=True)
    mine = scene.say(scene.ada)
    with pytest.raises(AnnouncersOnly):
        moving.move_messages(principal=scene.ada, message_id=mine, conversation_id=news)
    with pytest.raises(ConversationNotFound):
        moving.move_messages(principal=scene.ada, message_id=mine, conversation_id=secret)
    with pytest.raises(MessageNotFound):
        moving.move_messages(principal=scene.ada, message_id=uuid4(), topic="x")
    assert get_message(scene.ada, mine).conversation == scene.channel
    assert scene.told("message.moved_away") == []


def test_only_announcers_post_and_others_reply_where_they_may(scene: Scene) -> None:
    conversations.update_conversation(
        principal=scene.ada, conversation_id=scene.channel, who_posts="announcers"
    )
    root = scene.say(scene.ada)
    scene.say(scene.mod)
    with pytest.raises(AnnouncersOnly):
        scene.say(scene.ben)
    scene.say(scene.ben, thread=root)
    conversations.update_conversation(principal=scene.ada, conversation_id=scene.channel, takes_replies=False)
    with pytest.raises(RepliesClosed):
        scene.say(scene.ben, thread=root)
    assert Message.objects.count() == 3
    assert AuditEntry.objects.filter(action="conversation.posting_changed").count() == 2


def test_a_right_in_one_channel_lets_post_there_alone(scene: Scene) -> None:
    from apps.accounts.types import ScopedGrant

    conversations.update_conversation(
        principal=scene.ada, conversation_id=scene.channel, who_posts="announcers"
    )
    other = scene.world.channel(scene.ada, "anderes", [scene.ben])
    conversations.update_conversation(principal=scene.ada, conversation_id=other, who_posts="announcers")
    scope = conversation_selectors.scope_of(scene.ben, scene.channel)
    speaker = replace(scene.ben, scoped=(ScopedGrant(scope, "speaker", frozenset({"message.announce"})),))
    scene.say(speaker)
    with pytest.raises(AnnouncersOnly):
        scene.world.say(speaker, other)
    assert Message.objects.count() == 1


def test_a_group_becomes_a_private_channel_with_its_history(scene: Scene) -> None:
    group = conversations.open_direct(principal=scene.ada, people=[scene.ben.id, scene.mod.id])
    said = scene.world.say(scene.ada, group).id
    conversations.convert_to_channel(principal=scene.ben, conversation_id=group, name="Projekt")
    row = conversation_selectors.get_conversation(scene.mod, group)
    assert (row.kind, row.name, row.is_private) == ("channel", "Projekt", True)
    assert get_message(scene.mod, said).conversation == group
    again = conversations.open_direct(principal=scene.ada, people=[scene.ben.id, scene.mod.id])
    assert again != group
    (told,) = scene.told("conversation.updated")
    assert (told["kind"], told["name"]) == ("channel", "Projekt")
