"""SEC-09, SEC-10, SEC-11: no foreign page opens a socket, no right means no frame, a bad client hurts itself only."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import orjson
import pytest

from apps.accounts.models import User
from apps.accounts.services import handshake
from apps.chat import consumers, entrance
from apps.chat.services import members, streams
from apps.core.http import request_limits
from apps.core.realtime import pace, protocol
from apps.core.services import limits, places
from apps.core.threads import in_thread
from tests.accounts.sessions import open_session
from tests.chat.sockets import serving
from tests.chat.test_consumers import Scene, _build
from tests.security.raw_socket import BINARY, CONTINUED, PING, PONG, TEXT, RawSocket, framed, knock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]
OURS = "http://testserver"
RSV1 = 0x40


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    world, ada, ben, eve, channel, keys = await in_thread(_build)
    async with serving() as url:
        yield Scene(url, world, ada, ben, eve, channel, keys)


@pytest.fixture
def security(settings: Any) -> Callable[..., None]:
    """Change settings of the group, such as `security(frames_per_second=20)`."""

    def change(**values: Any) -> None:
        group = settings.CONFIGURATION.security.model_copy(update=values)
        settings.CONFIGURATION = replace(settings.CONFIGURATION, security=group)

    return change


async def cookie_of(scene: Scene) -> str:
    return "session=" + await in_thread(lambda: open_session(User.objects.get(pk=scene.ada.id)))


async def by_key(scene: Scene, who: Any = None) -> RawSocket:
    """Open a socket of somebody's, past its `hello`."""
    key = scene.keys[(who or scene.ada).id]
    raw = await knock(scene.url, [("Authorization", f"Bearer {key}")])
    assert raw.status == 101
    assert b'"hello"' in await raw.text()
    return raw


async def status_of(scene: Scene, *headers: tuple[str, str]) -> int:
    """Knock, leave and return the status."""
    raw = await knock(scene.url, headers)
    raw.close()
    return raw.status


# --- SEC-09 ---

LOOK_ALIKES: dict[str, list[str]] = {
    "none": [], "empty": [""], "null": ["null"], "evil": ["https://evil.example"],
    "prefix": ["http://testserver.evil.example"], "suffix": ["http://eviltestserver"],
    "https": ["https://testserver"], "other port": ["http://testserver:8080"], "user": ["http://testserver@evil.example"],
    "path": ["http://testserver/"], "case": ["HTTP://TESTSERVER"], "ours last": ["https://evil.example", OURS],
    "ours first": [OURS, "https://evil.example"], "ours twice": [OURS, OURS], "list": [f"{OURS}, https://evil.example"],
    "dot": ["http://testserver."], "nul": ["http://testserver\x00.evil.example"],
}  # fmt: skip


@pytest.mark.parametrize("name", LOOK_ALIKES)
async def test_a_foreign_page_opens_no_socket_with_a_cookie(scene: Scene, name: str) -> None:
    origins = [("Origin", origin) for origin in LOOK_ALIKES[name]]
    raw = await knock(scene.url, [("Cookie", await cookie_of(scene)), *origins])
    assert raw.status in (400, 403)
    raw.close()


async def test_our_own_page_opens_one(scene: Scene) -> None:
    raw = await knock(scene.url, [("Cookie", await cookie_of(scene)), ("Origin", OURS)])
    assert raw.status == 101
    assert b'"hello"' in await raw.text()
    raw.close()


async def test_a_key_with_a_foreign_origin_opens_none_and_without_one_it_does(scene: Scene) -> None:
    key = ("Authorization", f"Bearer {scene.keys[scene.ada.id]}")
    for name in ("evil", "null", "ours last", "ours first"):
        raw = await knock(scene.url, [key, *(("Origin", origin) for origin in LOOK_ALIKES[name])])
        assert raw.status in (400, 403), name
        raw.close()
    (await by_key(scene)).close()


