"""The socket: who gets in, what is delivered, what ends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from django.utils import timezone

from apps.accounts.models import ApiKey, Member
from apps.accounts.services import api_keys, authentication, handshake
from apps.accounts.services.authentication import Credentials
from apps.accounts.types import Principal
from apps.chat.consumers import resumed
from apps.chat.models import Message
from apps.chat.selectors import resuming, unread
from apps.chat.services import members, messages
from apps.chat.services.batcher import get_pool
from apps.core import tenancy
from apps.core.threads import in_thread
from tests.benchmarks.wire import Client
from tests.chat.sockets import Inbox, serving
from tests.chat.world import World, make_world
from tests.factories.accounts import api_key

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]


@dataclass
class Scene:
    """A served socket, an organization with Ada and Ben in one channel, and Eve outside."""

    url: str
    world: World
    ada: Principal
    ben: Principal
    eve: Principal
    channel: UUID
    keys: dict[UUID, str]

    async def open(self, who: Principal) -> Inbox:
        """Connect someone by key."""
        return await Inbox().open(self.url, {"Authorization": f"Bearer {self.keys[who.id]}"})

    async def do(self, work: Any, **arguments: Any) -> Any:
        """Call a service in its thread and organization."""
        with tenancy.use(self.world.organization.pk):
            return await in_thread(work, **arguments)


def _build() -> tuple[World, Principal, Principal, Principal, UUID, dict[UUID, str]]:
    world = make_world()
    with tenancy.use(world.organization.pk):
        ada, ben, eve = world.person("Ada"), world.person("Ben"), world.person("Eve")
        channel = world.channel(ada, "geheim", [ben], is_private=True)
        keys = {
            person.id: api_key(Member.objects.get(pk=person.member_id)).secret for person in (ada, ben, eve)
        }
    return world, ada, ben, eve, channel, keys


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    """Everything a test needs."""
    world, ada, ben, eve, channel, keys = await in_thread(_build)
    async with serving() as url:
        yield Scene(url, world, ada, ben, eve, channel, keys)


async def test_without_credentials_the_handshake_is_refused(scene: Scene) -> None:
    with pytest.raises(ConnectionError, match="401"):
        await Client(scene.url, {}).connect()


async def test_a_wrong_key_and_a_foreign_origin_are_refused(scene: Scene) -> None:
    with pytest.raises(ConnectionError, match="401"):
        await Client(scene.url, {"Authorization": "Bearer ck_wrong"}).connect()
    headers = {"Authorization": f"Bearer {scene.keys[scene.ada.id]}", "Origin": "https://evil.example"}
    with pytest.raises(ConnectionError, match="403"):
        await Client(scene.url, headers).connect()


async def test_a_key_that_ended_before_its_socket_could_hear_of_it_opens_none(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process remembered the key; the word of its end came before the socket listened."""
    headers = {"Authorization": f"Bearer {scene.keys[scene.ada.id]}"}
    remembered = [
        await scene.do(authentication.authenticate, credentials=Credentials(headers["Authorization"], "", ""))
    ]
    await scene.do(ApiKey.objects.filter(principal_id=scene.ada.id).update, revoked_at=timezone.now())
    monkeypatch.setattr(handshake, "find_kept", lambda _scope: remembered.pop() if remembered else None)
    frames: list[bytes] = []
    ada = await Client(scene.url, headers, frames.append).connect()
    async with asyncio.timeout(8):
        while not ada.is_closed:
            await asyncio.sleep(0.005)
    assert (frames, remembered) == ([], [])


async def test_hello_tells_heads_and_identity(scene: Scene) -> None:
    ada = await scene.open(scene.ada)
    hello = await ada.get("hello")
    assert hello["principal"] == str(scene.ada.id)
    assert set(hello["conversations"]) == {str(scene.channel)}
    ada.close()


async def test_a_sent_message_is_acknowledged_and_seen_by_members_only(scene: Scene) -> None:
    ada, ben, eve = [await scene.open(who) for who in (scene.ada, scene.ben, scene.eve)]
    ada.send(frame="send", ref="1", conversation=str(scene.channel), body="**hi**", client_key="k1")
    ack = await ada.get("ack")
    event = await ben.get("event", lambda f: f["type"] == "message.sent")
    assert ack["message"] == event["data"]["message"]["id"]
    assert ack["sequence"] == event["sequence"]
    assert event["data"]["message"]["html"] == "<p><strong>hi</strong></p>\n"
    ada.send(frame="ping", ref="p")
    await ada.get("pong")
    assert eve.named("event") == []
    for inbox in (ada, ben, eve):
        inbox.close()


