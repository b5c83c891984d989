"""Pages of messages: what is visible, where they open, what they cost; and snapshot + events = fresh snapshot."""

from __future__ import annotations

import dataclasses
import re
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from apps.accounts.types import Principal
from apps.chat.errors import ConversationNotFound, MessageNotFound
from apps.chat.selectors import pages as selector
from apps.chat.selectors.messages import get_message, mentions_of, revisions
from apps.chat.selectors.pages import message_page, thread_page
from apps.chat.services import (
    acknowledging,
    deleted,
    forwarding,
    messages,
    moderation,
    pins,
    reactions,
    reading,
)
from apps.chat.types import Card, ReportReason, ReportState
from apps.core.events import consumers
from tests.chat.world import World


def bodies(principal: Principal, conversation: UUID, **options: Any) -> list[str]:
    page = message_page(principal=principal, conversation_id=conversation, **options)
    return [message.body for message in page.messages]


def test_a_page_opens_at_the_first_unread_message(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "allgemein", [ben])
    sent = [world.say(ada, channel, str(number)) for number in range(10)]
    reading.move_marker(principal=ben, conversation_id=channel, sequence=sent[5].sequence)
    page = message_page(principal=ben, conversation_id=channel, before=2, after=2)
    assert [message.body for message in page.messages] == ["4", "5", "6", "7"]
    assert page.first_unread == sent[6].id
    assert (page.found_oldest, page.found_newest) == (False, False)


@pytest.mark.parametrize(
    ("anchor", "expected"), [("oldest", ["0", "1"]), ("newest", ["8", "9"]), ("first_unread", ["8", "9"])]
)
def test_a_page_turns_around_its_anchor(world: World, anchor: str, expected: list[str]) -> None:
    ada = world.person("Ada")
    channel = world.channel(ada, "allgemein")
    for number in range(10):
        world.say(ada, channel, str(number))
    assert bodies(ada, channel, anchor=anchor, before=2, after=2) == expected


def test_a_message_as_anchor_is_in_its_page(world: World) -> None:
    ada = world.person("Ada")
    here, there = world.channel(ada, "hier"), world.channel(ada, "dort")
    sent = [world.say(ada, here, str(number)) for number in range(5)]
    assert bodies(ada, here, anchor=sent[2].id, before=1, after=2) == ["1", "2", "3"]
    assert bodies(ada, here, anchor=sent[4].sent_at, before=0, after=1) != []
    for anchor in (uuid4(), world.say(ada, there).id):
        with pytest.raises(MessageNotFound):
            bodies(ada, here, anchor=anchor)


@pytest.mark.parametrize("between", [0, 7])
@pytest.mark.parametrize("anchor", ["oldest", "newest", "first_unread", "message"])
def test_messages_whose_numbers_are_far_apart_are_all_there(
    *, world: World, monkeypatch: pytest.MonkeyPatch, anchor: str, between: int
) -> None:
    """Replies take the numbers between them; a page looks at few numbers first."""
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "allgemein", [ben])
    root = world.say(ada, channel, "0")
    sent = [root]
    for number in range(1, 9):
        for reply in range(between):
            world.say(ada, channel, f"reply {reply}", thread=root.id)
        sent.append(world.say(ada, channel, str(number)))
    reading.move_marker(principal=ben, conversation_id=channel, sequence=sent[4].sequence)
    asked = {"anchor": sent[6].id if anchor == "message" else anchor, "before": 2, "after": 3}
    monkeypatch.setattr(selector, "_REACH", 1)
    page = message_page(principal=ben, conversation_id=channel, **asked)
    monkeypatch.setattr(selector, "_REACH", 1000)
    assert page == message_page(principal=ben, conversation_id=channel, **asked)
    found = {"oldest": "012", "newest": "78", "first_unread": "34567", "message": "45678"}
    assert "".join(message.body for message in page.messages) == found[anchor]
    assert (page.found_oldest, page.found_newest) == (anchor == "oldest", anchor in ("newest", "message"))


def test_replies_live_in_their_thread_and_are_counted_at_its_root(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "allgemein", [ben])
    root = world.say(ada, channel, "root")
    world.say(ben, channel, "one", thread=root.id)
    world.say(ada, channel, "two", thread=root.id)
    (shown,) = message_page(principal=ada, conversation_id=channel).messages
    assert shown.replies is not None
    assert (shown.replies.count, shown.replies.people) == (2, (ben.id, ada.id))
    _, replies = thread_page(principal=ada, message_id=root.id)
    assert [reply.body for reply in replies.messages] == ["one", "two"]


