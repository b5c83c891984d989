"""Pins, saved messages, bookmarks, forwarded copies, acknowledgements."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
import time_machine
from django.utils import timezone

from apps.accounts.types import Principal
from apps.chat import cards
from apps.chat.errors import (
    AddressInvalid,
    AttachmentNotFound,
    ConversationNotFound,
    MessageNotFound,
    MessageTooLong,
    NotAMember,
    NotEditable,
    NothingToAcknowledge,
    TooLateToWithdraw,
    TooManyBookmarks,
    TooManyPins,
)
from apps.chat.models import Bookmark, Forward, Mention, Message, SavedMessage
from apps.chat.selectors import bookmarks as kept
from apps.chat.selectors.messages import get_message
from apps.chat.selectors.saved import saved
from apps.chat.services import acknowledging, bookmarks, erasing_kept, forwarding, members, messages, pins
from apps.chat.services.saved import set_saved
from apps.chat.types import BODY_LIMIT
from apps.core.api.paging import Position
from apps.core.data_subjects import Person
from apps.core.models import Event
from tests.chat.test_api import caller_of
from tests.chat.test_pages import Reader
from tests.chat.world import World


@pytest.fixture
def ada(world: World) -> Principal:
    return world.person("Ada")


@pytest.fixture
def ben(world: World) -> Principal:
    return world.person("Ben")


@pytest.fixture
def channel(world: World, ada: Principal, ben: Principal) -> UUID:
    return world.channel(ada, "allgemein", [ben])


def test_every_member_pins_and_the_list_shows_the_last_first(
    world: World, ada: Principal, ben: Principal, channel: UUID
) -> None:
    first, second = world.say(ada, channel, "first"), world.say(ada, channel, "second")
    for message in (second, first, first):
        pins.set_pinned(principal=ben, message_id=message.id, is_pinned=True)
    assert [view.body for view in kept.pinned(ada, channel)] == ["first", "second"]
    pins.set_pinned(principal=ada, message_id=first.id, is_pinned=False)
    assert [view.body for view in kept.pinned(ada, channel)] == ["second"]
    assert Event.objects.filter(type="message.pin_changed").count() == 3
    messages.delete_message(principal=ada, message_id=second.id)
    assert kept.pinned(ada, channel) == []


def test_outsiders_pin_nothing_and_there_is_a_limit(
    world: World, ada: Principal, channel: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    eve = world.person("Eve")
    sent = world.say(ada, channel)
    secret = world.say(ada, world.channel(ada, "geheim", is_private=True))
    with pytest.raises(NotAMember):
        pins.set_pinned(principal=eve, message_id=sent.id, is_pinned=True)
    with pytest.raises(MessageNotFound):
        pins.set_pinned(principal=eve, message_id=secret.id, is_pinned=True)
    monkeypatch.setattr(pins, "MOST_PINS", 1)
    pins.set_pinned(principal=ada, message_id=sent.id, is_pinned=True)
    with pytest.raises(TooManyPins):
        pins.set_pinned(principal=ada, message_id=world.say(ada, channel).id, is_pinned=True)
    assert Message.objects.exclude(pinned_at=None).count() == 1


def test_saved_messages_are_ones_own_and_go_with_the_access(
    world: World, ada: Principal, ben: Principal
) -> None:
    secret = world.channel(ada, "geheim", [ben], is_private=True)
    sent = world.say(ada, secret, "keep me")
    for _ in range(2):
        set_saved(principal=ben, message_id=sent.id, is_saved=True)
    assert [one.message.body for one in saved(ben, position=Position(), limit=9).rows] == ["keep me"]
    assert saved(ada, position=Position(), limit=9).rows == []
    assert Event.objects.filter(stream_id=ben.member_id, type="message.saved_changed").count() == 1
    with pytest.raises(MessageNotFound):
        set_saved(principal=world.person("Eve"), message_id=sent.id, is_saved=True)
    members.remove_person(principal=ada, conversation_id=secret, person_id=ben.id)
    assert saved(ben, position=Position(), limit=9).rows == []
    assert SavedMessage.objects.count() == 1


@pytest.mark.parametrize(
    "url", ["", "ftp://a.example", "javascript:alert(1)", "https://", "https://a b", "//a.example"]
)
def test_a_bookmark_leads_to_a_web_address(ada: Principal, channel: UUID, url: str) -> None:
    with pytest.raises(AddressInvalid):
        bookmarks.add_link(principal=ada, conversation_id=channel, url=url)
    assert not Bookmark.objects.exists()


def test_bookmarks_are_everyones_and_events_lead_from_one_list_to_the_next(
    world: World, ada: Principal, ben: Principal, channel: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = bookmarks.add_link(principal=ada, conversation_id=channel, url="https://a.example/x", title="A")
    before = kept.bookmarks(ben, channel)
    head = Event.objects.filter(stream_id=channel).count()
    bookmarks.add_link(principal=ben, conversation_id=channel, url="https://b.example/")
    bookmarks.remove_bookmark(principal=ben, conversation_id=channel, bookmark_id=first)
    state = {str(one.id): one.title for one in before}
    for event in Event.objects.filter(stream_id=channel).order_by("sequence")[head:]:
        if event.type == "bookmark.added":
            state[event.payload["bookmark"]["id"]] = event.payload["bookmark"]["title"]
        else:
            del state[event.payload["bookmark_id"]]
    assert state == {str(one.id): one.title for one in kept.bookmarks(ada, channel)}
    assert list(state.values()) == ["b.example"]
    monkeypatch.setattr(bookmarks, "MOST_BOOKMARKS", 1)
    with pytest.raises(TooManyBookmarks):
        bookmarks.add_link(principal=ada, conversation_id=channel, url="https://c.example/")
    with pytest.raises(AttachmentNotFound):
        bookmarks.add_file(principal=ada, conversation_id=channel, file_id=channel, title="x")


def test_a_copy_shows_the_words_and_leads_back_only_those_who_see_the_original(
    world: World, ada: Principal, ben: Principal
) -> None:
    secret = world.channel(ada, "geheim", is_private=True)
    target = world.channel(ada, "offen", [ben])
    source = world.say(ada, secret, "the **plan** for @Ben")
    sent = forwarding.forward_message(
        principal=ada, message_id=source.id, conversation_id=target, client_key="k", comment="look @Ben"
    )
    again = forwarding.forward_message(
        principal=ada, message_id=source.id, conversation_id=target, client_key="k", comment="look @Ben"
    )
    copy = get_message(ben, sent.id)
    assert (again.repeated, Forward.objects.count()) == (True, 1)
    assert copy.card is not None
    shown = {person.name: cards.forwarded(person, {**vars(copy.card)}) for person in (ada, ben)}
    assert "<strong>plan</strong>" in str(shown["Ben"]["html"])
    assert shown["Ben"]["source_link"] == ""
    assert str(secret) in shown["Ada"]["source_link"]
    assert "geheim" not in str(shown["Ben"])
    assert list(Mention.objects.filter(message_id=sent.id).values_list("principal_id", flat=True)) == [ben.id]
    assert copy.html.count('class="mention"') == 1  # the comment's; the quoted one calls nobody
    with pytest.raises(NotEditable):
        messages.edit_message(principal=ada, message_id=sent.id, body="other")


@pytest.mark.parametrize("comment", ["", "Please read"])
def test_a_long_message_is_forwarded_with_all_its_words(
    ada: Principal, channel: UUID, world: World, comment: str
) -> None:
    words = ("line 0 of a long message\n" * BODY_LIMIT)[: BODY_LIMIT - 1].strip()
    source = world.say(ada, channel, words)
    sent = forwarding.forward_message(
        principal=ada, message_id=source.id, conversation_id=channel, client_key="copy", comment=comment
    )
    copy = Message.objects.get(pk=sent.id)
    assert len(copy.body) <= BODY_LIMIT
    assert copy.body.startswith(f"{comment}\n\n> line 0 of" if comment else "> line 0 of")
    assert copy.body.endswith("its card holds all of it.)")
    assert copy.card is not None
    assert copy.card["data"]["html"] == Message.objects.get(pk=source.id).html


def test_a_comment_that_leaves_no_room_is_refused(ada: Principal, channel: UUID, world: World) -> None:
    source = world.say(ada, channel, "some words")
    with pytest.raises(MessageTooLong):
        forwarding.forward_message(
            principal=ada, message_id=source.id, conversation_id=channel, client_key="copy",
            comment="x" * (BODY_LIMIT - 3),
        )  # fmt: skip
    assert Message.objects.count() == 1


def test_nobody_forwards_what_it_does_not_see_or_to_where_it_is_not(
    world: World, ada: Principal, ben: Principal, channel: UUID
) -> None:
    secret = world.channel(ada, "geheim", is_private=True)
    source = world.say(ada, secret, "secret")
    with pytest.raises(MessageNotFound):
        forwarding.forward_message(
            principal=ben, message_id=source.id, conversation_id=channel, client_key="k"
        )
    with pytest.raises(ConversationNotFound):
        forwarding.forward_message(
            principal=ben, message_id=world.say(ada, channel).id, conversation_id=secret, client_key="k"
        )
    assert not Forward.objects.exists()
    assert Message.objects.count() == 2


def test_erasing_the_author_empties_the_copies_and_leaves_the_comment(
    world: World, ada: Principal, ben: Principal, channel: UUID
) -> None:
    source = world.say(ben, channel, "words of ben")
    sent = forwarding.forward_message(
        principal=ada, message_id=source.id, conversation_id=channel, client_key="k", comment="so true"
    )
    person = Person(
        organization_id=ben.organization_id, id=ben.id, member_id=ben.member_id, name=ben.name, email="",
        placeholder_id=ada.id, placeholder_member_id=ada.member_id, leaves_for_good=False,
    )  # fmt: skip
    erasing_kept.erase_copies_of(person, None)
    copy = get_message(ada, sent.id)
    assert (copy.body, copy.card) == ("so true", None)
    assert "words" not in str(Event.objects.get(stream_id=channel, sequence=sent.sequence).payload)


def test_important_messages_are_acknowledged_and_that_is_taken_back_for_five_minutes(
    world: World, ada: Principal, ben: Principal, channel: UUID
) -> None:
    plain, urgent = world.say(ada, channel), world.say(ada, channel, priority="urgent")
    for message in (plain, urgent):
        who = ben if message is plain else ada
        with pytest.raises(NothingToAcknowledge):
            acknowledging.acknowledge(principal=who, message_id=message.id)
    for _ in range(2):
        acknowledging.acknowledge(principal=ben, message_id=urgent.id)
    assert get_message(ada, urgent.id).acknowledged == (ben.id,)
    with (
        time_machine.travel(timezone.now() + timedelta(minutes=6), tick=False),
        pytest.raises(TooLateToWithdraw),
    ):
        acknowledging.withdraw(principal=ben, message_id=urgent.id)
    acknowledging.withdraw(principal=ben, message_id=urgent.id)
    assert get_message(ada, urgent.id).acknowledged == ()
    assert Event.objects.filter(type="message.acknowledged").count() == 1


def test_the_api_keeps_and_lists(world: World, ada: Principal, ben: Principal, channel: UUID) -> None:
    sent = world.say(ben, channel, "hello", priority="important")
    client, one = caller_of(ada), f"/api/v1/messages/{sent.id}/"
    here = f"/api/v1/conversations/{channel}/"
    for path, body in (
        ("pin/", {"is_pinned": True}),
        ("saved/", {"is_saved": True}),
        ("acknowledgement/", {}),
    ):
        assert client.put(f"{one}{path}", body, "application/json").status_code == 204
    assert [found["id"] for found in client.get(f"{here}pins/").json()["results"]] == [str(sent.id)]
    assert [found["message"]["id"] for found in client.get("/api/v1/saved/").json()["results"]] == [
        str(sent.id)
    ]
    assert client.get(one).json()["acknowledged"] == [str(ada.id)]
    assert client.delete(f"{one}acknowledgement/").status_code == 204
    made = client.post(f"{here}bookmarks/", {"url": "https://a.example/", "title": "A"}, "application/json")
    assert [found["title"] for found in client.get(f"{here}bookmarks/").json()["results"]] == ["A"]
    assert client.delete(f"{here}bookmarks/{made.json()['id']}/").status_code == 204
    copied = client.post(
        f"{one}forward/", {"conversation": str(channel), "client_key": "c"}, "application/json"
    )
    assert copied.status_code == 201
    assert client.get(f"/api/v1/messages/{copied.json()['id']}/").json()["card"]["type"] == "chat.forwarded"


def test_the_menu_knows_what_is_saved(world: World) -> None:
    ada, ben = Reader(world.person("Ada")), Reader(world.person("Ben"))
    channel = world.channel(ada.person, "werft", [ben.person])
    which = {"conversation_id": channel, "message_id": world.say(ada.person, channel, "keep me").id}
    address = ada.url("save", **which)
    assert ada.client.get(address).json() == {"is_saved": False}
    assert "Save for me" in ada.page(ada.url("actions", **which)).text_content()
    ada.client.post(address, {"is_saved": "1"})
    assert ada.client.get(address).json() == {"is_saved": True}
    assert ben.client.get(address).json() == {"is_saved": False}
    page = ada.page(ada.url("actions", **which))
    assert "Take out of saved" in page.text_content()
    (form,) = [one for one in page.forms if one.get("id") == "post-save"]
    ada.client.post(address, dict(form.form_values()))
    assert ada.client.get(address).json() == {"is_saved": False}
