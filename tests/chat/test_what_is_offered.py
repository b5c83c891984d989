"""Pages offer what the service allows, name a bounded number of people, and ask before something is gone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.chat.models import Reminder
from apps.chat.selectors.bookmarks import pinned
from apps.chat.services import acknowledging, conversations, pins, polls, reminders
from apps.chat.services.messages import delete_message
from apps.chat.views import keeping
from tests.chat.test_pages import Reader
from tests.chat.world import World


@pytest.fixture
def ada(world: World) -> Reader:
    return Reader(world.person("Ada"))


def is_closed(reader: Reader, channel) -> bool:
    page = reader.page(reader.url("conversation", conversation_id=channel))
    (stream,) = page.find_class("stream")
    return stream.get("data-closed") is not None


def test_a_window_says_where_one_only_reads(world: World, ada: Reader) -> None:
    channel = world.channel(ada.person, "werft")
    stranger = Reader(world.person("Ben"))
    assert not is_closed(ada, channel)
    assert is_closed(stranger, channel)
    conversations.update_conversation(principal=ada.person, conversation_id=channel, is_archived=True)
    assert is_closed(ada, channel)


def test_a_deleted_message_takes_no_room_among_the_pins(
    world: World, ada: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pins, "MOST_PINS", 1)
    channel = world.channel(ada.person, "werft")
    first, second = world.say(ada.person, channel, "one"), world.say(ada.person, channel, "two")
    pins.set_pinned(principal=ada.person, message_id=first.id, is_pinned=True)
    delete_message(principal=ada.person, message_id=first.id)
    pins.set_pinned(principal=ada.person, message_id=second.id, is_pinned=True)
    assert [one.id for one in pinned(ada.person, channel)] == [second.id]


def test_who_has_seen_a_message_is_listed_up_to_a_limit(
    world: World, ada: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "MOST_LISTED", 2)
    others = [world.person(name) for name in ("Ben", "Cem", "Dana", "Edda", "Finn", "Gesa", "Hans")]
    channel = world.channel(ada.person, "werft", others)
    sent = world.say(ada.person, channel, "Storm", priority="important")
    for person in others[:3]:
        acknowledging.acknowledge(principal=person, message_id=sent.id)
    page = ada.page(ada.url("acknowledge", conversation_id=channel, message_id=sent.id))
    seen, missing = page.xpath("//main//section")
    assert "Seen by 3 people" in seen.text_content()
    assert "and 1 more person" in seen.text_content()
    assert "and 2 more people" in missing.text_content()
    assert [len(part.xpath(".//li")) for part in (seen, missing)] == [2, 2]


def test_a_poll_names_the_first_voters_and_how_many_more(
    world: World, ada: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polls, "MOST_NAMED", 2)
    others = [world.person(name) for name in ("Ben", "Cem", "Dana", "Edda")]
    channel = world.channel(ada.person, "werft", others)
    poll = polls.NewPoll(question="When?", options=["Monday", "Tuesday"])
    asked = polls.create_poll(principal=ada.person, conversation_id=channel, poll=poll, client_key="k")
    for person, option in zip(others, (0, 0, 0, 1), strict=True):
        polls.vote(principal=person, message_id=asked.id, options=[option])
    page = ada.page(ada.url("conversation", conversation_id=channel))
    titles = [option.get("title") for option in page.find_class("poll__option")]
    assert titles == ["Ben, Cem and 1 more", "Edda"]


def test_a_reminder_is_forgotten_after_a_question(world: World, ada: Reader) -> None:
    reminders.remind(principal=ada.person, due_at=timezone.now() + timedelta(days=1), note="Paint the hull")
    (link,) = ada.page(ada.url("reminders")).xpath("//a[text()='Delete']")
    asked = ada.page(link.get("href"))
    assert "Paint the hull" in asked.text_content()
    assert Reminder.objects.exists()
    assert ada.client.post(link.get("href")).status_code == 302
    assert not Reminder.objects.exists()
