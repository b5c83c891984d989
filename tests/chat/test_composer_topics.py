"""What a composer sets goes along at every door: the topic of what is planned, asked, run, copied and not sent yet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from apps.accounts.types import Principal
from apps.chat.errors import NotAChannel, TopicNameInvalid
from apps.chat.models import Draft, Message, ScheduledMessage, Topic
from apps.chat.selectors import planning
from apps.chat.selectors.messages import get_message
from apps.chat.services import (
    conversations,
    drafts,
    forwarding,
    members,
    messages,
    moving,
    polls,
    scheduling,
    topics,
)
from apps.chat.services.commands import run_command
from apps.chat.types import KeptDraft
from apps.core.models import Event
from tests.chat.test_api import caller_of
from tests.chat.test_topics import Scene
from tests.chat.world import World, make_world
from tests.walls import everywhere

JSON = "application/json"
Door = Callable[[Principal, UUID, str], object]


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


def later() -> datetime:
    return timezone.now() + timedelta(hours=1)


def plan(who: Principal, conversation: UUID, topic: str) -> UUID:
    return scheduling.schedule_message(
        principal=who, conversation_id=conversation, body="x", send_at=later(), topic=topic
    )


def plan_and_send(who: Principal, conversation: UUID, topic: str) -> None:
    scheduling.send_scheduled_now(principal=who, scheduled_id=plan(who, conversation, topic))


def ask(who: Principal, conversation: UUID, topic: str) -> None:
    poll = polls.NewPoll(question="Lunch?", options=["Soup", "Cake"])
    polls.create_poll(principal=who, conversation_id=conversation, poll=poll, client_key="k", topic=topic)


def command(line: str) -> Door:
    return lambda who, conversation, topic: run_command(
        principal=who, conversation_id=conversation, line=line, client_key="k", topic=topic
    )


def copy(who: Principal, conversation: UUID, topic: str) -> None:
    """Copy the first message that there is."""
    source = Message.objects.order_by("pk")[0]
    forwarding.forward_message(
        principal=who, message_id=source.pk, conversation_id=conversation, client_key="k", topic=topic
    )


def keep(who: Principal, conversation: UUID, topic: str) -> None:
    drafts.save_draft(principal=who, conversation_id=conversation, body="half", topic=topic)


SENDING = {
    "schedule": plan_and_send,
    "poll": ask,
    "/poll": command('/poll "Lunch?" "Soup" "Cake"'),
    "/me": command("/me waves"),
    "forward": copy,
}
DOORS = {**SENDING, "/schedule": command("/schedule 2h Moin"), "draft": keep}


@pytest.mark.parametrize("door", SENDING.values(), ids=SENDING.keys())
def test_a_message_goes_into_the_topic_that_is_set(scene: Scene, door: Door) -> None:
    scene.say(scene.ada, "Wind")
    door(scene.ada, scene.channel, " wind ")  # the name of a topic, however it is written
    sent = Message.objects.get(client_key__in=["k", f"scheduled:{_planned()}"])
    assert sent.topic_id == scene.topic("Wind")


def _planned() -> UUID | None:
    return ScheduledMessage.objects.values_list("pk", flat=True).first()


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS.keys())
def test_where_there_are_no_topics_none_is_taken(scene: Scene, door: Door) -> None:
    scene.say(scene.ada)
    direct = conversations.open_direct(principal=scene.ada, people=[scene.ben.id])
    events = Event.objects.count()
    with pytest.raises(NotAChannel):
        door(scene.ada, direct, "Wind")
    assert (Event.objects.count(), Message.objects.count()) == (events, 1)
    door(scene.ada, direct, "")
    assert not Topic.objects.exists()


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS.keys())
def test_a_topic_that_is_no_name_is_refused(scene: Scene, door: Door) -> None:
    scene.say(scene.ada)
    events = Event.objects.count()
    with pytest.raises(TopicNameInvalid):
        door(scene.ada, scene.channel, "x" * 61)
    assert (Event.objects.count(), Draft.objects.count(), ScheduledMessage.objects.count()) == (events, 0, 0)


@pytest.mark.parametrize("door", SENDING.values(), ids=SENDING.keys())
def test_a_topic_of_elsewhere_with_the_same_name_is_another_one(scene: Scene, door: Door) -> None:
    other = scene.world.channel(scene.ada, "technik", [scene.ben])
    scene.world.say(scene.ada, other, topic="Wind")
    with everywhere():
        foreign = make_world("elsewhere")
    with foreign.use():  # type: ignore[attr-defined]
        eve = foreign.person("Eve")
        foreign.say(eve, foreign.channel(eve, "allgemein"), topic="Wind")
    door(scene.ada, scene.channel, "Wind")
    assert Topic.objects.get(conversation_id=scene.channel).name == "Wind"
    assert Message.objects.filter(topic__conversation_id=scene.channel).count() == 1
    assert Message.objects.filter(conversation_id=other).count() == 1


def test_a_reply_stays_in_the_topic_of_its_thread_whatever_is_set(scene: Scene) -> None:
    root = scene.say(scene.ada, "Wind")
    planned = scheduling.schedule_message(
        principal=scene.ben, conversation_id=scene.channel, body="x", send_at=later(), thread=root, topic="Sturm"
    )  # fmt: skip
    scheduling.send_scheduled_now(principal=scene.ben, scheduled_id=planned)
    assert scene.names() == ["Wind"]


def rename(scene: Scene, topic: UUID) -> None:
    topics.rename_topic(principal=scene.mod, topic_id=topic, name="Brise")


def merge(scene: Scene, topic: UUID) -> None:
    moving.merge_topics(principal=scene.mod, topic_id=topic, into=scene.topic("Sturm"))


def move_away(scene: Scene, topic: UUID) -> None:
    """To another channel, which those who wrote for this one did not mean."""
    other = scene.world.channel(scene.mod, "technik", [scene.ada])
    message = Message.objects.get(topic_id=topic)
    moving.move_messages(
        principal=scene.mod, message_id=message.pk, span="topic", topic="Wind", conversation_id=other
    )


def move_to_general(scene: Scene, topic: UUID) -> None:
    moving.move_messages(principal=scene.mod, message_id=Message.objects.get(topic_id=topic).pk)


def resolve(scene: Scene, topic: UUID) -> None:
    topics.set_resolved(principal=scene.mod, topic_id=topic, is_resolved=True)


@pytest.mark.parametrize(
    ("change", "expected"),
    [(rename, "Brise"), (merge, "Sturm"), (resolve, "Wind"), (move_to_general, ""), (move_away, "")],
)
def test_what_was_not_sent_follows_its_topic(
    scene: Scene, change: Callable[[Scene, UUID], None], expected: str
) -> None:
    scene.say(scene.ada, "Wind")
    scene.say(scene.ada, "Sturm")
    planned = plan(scene.ada, scene.channel, "WIND")
    beside = plan(scene.ada, scene.channel, "Sturm")
    keep(scene.ben, scene.channel, "wind")
    change(scene, scene.topic("Wind"))
    kept = drafts.drafts_of(principal=scene.ben, conversation_id=scene.channel)[None]
    assert (kept.body, kept.topic.casefold()) == ("half", expected.casefold())
    assert planning.get_scheduled(scene.ada, planned).topic.casefold() == expected.casefold()
    assert planning.get_scheduled(scene.ada, beside).topic == "Sturm"
    ScheduledMessage.objects.filter(pk=planned).update(send_at=timezone.now() - timedelta(seconds=1))
    with everywhere():
        scheduling.send_due()
    sent = Message.objects.get(client_key=f"scheduled:{planned}")
    found = get_message(scene.ada, sent.pk).topic
    assert (sent.conversation_id, found.name if found else "") == (scene.channel, expected)


def test_a_topic_that_only_a_plan_names_begins_with_it(scene: Scene) -> None:
    planned = plan(scene.ada, scene.channel, "Wind")
    assert scene.names() == []
    scheduling.send_scheduled_now(principal=scene.ada, scheduled_id=planned)
    assert scene.names() == ["Wind"]


def test_who_left_a_channel_learns_of_no_name_there(scene: Scene) -> None:
    scene.say(scene.ada, "Wind")
    planned = plan(scene.ben, scene.channel, "Wind")
    members.remove_person(principal=scene.ben, conversation_id=scene.channel, person_id=scene.ben.id)
    rename(scene, scene.topic("Wind"))
    assert planning.get_scheduled(scene.ben, planned).topic == "Wind"


def test_a_name_that_is_taken_redirects_nothing(scene: Scene) -> None:
    scene.say(scene.ada, "Wind")
    scene.say(scene.ada, "Sturm")
    planned = plan(scene.ada, scene.channel, "Wind")
    with pytest.raises(topics.TopicNameTaken):
        topics.rename_topic(principal=scene.mod, topic_id=scene.topic("Wind"), name="sturm")
    assert planning.get_scheduled(scene.ada, planned).topic == "Wind"


def test_topic_and_priority_of_a_plan_are_changed_and_what_is_left_out_stays(scene: Scene) -> None:
    planned = plan(scene.ada, scene.channel, "Wind")
    scheduling.change_scheduled(principal=scene.ada, scheduled_id=planned, priority="urgent")
    changed = planning.get_scheduled(scene.ada, planned)
    assert (changed.topic, changed.priority, changed.body) == ("Wind", "urgent", "x")
    scheduling.change_scheduled(principal=scene.ada, scheduled_id=planned, topic="")
    changed = planning.get_scheduled(scene.ada, planned)
    assert (changed.topic, changed.priority) == ("", "urgent")


class Device:
    """A device that keeps the drafts of one conversation as the events tell them."""

    def __init__(self, who: Principal, conversation: UUID) -> None:
        self.drafts = drafts.drafts_of(principal=who, conversation_id=conversation)

    def take(self, told: dict[str, Any]) -> None:
        thread = UUID(told["thread"]) if told["thread"] else None
        if told["body"]:
            self.drafts[thread] = KeptDraft(body=told["body"], topic=told["topic"])
        else:
            self.drafts.pop(thread, None)


def test_drafts_with_topics_are_the_same_on_three_devices_whenever_they_came(scene: Scene) -> None:
    root = scene.say(scene.ben, "Wind")
    own = {"principal": scene.ada, "conversation_id": scene.channel}
    devices, heard = [], 0
    for steps in (
        [("a", None, "Wind"), ("reply", root, "")],
        [("a b", None, "Wind"), ("a b", None, "Sturm"), ("", root, "")],
        [("a b c", None, ""), ("again", root, ""), ("", None, "Sturm")],
    ):
        devices.append(Device(scene.ada, scene.channel))
        for body, thread, topic in steps:
            drafts.save_draft(body=body, thread=thread, topic=topic, **own)
        told = scene.told("draft.saved")
        for device in devices:
            for event in told[heard:]:
                device.take(event)
        heard = len(told)
        fresh = Device(scene.ada, scene.channel).drafts
        assert [device.drafts for device in devices] == [fresh] * len(devices)
    assert heard == 8


def test_the_api_takes_and_tells_topics(scene: Scene) -> None:
    client, here = caller_of(scene.ada), f"/api/v1/conversations/{scene.channel}/"
    planned = {
        "conversation": str(scene.channel),
        "body": "x",
        "send_at": later().isoformat(),
        "topic": "Wind",
    }
    made = client.post("/api/v1/scheduled/", planned, JSON).json()
    assert made["topic"] == "Wind"
    address = f"/api/v1/scheduled/{made['id']}/"
    changed = client.patch(address, {"topic": "Sturm", "priority": "urgent"}, JSON).json()
    assert (changed["topic"], changed["priority"]) == ("Sturm", "urgent")
    assert client.patch(address, {"body": ""}, JSON).json()["code"] == "chat.empty_message"
    assert client.put(f"{here}draft/", {"body": "half", "topic": "Wind"}, JSON).status_code == 204
    assert [one["topic"] for one in client.get("/api/v1/drafts/").json()["results"]] == ["Wind"]
    poll = {"question": "?", "options": ["a", "b"], "client_key": "poll", "topic": "Poll"}
    asked = client.post(f"{here}polls/", poll, JSON).json()
    line = {"line": "/me waves", "client_key": "me", "topic": "Me"}
    waved = client.post(f"{here}commands/", line, JSON).json()
    target = {"conversation": str(scene.channel), "client_key": "copy", "topic": "Copy"}
    copied = client.post(f"/api/v1/messages/{asked['id']}/forward/", target, JSON).json()
    told = [get_message(scene.ada, UUID(one)).topic for one in (asked["id"], waved["message"], copied["id"])]
    assert [one and one.name for one in told] == ["Poll", "Me", "Copy"]


def test_the_api_refuses_a_topic_where_there_is_none(scene: Scene) -> None:
    client = caller_of(scene.ada)
    source = scene.say(scene.ada)
    direct = conversations.open_direct(principal=scene.ada, people=[scene.ben.id])
    here, topic = f"/api/v1/conversations/{direct}/", {"topic": "Wind"}
    place, key = {"conversation": str(direct)}, {"client_key": "k"}
    poll, moment = {"question": "?", "options": ["a", "b"]}, {"send_at": later().isoformat()}
    answers = [
        client.post("/api/v1/scheduled/", {**place, **moment, **topic, "body": "x"}, JSON),
        client.put(f"{here}draft/", {"body": "half", **topic}, JSON),
        client.post(f"{here}polls/", {**poll, **key, **topic}, JSON),
        client.post(f"{here}commands/", {"line": "/me waves", **key, **topic}, JSON),
        client.post(f"/api/v1/messages/{source}/forward/", {**place, **key, **topic}, JSON),
    ]
    assert {answer.json()["code"] for answer in answers} == {"chat.not_a_channel"}
    assert Message.objects.count() == 1


def test_the_api_confirms_a_call_of_many_in_edits_commands_and_copies(scene: Scene) -> None:
    crowd = [scene.world.person(name) for name in "CDE"]
    members.add_people(principal=scene.ada, conversation_id=scene.channel, people=[one.id for one in crowd])
    client, sent = caller_of(scene.ada), scene.say(scene.ada)
    here = f"/api/v1/conversations/{scene.channel}/"
    target = {"conversation": str(scene.channel), "client_key": "copy", "comment": "@all look"}
    for call, address, body in (
        (client.patch, f"/api/v1/messages/{sent}/", {"body": "@all lunch"}),
        (client.post, f"{here}commands/", {"line": "/me calls @all", "client_key": "me"}),
        (client.post, f"/api/v1/messages/{sent}/forward/", target),
    ):
        before = Event.objects.count()
        refused = call(address, body, JSON)
        assert (refused.status_code, refused.json()["code"]) == (409, "chat.mass_mention_unconfirmed")
        assert Event.objects.count() == before
        assert call(address, {**body, "confirm_mass_mention": True}, JSON).status_code < 300
        assert Event.objects.count() > before


def test_an_edit_needs_no_words_for_what_it_called_before(scene: Scene) -> None:
    crowd = [scene.world.person(name) for name in "CDE"]
    members.add_people(principal=scene.ada, conversation_id=scene.channel, people=[one.id for one in crowd])
    sent = scene.say(scene.ada, body="@all lunch", confirm_mass_mention=True)
    messages.edit_message(principal=scene.ada, message_id=sent, body="@all dinner")
    assert Message.objects.get().body == "@all dinner"