async def test_frames_of_one_socket_keep_their_order(scene: Scene) -> None:
    ada, ben = await scene.open(scene.ada), await scene.open(scene.ben)
    for number in range(60):
        body = f"**{number}**" if number % 3 else str(number)
        ada.send(
            frame="send", ref=str(number), conversation=str(scene.channel), body=body, client_key=f"k{number}"
        )
    await ben.until(lambda: len(ben.named("event")) == 60)
    seen = [frame["data"]["message"]["client_key"] for frame in ben.named("event")]
    assert seen == [f"k{number}" for number in range(60)]
    sequences = [frame["sequence"] for frame in ben.named("event")]
    assert sequences == list(range(sequences[0], sequences[0] + 60))
    ada.close(), ben.close()


async def test_repeating_a_frame_stores_once(scene: Scene) -> None:
    ada = await scene.open(scene.ada)
    for ref in ("1", "2"):
        ada.send(frame="send", ref=ref, conversation=str(scene.channel), body="once", client_key="same")
    first = await ada.get("ack", lambda f: f["ref"] == "1")
    second = await ada.get("ack", lambda f: f["ref"] == "2")
    assert first["message"] == second["message"]
    assert second["repeated"]
    assert await scene.do(Message.objects.count) == 1
    ada.close()


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"frame": "nonsense"}, "socket.frame_invalid"),
        ({"frame": "send", "conversation": "x", "body": "a", "client_key": "k"}, "socket.frame_invalid"),
        (
            {"frame": "send", "conversation": str(uuid4()), "body": 5, "client_key": "k"},
            "socket.frame_invalid",
        ),
        (
            {"frame": "send", "conversation": "CHANNEL", "body": "x" * 20_001, "client_key": "k"},
            "chat.message_too_long",
        ),
        (
            {"frame": "send", "conversation": str(uuid4()), "body": "a", "client_key": "k", "to": 1},
            "socket.frame_invalid",
        ),
        (
            {"frame": "send", "conversation": str(uuid4()), "body": "a", "client_key": "k"},
            "chat.conversation_not_found",
        ),
        ({"frame": "send", "conversation": "CHANNEL", "body": " ", "client_key": "k"}, "chat.empty_message"),
        (
            {"frame": "send", "conversation": "CHANNEL", "body": "a\x00", "client_key": "k"},
            "chat.unreadable_text",
        ),
        ({"frame": "read", "conversation": str(uuid4()), "sequence": 1}, "chat.conversation_not_found"),
        ({"frame": "follow", "run": str(uuid4())}, "runs.not_found"),
    ],
)
async def test_a_bad_frame_is_refused_by_code_and_the_socket_lives(
    scene: Scene, frame: dict[str, Any], code: str
) -> None:
    ada = await scene.open(scene.ada)
    if frame.get("conversation") == "CHANNEL":
        frame = {**frame, "conversation": str(scene.channel)}
    ada.send(ref="r", **frame)
    error = await ada.get("error")
    assert (error["ref"], error["code"]) == ("r", code)
    ada.send(frame="ping", ref="p")
    await ada.get("pong")
    assert await scene.do(Message.objects.count) == 0
    ada.close()


async def test_half_a_character_is_refused_and_the_socket_lives(scene: Scene) -> None:
    ada = await scene.open(scene.ada)
    words = (
        f'{{"frame":"send","ref":"r","conversation":"{scene.channel}","client_key":"k","body":"a\\ud800b"}}'
    )
    ada.send_text(words)
    assert (await ada.get("error"))["code"] == "socket.frame_invalid"
    ada.send(frame="ping", ref="p")
    await ada.get("pong")
    assert await scene.do(Message.objects.count) == 0
    ada.close()


async def test_an_outsider_cannot_send_into_a_private_channel(scene: Scene) -> None:
    eve = await scene.open(scene.eve)
    eve.send(frame="send", ref="1", conversation=str(scene.channel), body="let me in", client_key="k")
    assert (await eve.get("error"))["code"] == "chat.conversation_not_found"
    assert await scene.do(Message.objects.count) == 0
    eve.close()