async def test_bite_without_the_check_a_foreign_page_gets_in(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handshake, "_is_own_page", lambda _origins: True)
    raw = await knock(scene.url, [("Cookie", await cookie_of(scene)), ("Origin", "https://evil.example")])
    assert raw.status == 101
    raw.close()


# --- SEC-10 ---


async def test_before_signing_in_there_is_no_socket_to_subscribe_with(scene: Scene) -> None:
    for headers in (
        [],
        [("Cookie", "session=" + "a" * 32), ("Origin", OURS)],
        [("Authorization", "Bearer ck_x")],
    ):
        raw = await knock(scene.url, headers)
        assert raw.status == 401
        raw.close()


NAMES = [
    "*",
    "c:*",
    "conversation.*",
    "../x",
    "c:{channel}",
    "{channel}*",
    "{channel}\x00",
    "{channel} ",
    "?",
    "",
    "%",
]


async def test_no_name_but_an_own_id_subscribes_to_anything(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "BAD_FRAMES_ALLOWED", 1000)
    eve = await scene.open(scene.eve)
    asked = 0
    for name in [*NAMES, "{channel}"]:
        named = name.format(channel=scene.channel)
        for frame in (
            {"frame": "resume", "conversations": {named: 0}},
            {"frame": "watch", "people": [named]},
            {"frame": "follow", "run": named},
            {"frame": "typing", "conversation": named},
        ):
            eve.send(ref=f"r{asked}", **frame)
            asked += 1
    eve.send(frame="ping", ref="last")
    await eve.get("pong", lambda frame: frame["ref"] == "last")
    await scene.do(scene.world.say, sender=scene.ben, conversation=scene.channel, body="geheim")
    ben = await scene.open(scene.ben)
    await scene.do(scene.world.say, sender=scene.ada, conversation=scene.channel, body="auch geheim")
    await ben.get("event")
    eve.send(frame="ping", ref="after")
    await eve.get("pong", lambda frame: frame["ref"] == "after")
    assert eve.named("event") == []
    assert "geheim" not in str(eve.frames)
    ben.close()
    eve.close()


async def test_a_right_that_is_lost_ends_what_was_subscribed(scene: Scene) -> None:
    ben = await scene.open(scene.ben)
    await scene.do(scene.world.say, sender=scene.ada, conversation=scene.channel, body="before")
    await ben.get("event", lambda frame: frame["data"].get("message", {}).get("body") == "before")
    await scene.do(
        members.remove_person, principal=scene.ada, conversation_id=scene.channel, person_id=scene.ben.id
    )
    await scene.do(scene.world.say, sender=scene.ada, conversation=scene.channel, body="after")
    ben.send(frame="resume", ref="r", conversations={str(scene.channel): 0})
    await ben.get("resumed")
    assert not [f for f in ben.named("event") if f["data"].get("message", {}).get("body") == "after"]
    ben.close()


