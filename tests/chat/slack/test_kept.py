"""Pinned messages and bookmarks come with an export, once; what no export tells and what stays out is counted."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from apps.accounts.types import Principal
from apps.chat.models import Bookmark, Conversation, ImportNote, Message
from apps.chat.selectors.bookmarks import bookmarks, pinned
from apps.chat.services import bookmarks as bookmark_services
from apps.chat.services import pins as pin_services
from apps.chat.services.members import join
from apps.core.events import consumers
from apps.core.models import Event, Stream
from tests.chat.slack.exports import BEGIN, Export, checked, imported, said, small, ts, user
from tests.chat.test_selectors_messages import apply, snapshot
from tests.chat.world import World


@pytest.fixture
def owner(world: World) -> Principal:
    return world.person("Olga Owner", role="owner")


def pin(second: int, **fields: Any) -> dict[str, Any]:
    return {"id": ts(second), "type": "C", "created": BEGIN + 100, "user": "U2", "owner": "U1", **fields}


def link(pk: str, address: str, title: str = "", **fields: Any) -> dict[str, Any]:
    return {"id": pk, "channel_id": "C1", "title": title, "link": address, "type": "link", **fields}


def with_pins() -> Export:
    export = small()
    export.listings["channels.json"][0]["pins"] = [pin(1), pin(77)]
    export.listings["channels.json"][0]["bookmarks"] = [
        link("Bk1", "https://wiki.example/plan", "Plan"), link("Bk2", "https://www.example.org/x"),
        link("Bk3", "https://wiki.example/plan", "Again"), link("Bk4", "javascript:alert(1)"),
        {"id": "Bk5", "type": "file", "title": "A file", "entity_id": "F1"}, 7,
    ]  # fmt: skip
    info = {"G1": {"pinned_by": "U2", "pinned_ts": BEGIN + 200}}
    export.say("secret", said(31, "U2", "the rule", pinned_to=["G1", "C1"], pinned_info=info))
    return export


def pinned_in(name: str) -> dict[str, datetime | None]:
    rows = Message.objects.filter(conversation__name=name).exclude(pinned_at=None)
    return dict(rows.values_list("body", "pinned_at"))


def test_pins_and_bookmarks_come_along(world: World, owner: Principal) -> None:
    row = imported(owner, with_pins().zipped())
    assert (row.report["pins"], row.report["bookmarks"]) == (2, 2)
    assert (row.result["pins"], row.result["bookmarks"]) == (2, 2)
    (greeting,) = Message.objects.filter(body__startswith="Hello")
    assert pinned_in("general") == {greeting.body: datetime.fromtimestamp(BEGIN + 100, UTC)}
    assert pinned_in("secret") == {"the rule": datetime.fromtimestamp(BEGIN + 200, UTC)}
    general = Conversation.objects.get(name="general")
    assert [one.id for one in pinned(owner, general.pk)] == [greeting.pk]
    assert [(one.title, one.url) for one in bookmarks(owner, general.pk)] == [
        ("Plan", "https://wiki.example/plan"),
        ("www.example.org", "https://www.example.org/x"),
    ]


def test_events_of_pins_name_who_pinned_and_equal_a_fresh_snapshot(world: World, owner: Principal) -> None:
    imported(owner, small().zipped())
    general = Conversation.objects.get(name="general")
    before = snapshot(owner, general.pk)
    head = Stream.objects.get(pk=general.pk).last_sequence
    imported(owner, with_pins().zipped())
    pin_changed = Event.objects.get(type="message.pin_changed", stream_id=general.pk)
    assert pin_changed.actor_id == Message.objects.get(body__startswith="welcome").sender_id
    told = list(consumers.history(stream_id=general.pk, after=head))
    assert [one["type"] for one in told] == ["message.pin_changed", "bookmark.added", "bookmark.added"]
    for one in told:
        apply(before, one)
    assert before == snapshot(owner, general.pk)


def test_what_was_taken_down_here_stays_down_and_what_is_new_there_comes(
    world: World, owner: Principal
) -> None:
    imported(owner, with_pins().zipped())
    general = Conversation.objects.get(name="general")
    join(principal=owner, conversation_id=general.pk)
    (greeting,) = pinned(owner, general.pk)
    pin_services.set_pinned(principal=owner, message_id=greeting.id, is_pinned=False)
    first, second = bookmarks(owner, general.pk)
    bookmark_services.remove_bookmark(principal=owner, conversation_id=general.pk, bookmark_id=first.id)
    again = with_pins()
    again.listings["channels.json"][0]["pins"].append(pin(5))
    again.listings["channels.json"][0]["bookmarks"].append(link("Bk9", "https://new.example/"))
    row = imported(owner, again.zipped())
    assert list(pinned_in("general")) == [Message.objects.get(body__startswith="welcome").body]
    assert [one.url for one in bookmarks(owner, general.pk)] == [second.url, "https://new.example/"]
    assert (row.result["pins"], row.result["bookmarks"]) == (3, 3)


def test_what_cannot_be_pinned_is_told(
    world: World, owner: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pin_services, "MOST_PINS", 1)
    monkeypatch.setattr(bookmark_services, "MOST_BOOKMARKS", 1)
    export = with_pins()
    export.listings["channels.json"][0]["pins"] += [
        pin(5, created=BEGIN + 300),
        {"id": "F1", "type": "F"},
        "x",
    ]
    row = imported(owner, export.zipped())
    assert row.report["notes"]["slack.pin_missing"] == 1
    noted = {code: number for code, number in row.result["notes"].items() if "pin" in code or "book" in code}
    assert noted == {
        "slack.pin_missing": 1, "slack.pin_of_no_message": 2, "slack.too_many_pins": 1,
        "slack.bookmark_refused": 3, "slack.too_many_bookmarks": 1,
    }  # fmt: skip
    assert [body[:7] for body in pinned_in("general")] == ["welcome"]  # the last pinned has the place
    assert Bookmark.objects.count() == 1
    assert ImportNote.objects.get(code="slack.pin_missing", is_check=False).moment == ts(77)


def test_the_same_export_again_pins_nothing_twice(world: World, owner: Principal) -> None:
    imported(owner, with_pins().zipped())
    told = dict(Stream.objects.values_list("pk", "last_sequence"))
    again = imported(owner, with_pins().zipped())
    general = Conversation.objects.get(name="general").pk
    assert Stream.objects.get(pk=general).last_sequence == told[general]
    assert (again.result["pins"], again.result["bookmarks"]) == (2, 2)


def test_the_report_counts_what_stays_out_and_what_the_export_does_not_tell(
    world: World, owner: Principal
) -> None:
    export = small()
    export.users.append(user("U7", "Bo"))
    export.files |= {
        "canvases.json": json.dumps([{"id": "F1"}, {"id": "F2"}]).encode(),
        "integration_logs.json": json.dumps([{"app_id": "A1"}]).encode(),
        "content_flags.json": b"[]",
        "wishes.json": b"[]",
    }
    notes = checked(owner, export.zipped()).report["notes"]
    assert {code: notes.get(code) for code in (
        "slack.canvas", "slack.app_log", "slack.content_flag", "slack.unknown_file", "slack.bookmarks_untold",
    )} == {
        "slack.canvas": 2, "slack.app_log": 1, "slack.content_flag": None, "slack.unknown_file": 1,
        "slack.bookmarks_untold": 2,
    }  # fmt: skip
    assert ImportNote.objects.get(code="slack.unknown_file").place == "wishes.json"