async def test_a_frame_above_the_limit_ends_the_socket_only(scene: Scene) -> None:
    ada, ben = await scene.open(scene.ada), await scene.open(scene.ben)
    ada.send(frame="send", ref="1", conversation=str(scene.channel), body="x" * 70_000, client_key="k")
    await ada.until(lambda: ada.is_closed)
    ben.send(frame="ping", ref="p")
    await ben.get("pong")
    ben.close()


async def test_many_bad_frames_end_the_socket(scene: Scene) -> None:
    ada = await scene.open(scene.ada)
    for number in range(25):
        ada.send(frame="nonsense", ref=str(number))
    await ada.until(lambda: ada.is_closed)


async def test_resume_brings_what_was_missed_in_order(scene: Scene) -> None:
    ada = await scene.open(scene.ada)
    head = (await ada.get("hello"))["conversations"][str(scene.channel)]
    ada.close()
    for number in range(5):
        await scene.do(scene.world.say, sender=scene.ben, conversation=scene.channel, body=str(number))
    again = await scene.open(scene.ada)
    again.send(frame="resume", ref="r", conversations={str(scene.channel): head})
    await again.get("resumed")
    assert [frame["sequence"] for frame in again.named("event")] == list(range(head + 1, head + 6))
    again.close()


async def test_who_comes_back_to_a_process_that_heard_all_asks_no_database(scene: Scene) -> None:
    """Somebody else stayed: what was missed is told from memory, in the words of the log."""
    ada, ben = await scene.open(scene.ada), await scene.open(scene.ben)
    head = (await ada.get("hello"))["conversations"][str(scene.channel)]
    await ben.get("hello")
    ada.close()
    for number in range(5):
        ben.send(
            frame="send",
            ref=str(number),
            conversation=str(scene.channel),
            body=f"**{number}**",
            client_key=str(number),
        )
    await ben.until(lambda: len(ben.named("event")) == 5)
    again = await scene.open(scene.ada)
    before = resumed.labels("memory")._value.get(), resumed.labels("database")._value.get()
    again.send(frame="resume", ref="r", conversations={str(scene.channel): head})
    await again.get("resumed")
    assert (resumed.labels("memory")._value.get(), resumed.labels("database")._value.get()) == (
        before[0] + 1, before[1],
    )  # fmt: skip
    asked = [resuming.Missing(scene.world.organization.pk, {scene.channel: head})]
    [logged] = await resuming.missed(await get_pool(), asked)
    assert [dict(frame) for frame in again.named("event")] == [
        orjson.loads(payload) for payload in logged.payloads[scene.channel]
    ]
    again.close(), ben.close()


async def test_after_something_was_taken_back_the_log_is_asked_what_may_be_told(scene: Scene) -> None:
    ada, ben = await scene.open(scene.ada), await scene.open(scene.ben)
    head = (await ada.get("hello"))["conversations"][str(scene.channel)]
    await ben.get("hello")
    ada.close()
    sent = await scene.do(scene.world.say, sender=scene.ben, conversation=scene.channel, body="Kennwort 4711")
    await ben.get("event", lambda frame: frame["type"] == "message.sent")
    await scene.do(messages.delete_message, principal=scene.ben, message_id=sent.id)
    await ben.get("event", lambda frame: frame["type"] == "message.deleted")
    again = await scene.open(scene.ada)
    before = resumed.labels("database")._value.get()
    again.send(frame="resume", ref="r", conversations={str(scene.channel): head})
    await again.get("resumed")
    assert [frame["type"] for frame in again.named("event")] == ["message.sent", "message.deleted"]
    assert resumed.labels("database")._value.get() == before + 1
    assert "4711" not in str(again.named("event"))
    again.close(), ben.close()


async def test_resume_of_a_foreign_conversation_brings_nothing(scene: Scene) -> None:
    await scene.do(scene.world.say, sender=scene.ben, conversation=scene.channel, body="secret")
    eve = await scene.open(scene.eve)
    eve.send(frame="resume", ref="r", conversations={str(scene.channel): 0})
    await eve.get("resumed")
    assert eve.named("event") == []
    assert eve.named("resync") == [{"frame": "resync", "conversation": str(scene.channel)}]
    eve.close()