def test_an_outsider_gets_no_page_thread_message_or_history(world: World) -> None:
    ada, eve = world.person("Ada"), world.person("Eve", role="owner")
    secret = world.channel(ada, "geheim", is_private=True)
    sent = world.say(ada, secret, "one")
    messages.edit_message(principal=ada, message_id=sent.id, body="two")
    with pytest.raises(ConversationNotFound):
        message_page(principal=eve, conversation_id=secret)
    for read in (
        lambda: thread_page(principal=eve, message_id=sent.id),
        lambda: get_message(eve, sent.id),
        lambda: revisions(eve, sent.id),
        lambda: reactions.add_reaction(principal=eve, message_id=sent.id, emoji="👍"),
    ):
        with pytest.raises(MessageNotFound):
            read()


def test_mentions_are_listed_newest_first_and_only_where_visible(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "allgemein", [ben])
    world.say(ada, channel, "@ben one")
    world.say(ada, channel, "@ben two")
    assert [message.body for message in mentions_of(ben)] == ["@ben two", "@ben one"]


@pytest.mark.parametrize("rows", [1, 20])
@pytest.mark.parametrize(
    ("is_read", "anchor", "queries"),
    [
        (True, "first_unread", 4),  # standing; messages on both sides; their senders; what belongs to them
        (True, "newest", 4),
        (False, "newest", 5),  # the first unread one
        (False, "first_unread", 5),
        (False, "message", 6),  # where that one stands
    ],
)
def test_a_page_costs_few_queries(
    *, world: World, rows: int, is_read: bool, anchor: Any, queries: int, django_assert_num_queries: Any
) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "allgemein", [ben])
    for number in range(rows):
        sent = world.say(ada, channel, str(number))
        reactions.add_reaction(principal=ada, message_id=sent.id, emoji="👍")
    if is_read:
        reading.move_marker(principal=ben, conversation_id=channel, sequence=sent.sequence + 1)
    wanted = sent.id if anchor == "message" else anchor
    with django_assert_num_queries(queries):
        assert len(message_page(principal=ben, conversation_id=channel, anchor=wanted).messages) == rows


def apply(state: dict[str, Any], event: dict[str, Any]) -> None:
    """What a client does with an event: the same rules as in the page's script."""
    kind, data = event["type"], instants(event["payload"])
    apply_to_topics(state, event)
    if kind in ("message.sent", "message.imported", "message.moved_in"):
        message = data["message"]
        if message["thread"] is None:
            state[message["id"]] = message
        else:
            root = state[message["thread"]]
            replies = root["replies"] or {"count": 0, "people": []}
            people = [person for person in replies["people"] if person != message["sender"]["id"]]
            root["replies"] = {
                "count": replies["count"] + 1,
                "last_at": message["sent_at"],
                "people": [*people, message["sender"]["id"]],
            }
    if kind == "message.erased":
        for message in [state[pk] for pk in data["message_ids"] if pk in state]:
            message.update(
                body="", html="", mentions=[], card=None, attachments=[], client_key=message["id"],
                hidden_at=None, deleted_at=message["deleted_at"] or data["deleted_at"], version=message["version"] + 1,
                sender=data["person"] or message["sender"],
            )  # fmt: skip
    if kind == "message.files_ended":
        for message in [state[pk] for pk in data["message_ids"] if pk in state]:
            message.update(attachments=[], files_ended_at=data["ended_at"], version=message["version"] + 1)
    if kind == "message.restored":
        state[data["message"]["id"]] = data["message"]
    message = state.get(data.get("message_id", ""))
    if message is None:
        return
    if kind == "message.edited":
        message.update({name: data[name] for name in ("body", "html", "version", "mentions", "edited_at")})
    elif kind == "message.card_changed":
        message.update({name: data[name] for name in ("body", "html", "version", "card")})
    elif kind == "message.deleted":
        message.update(
            body="", html="", mentions=[], card=None, attachments=[],
            deleted_at=data["deleted_at"], hidden_at=data["hidden_at"], version=message["version"] + 1,
        )  # fmt: skip
    elif kind == "message.pin_changed":
        message["pinned_at"] = data["pinned_at"]
    elif kind == "message.acknowledged":
        message["acknowledged"].append(data["principal_id"])
    elif kind == "message.acknowledgement_withdrawn":
        message["acknowledged"].remove(data["principal_id"])
    elif kind == "reaction.added":
        found = next((one for one in message["reactions"] if one["emoji"] == data["emoji"]), None)
        if found is None:
            message["reactions"].append({"emoji": data["emoji"], "principals": [data["principal_id"]]})
        else:
            found["principals"].append(data["principal_id"])
    elif kind == "reaction.removed":
        for one in message["reactions"]:
            if one["emoji"] == data["emoji"]:
                one["principals"].remove(data["principal_id"])
        message["reactions"] = [one for one in message["reactions"] if one["principals"]]


