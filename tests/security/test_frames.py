"""The socket's doors: every frame a client may send, with foreign ids and with garbage (SEC-01, SEC-02, SEC-25)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connections

from apps.accounts.services import tokens
from apps.chat.frames import FRAMES, _Frame
from apps.chat.services import messages, reading
from apps.core import tenancy
from apps.core.threads import in_thread
from tests.chat.sockets import Inbox, serving
from tests.factories.accounts import principal_of
from tests.security.crawling import changed, fingerprint, nothing
from tests.security.realm import Realm, forget_limits
from tests.security.sizes import by_size, note
from tests.security.test_references import neighbour

pytestmark = [pytest.mark.timeout(300), pytest.mark.enable_socket]
# What a valid frame holds; a field that is not named here keeps its default.
WHOLE: dict[str, dict[str, Any]] = {
    "send": {"conversation": "conversation_id", "body": "hi", "client_key": "k"},
    "resume": {"conversations": {}},
    "read": {"conversation": "conversation_id", "sequence": 1},
    "typing": {"conversation": "conversation_id"},
    "watch": {"people": []},
    "follow": {"run": "run_id"},
    "unfollow": {"run": "run_id"},
    "ping": {},
}
GARBAGE: list[Any] = [
    None, True, -1, (1 << 63) - 1, 1e308, "", "\x00", "x" * 3000, [], {}, [[]], {"a": 1}, "../..", "\u202e",
    ["x"] * 600, {str(number): 1 for number in range(600)},
]  # fmt: skip


def id_fields(model: type[_Frame]) -> Iterator[tuple[str, str]]:
    """Yield the fields of a frame that take ids, and how: one, many, or as keys."""
    for name, schema in model.model_json_schema().get("properties", {}).items():
        parts = [schema, *schema.get("anyOf", [])]
        if any(part.get("format") == "uuid" for part in parts):
            yield name, "one"
        elif any(part.get("items", {}).get("format") == "uuid" for part in parts):
            yield name, "many"
        elif any(part.get("type") == "object" for part in parts):
            yield name, "keys"


def frame_of(name: str, own: Realm) -> dict[str, Any]:
    return {
        "frame": name,
        **{
            key: str(own.ids[value]) if str(value).endswith("_id") else value
            for key, value in WHOLE[name].items()
        },
        **({"client_key": uuid4().hex} if name == "send" else {}),
    }


def attacks(own: Realm, realm: Realm) -> Iterator[dict[str, Any]]:
    """Yield every frame with every id field holding a foreign id."""
    foreign = [value for name, value in realm.ids.items() if isinstance(value, UUID) and " " not in name]
    private = [
        realm.ids[name] for name in ("conversation_id", "message_id", "file_id", "document_id", "run_id")
    ]
    chosen = private if own.organization == realm.organization else foreign
    for name, model in FRAMES.items():
        for field, how in id_fields(model):
            values = [v for v in chosen if not (name == "watch" and own.organization == realm.organization)]
            for value in values:
                one = str(value)
                yield {**frame_of(name, own), field: {"one": one, "many": [one], "keys": {one: 0}}[how]}


async def opened(url: str, realm: Realm) -> Inbox:
    issued = await in_thread(
        tokens.open_family, principal=await in_thread(principal_of, realm.owner), name="crawler"
    )
    return await Inbox().open(url, {"Authorization": f"Bearer {issued.access_token}"})


async def settled(inbox: Inbox) -> None:
    """Return when everything sent so far was answered."""
    ref = uuid4().hex
    inbox.send(frame="ping", ref=ref)
    await inbox.get("pong", lambda frame: frame["ref"] == ref)
    ref = uuid4().hex
    inbox.send(frame="resume", conversations={}, ref=ref)
    await inbox.get("resumed", lambda frame: frame["ref"] == ref)


def test_every_frame_is_known_here() -> None:
    assert set(WHOLE) == set(FRAMES), "a new frame: say what a valid one holds"


@pytest.mark.parametrize("who", ["foreign", "neighbour"])
async def test_no_frame_reaches_what_is_not_yours(realm: Realm, elsewhere: Realm, who: str) -> None:
    own = elsewhere if who == "foreign" else await in_thread(neighbour, realm)
    before, acks, leaks, count = await in_thread(fingerprint, realm), [], [], 0
    async with serving() as url:
        inbox = await opened(url, own)
        for frame in attacks(own, realm):
            if count % 8 == 7:  # a socket that asks for too much is not listened to
                leaks += [said for said in map(json.dumps, inbox.frames) if realm.word in said]
                inbox.close()
                await in_thread(forget_limits)
                inbox = await opened(url, own)
            count += 1
            ref = f"attack-{count}"
            inbox.send(**frame, ref=ref)
            await settled(inbox)
            acks += [
                f"{frame} -> {said}"
                for said in inbox.frames
                if said.get("ref") == ref and said["frame"] == "ack"
            ]
        leaks += [said for said in map(json.dumps, inbox.frames) if realm.word in said]
        listener = await opened(url, own)
        for frame in attacks(own, realm):
            if frame["frame"] in ("resume", "typing", "follow", "watch", "read"):
                listener.send(**frame, ref="listen")
        await settled(listener)
        after = await in_thread(fingerprint, realm)
        mine = await opened(url, realm)
        await in_thread(say_something, realm)
        await mine.get(
            "event", lambda frame: realm.word in json.dumps(frame)
        )  # the control: who may, hears it
        await settled(listener)
        leaks += [said for said in map(json.dumps, listener.frames) if realm.word in said]
        mine.close(), listener.close(), inbox.close()
    effects = changed(before, after) if own.organization != realm.organization else []
    for name, found in (("acks", acks), ("leaks", leaks), ("effects", effects)):
        note(f"sec02.frames_{who}.{name}", len(found))
    await in_thread(connections.close_all)
    assert count > 15
    assert acks == leaks == effects == []


def say_something(realm: Realm) -> None:
    with tenancy.use(realm.organization.pk):
        messages.send_message(
            principal=realm.acting, conversation_id=realm.ids["conversation_id"],
            body=f"live {realm.word}", client_key=uuid4().hex,
        )  # fmt: skip
        reading.move_marker(
            principal=realm.acting, conversation_id=realm.ids["conversation_id"], sequence=1, back=True
        )


async def test_no_frame_of_garbage_breaks_the_socket(realm: Realm) -> None:
    """Each wrong field is answered with an error; a socket that sent too many of them is closed, the next one opens."""
    broken, count, inbox = [], 0, None
    async with serving() as url:
        for name, model in FRAMES.items():
            for field in model.model_fields:
                for value in GARBAGE[:: by_size(quick=3, standard=1, full=1)]:
                    if inbox is None or count % 8 == 0:
                        if inbox is not None:
                            inbox.close()
                        inbox = await opened(url, realm)
                    count += 1
                    inbox.send(**{**frame_of(name, realm), "ref": f"g{count}", field: value})
                    ref = uuid4().hex
                    inbox.send(frame="ping", ref=ref)
                    await inbox.until(
                        lambda ref=ref, box=inbox: (
                            box.is_closed or any(f.get("ref") == ref for f in box.frames)
                        )
                    )  # type: ignore[misc]
                    if inbox.is_closed:
                        broken.append(f"{name}.{field}={str(value)[:40]}")
                        inbox = None
        if inbox is not None:
            inbox.close()
    note("sec25.frames_broken", len(broken))
    await in_thread(connections.close_all)
    assert count > 50
    nothing(broken)