async def test_too_far_behind_means_load_again(scene: Scene) -> None:
    def fill() -> None:
        drafts = [
            messages.composing.compose(
                principal=scene.ben, conversation_id=scene.channel, body=str(number), client_key=str(number)
            )
            for number in range(510)
        ]
        messages.send_messages(drafts)

    await scene.do(fill)
    ada = await scene.open(scene.ada)
    ada.send(frame="resume", ref="r", conversations={str(scene.channel): 1})
    await ada.get("resumed")
    assert ada.named("resync") == [{"frame": "resync", "conversation": str(scene.channel)}]
    ada.close()


async def test_removal_ends_delivery_at_once(scene: Scene) -> None:
    ada, ben = await scene.open(scene.ada), await scene.open(scene.ben)
    await scene.do(
        members.remove_person,
        principal=scene.ada,
        conversation_id=scene.channel,
        person_id=scene.ben.id,
    )
    await ben.get("notice", lambda f: f["type"] == "conversation.removed")
    ben.send(frame="ping", ref="p")
    await ben.get("pong")
    count = len(ben.named("event"))
    ada.send(frame="send", ref="1", conversation=str(scene.channel), body="secret", client_key="k")
    await ada.get("ack")
    ben.send(frame="ping", ref="q")
    await ben.get("pong", lambda f: f["ref"] == "q")
    assert [f for f in ben.named("event")[count:] if f["type"] == "message.sent"] == []
    ada.close(), ben.close()


async def test_joining_starts_delivery_without_a_new_socket(scene: Scene) -> None:
    eve = await scene.open(scene.eve)
    await scene.do(
        members.add_people, principal=scene.ada, conversation_id=scene.channel, people=[scene.eve.id]
    )
    await eve.get("notice", lambda f: f["type"] == "conversation.added")
    async with asyncio.timeout(5):
        while not eve.named("event"):
            await scene.do(scene.world.say, sender=scene.ada, conversation=scene.channel, body="welcome")
    eve.close()


async def test_a_revoked_key_closes_its_socket(scene: Scene) -> None:
    ada = await scene.open(scene.ada)

    def revoke() -> None:
        from apps.accounts.selectors.api_keys import list_keys

        (key,) = list_keys(principal=scene.ada)
        api_keys.revoke_key(principal=scene.ada, key_id=key.id)

    await scene.do(revoke)
    await ada.until(lambda: ada.is_closed)


async def test_a_read_marker_reaches_the_other_devices(scene: Scene) -> None:
    phone, laptop = await scene.open(scene.ben), await scene.open(scene.ben)
    sent = await scene.do(scene.world.say, sender=scene.ada, conversation=scene.channel, body="read me")
    phone.send(frame="read", ref="r", conversation=str(scene.channel), sequence=sent.sequence)
    notice = await laptop.get("notice", lambda f: f["type"] == "read.moved")
    assert (notice["data"]["unread"], notice["data"]["last_read_sequence"]) == (0, sent.sequence)
    assert notice["data"]["counted_to"] == sent.sequence
    marked = await phone.get("marked", lambda frame: frame["ref"] == "r")
    assert (marked["conversation"], marked["last_read_sequence"]) == (str(scene.channel), sent.sequence)
    phone.send(frame="read", ref="late", conversation=str(scene.channel), sequence=sent.sequence - 1)
    assert (await phone.get("marked", lambda frame: frame["ref"] == "late"))[
        "last_read_sequence"
    ] == sent.sequence
    later = await scene.do(scene.world.say, sender=scene.ada, conversation=scene.channel, body="and this")
    counted = await scene.do(
        unread.counts_in,
        organization_id=scene.ben.organization_id,
        principal_id=scene.ben.id,
        conversation_id=scene.channel,
    )
    assert (counted.unread, counted.mentions, counted.up_to) == (1, 0, later.sequence)
    phone.close(), laptop.close()


async def test_typing_and_presence_reach_those_who_look(scene: Scene) -> None:
    ada, ben, eve = [await scene.open(who) for who in (scene.ada, scene.ben, scene.eve)]
    ada.send(frame="watch", people=[str(scene.ben.id)])
    shown = await ada.get("ephemeral", lambda f: f["type"] == "presence")
    assert shown["data"] == {str(scene.ben.id): "online"}
    ben.send(frame="typing", conversation=str(scene.channel))
    typing = await ada.get("ephemeral", lambda f: f["type"] == "typing")
    assert typing["data"]["principal"] == str(scene.ben.id)
    ben.close()
    await ada.get("ephemeral", lambda f: f["data"].get(str(scene.ben.id)) == "offline")
    assert eve.named("ephemeral") == []
    ada.close(), eve.close()