async def test_subscriptions_are_capped(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MOST_FOLLOWED", 3)
    monkeypatch.setattr(streams.frames, "require_visible", lambda *_: None)
    monkeypatch.setattr(streams.frames, "after", lambda **_: [])
    ada = await scene.open(scene.ada)
    for number in range(10):
        ada.send(frame="follow", ref=f"f{number}", run=str(uuid4()))
    await ada.until(lambda: len(ada.named("error")) == 7)
    assert {error["code"] for error in ada.named("error")} == {"chat.too_many_subscriptions"}
    ada.send(frame="resume", ref="r", conversations={str(uuid4()): 0 for _ in range(10_000 // 20)})
    await ada.get("resumed")
    ada.send(frame="resume", ref="many", conversations={str(uuid4()): 0 for _ in range(501)})
    ada.send(frame="watch", ref="people", people=[str(uuid4()) for _ in range(201)])
    for ref in ("many", "people"):
        await ada.get("error", lambda frame, ref=ref: frame["ref"] == ref)
    ada.close()


async def test_bite_a_hub_that_asks_for_no_right_is_noticed(scene: Scene) -> None:
    """The same probe sees a foreign frame when the subscription is made behind the back of the check."""
    eve = await scene.open(scene.eve)
    hub = await consumers.get_hub()
    (socket,) = hub._members[consumers.principal_channel(scene.eve.member_id).encode()]
    await hub.join([consumers.conversation_channel(scene.channel)], socket)
    await scene.do(scene.world.say, sender=scene.ben, conversation=scene.channel, body="geheim")
    await eve.get("event")
    eve.close()


# --- SEC-11 ---

MiB = 1 << 20
ATTACKS: dict[str, tuple[list[bytes], set[int]]] = {
    "a frame of 2 MiB": ([framed(b"x" * (2 * MiB))], {1009}),
    "a head that announces 1 TiB": ([b"\x81\xff" + (1 << 40).to_bytes(8, "big") + b"\0\0\0\0"], {1009}),
    "endless fragments": ([framed(b"x" * 1000, fin=False), *[framed(b"x" * 1000, CONTINUED, fin=False)] * 100], {1009}),
    "endless empty fragments": ([framed(b"", fin=False), *[framed(b"", CONTINUED, fin=False)] * 2000], {1008}),
    "bad UTF-8": ([framed(b"\xff\xfe\xfd")], {1007}),
    "half a character": ([framed(b'"\xc3', fin=False), framed(b'"', CONTINUED)], {1007}),
    "a flood of pings": ([framed(b"p", PING)] * 2000, {1008}),
    "a flood of pongs": ([framed(b"p", PONG)] * 2000, {1008}),
    "a compressed bomb nobody agreed to": ([framed(b"\x00" * 100, TEXT, rsv=RSV1)], {1002}),
    "ten thousand tiny frames": ([framed(b"{}")] * 10_000, {1008, 4400}),
    "ten thousand tiny valid frames": ([framed(b'{"frame":"ping"}')] * 10_000, {1008}),
    "an unknown opcode": ([framed(b"x", 3)], {1002}),
    "an unmasked frame": ([b"\x81\x02{}"], {1002}),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
async def test_a_bad_client_is_closed_and_others_go_on(scene: Scene, attack: str) -> None:
    said, codes = ATTACKS[attack]
    ben, bad = await scene.open(scene.ben), await by_key(scene)
    bad.write(b"".join(said))
    assert await bad.closed_with() in codes
    ben.send(
        frame="send", ref="1", conversation=str(scene.channel), body="still here", client_key=uuid4().hex
    )
    await ben.get("ack")
    bad.close()
    ben.close()


async def test_frames_within_the_rate_are_answered(scene: Scene) -> None:
    ada = await by_key(scene)
    for opcode in (TEXT, BINARY):
        ada.write(framed(b'{"frame":"ping","ref":"a"}', opcode) * 100)
    assert {await ada.text() for _ in range(200)} == {b'{"frame":"pong","ref":"a"}'}
    ada.write(framed(b"p", PING) * 20)
    ada.write(framed(b'{"frame":"ping","ref":"b"}'))
    assert await ada.text() == b'{"frame":"pong","ref":"b"}'
    ada.close()


async def test_readers_that_never_read_are_dropped_and_keep_little(
    scene: Scene, security: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each asks without reading a word; what waits for it is bounded, then it goes."""
    security(frames_per_second=100_000)
    monkeypatch.setattr(protocol, "UNSENT_LIMIT_BYTES", 64 * 1024)
    ben, silent = await scene.open(scene.ben), [await by_key(scene) for _ in range(3)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # One question, five hundred frames of answers: the buffers of the system take some megabytes of them.
    unknown = {str(uuid4()): 0 for _ in range(500)}
    question = framed(orjson.dumps({"frame": "resume", "conversations": unknown}))
    for _ in range(300):
        for reader in silent:
            reader.write(question)
            await reader.drain()
        if sum(entrance._open.values()) == 1:
            break
    ben.send(frame="ping", ref="alive")
    await ben.get("pong")
    await ben.until(lambda: sum(entrance._open.values()) == 1)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 * 1024
    ben.close()


async def test_pings_whose_answers_nobody_reads_end_the_socket(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "CONTROL_AT_ONCE", 10**9)
    monkeypatch.setattr(protocol, "UNSENT_LIMIT_BYTES", 64 * 1024)
    bad = await by_key(scene)
    for _ in range(100):
        bad.write(framed(b"p" * 125, PING) * 1000)
        await asyncio.sleep(0)
    assert await bad.closed_with() == 1006
    bad.close()


async def test_a_person_has_so_many_sockets_over_all_processes(
    scene: Scene, security: Callable[..., None]
) -> None:
    security(sockets_per_principal=3)
    held = [await by_key(scene) for _ in range(3)]
    key = ("Authorization", f"Bearer {scene.keys[scene.ada.id]}")
    assert await status_of(scene, key) == 429
    (await by_key(scene, scene.ben)).close()
    entrance._open[scene.ada.id] = 0  # as in another process: its own count is empty, the common one is not
    assert await status_of(scene, key) == 429
    entrance._open[scene.ada.id] = 3
    held.pop().close()

    async with asyncio.timeout(8):
        while await status_of(scene, key) != 101:
            await asyncio.sleep(0.05)
    for raw in held:
        raw.close()


async def test_messages_of_a_person_count_over_all_sockets(
    scene: Scene, security: Callable[..., None]
) -> None:
    security(message_burst=20, messages_per_minute=1)
    first, second = await scene.open(scene.ada), await scene.open(scene.ada)
    # An even number each: a purse takes two tokens at once, and would keep the last of an odd number unspent.
    for number in range(32):
        who = first if number % 2 else second
        who.send(
            frame="send", ref=str(number), conversation=str(scene.channel), body="x", client_key=uuid4().hex
        )
    await first.until(lambda: sum(len(w.named("ack")) + len(w.named("error")) for w in (first, second)) == 32)
    assert sum(len(who.named("ack")) for who in (first, second)) == 20
    errors = [*first.named("error"), *second.named("error")]
    assert {error["code"] for error in errors} == {"core.rate_limited"}
    assert all(error["retry_after_seconds"] >= 1 for error in errors)
    first.close()
    second.close()


async def test_guessing_keys_at_the_socket_counts_with_guessing_at_the_api(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_limits, "FAILURES_PER_MINUTE", 5)
    request_limits.forget()
    statuses = [await status_of(scene, ("Authorization", f"Bearer ck_{number}")) for number in range(8)]
    assert statuses == [401] * 6 + [429] * 2
    with pytest.raises(limits.TooManyRequests):
        request_limits.require_patience("127.0.0.1")
    key = ("Authorization", f"Bearer {scene.keys[scene.ada.id]}")
    assert await status_of(scene, key) == 429  # the network waits, whatever it shows
    request_limits.forget()
    assert await status_of(scene, key) == 101


async def test_bite_without_the_count_a_flood_goes_on(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace.Pace, "is_exceeded", lambda _self: False)
    monkeypatch.setattr(consumers.ClientConsumer, "reply", lambda _self, _frame: None)
    bad = await by_key_silently(scene)
    bad.write(framed(b'{"frame":"ping"}') * 5000)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2):
            await bad.closed_with()
    bad.close()


async def by_key_silently(scene: Scene) -> RawSocket:
    return await knock(scene.url, [("Authorization", f"Bearer {scene.keys[scene.ada.id]}")])


async def test_bite_without_places_another_process_lets_more_in(
    scene: Scene, security: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    security(sockets_per_principal=1)
    monkeypatch.setattr(places, "take_each", lambda asked: [True] * len(asked))
    held = await by_key(scene)
    entrance._open[scene.ada.id] = 0
    more = await by_key_silently(scene)
    assert more.status == 101
    entrance._open[scene.ada.id] = 2
    for raw in (held, more):
        raw.close()