def apply_to_topics(state: dict[str, Any], event: dict[str, Any]) -> None:
    """What a client does with an event about topics; a window of a conversation holds no replies."""
    kind, data = event["type"], event["payload"]
    if kind == "message.moved_away":
        for pk in data["message_ids"]:
            state.pop(pk, None)
    if kind == "message.moved":
        for message in state.values():
            source = message["topic"]["id"] if message["topic"] else None
            is_later = source == data["source"] and data["since"] <= message["sequence"] < event["sequence"]
            if message["id"] == data["message_id"] or (data["message_id"] is None and is_later):
                message["topic"] = data["target"]
    if kind == "topic.changed":
        for message in state.values():
            if message["topic"] and message["topic"]["id"] == data["topic_id"]:
                message["topic"] = {"id": data["topic_id"], "name": data["name"]}


def snapshot(principal: Principal, conversation: UUID) -> dict[str, Any]:
    page = message_page(principal=principal, conversation_id=conversation, anchor="newest", before=100)
    shown = [dataclasses.asdict(message) for message in page.messages]
    return {message["id"]: message for message in instants(orjson.loads(orjson.dumps(shown)))}


def instants(value: Any) -> Any:
    """Times in one spelling: PostgreSQL leaves out the last zeros of a second, Python writes them."""
    if isinstance(value, dict):
        return {name: instants(one) for name, one in value.items()}
    if isinstance(value, list):
        return [instants(one) for one in value]
    is_time = isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", value)
    return datetime.fromisoformat(value).isoformat() if is_time else value


def test_snapshot_and_events_equal_a_fresh_snapshot(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "allgemein", [ben])
    first = world.say(ada, channel, "first @ben")
    before, head = snapshot(ada, channel), first.sequence
    second = world.say(ben, channel, "**second**")
    world.say(ada, channel, "reply", thread=first.id)
    world.say(ben, channel, "reply", thread=first.id)
    messages.edit_message(principal=ada, message_id=first.id, body="first @Ada edited")
    for person in (ada, ben):
        reactions.add_reaction(principal=person, message_id=second.id, emoji="👍")
        reactions.add_reaction(principal=person, message_id=first.id, emoji="🎉")
    reactions.remove_reaction(principal=ada, message_id=second.id, emoji="👍")
    reactions.remove_reaction(principal=ben, message_id=second.id, emoji="👍")
    third = world.say(ada, channel, "third @all")
    messages.change_card(
        organization_id=ada.organization_id,
        message_id=third.id,
        card=Card("test.card", "1", {"n": 1}),
        body="card",
    )
    fourth = world.say(ada, channel, "fourth")
    messages.delete_message(principal=ada, message_id=fourth.id)
    fifth = world.say(ada, channel, "fifth @Ben")
    messages.delete_message(principal=ada, message_id=fifth.id)
    deleted.restore_message(principal=ada, message_id=fifth.id)
    moderator = world.person("Mod", role="moderator")
    for number, decision in enumerate((None, ReportState.DISMISSED, ReportState.REMOVED)):
        said = world.say(ada, channel, f"reported @ben {number}")
        report = moderation.report_message(principal=ben, message_id=said.id, reason=ReportReason.SPAM)
        moderation.hide(principal=moderator, report_id=report)
        if decision is not None:
            moderation.decide(principal=moderator, report_id=report, decision=decision)
    urgent = world.say(ada, channel, "urgent", priority="urgent")
    acknowledging.acknowledge(principal=ben, message_id=urgent.id)
    acknowledging.withdraw(principal=ben, message_id=urgent.id)
    acknowledging.acknowledge(principal=ben, message_id=urgent.id)
    pins.set_pinned(principal=ben, message_id=urgent.id, is_pinned=True)
    pins.set_pinned(principal=ben, message_id=first.id, is_pinned=True)
    pins.set_pinned(principal=ben, message_id=first.id, is_pinned=False)
    forwarding.forward_message(
        principal=ben, message_id=first.id, conversation_id=channel, client_key="copy", comment="see @Ada"
    )
    for event in consumers.history(stream_id=channel, after=head):
        apply(before, event)
    assert before == snapshot(ada, channel)


@pytest.mark.parametrize("emoji", ["👍", "👍🏽", "🇩🇪", "1️⃣", "❤️", "👩‍💻", "✅"])
def test_emoji_are_accepted(emoji: str) -> None:
    assert reactions.clean_emoji(emoji) == emoji


@pytest.mark.parametrize("text", ["", "a", "ok", "👍👍", "<b>", "1", "👍 x", "x" * 40])
def test_other_text_is_no_reaction(text: str) -> None:
    with pytest.raises(reactions.UnknownEmoji):
        reactions.clean_emoji(text)
