"""Deleting with a restore window: what comes back, who may, and when it is gone for good."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.utils import timezone

from apps.accounts.types import Principal
from apps.chat.errors import MessageNotFound, NotRestorable
from apps.chat.models import DeletedMessage, Mention, Message, MessageRevision
from apps.chat.selectors import deleted as selectors
from apps.chat.selectors.messages import get_message
from apps.chat.services import deleted, messages
from apps.core.models import AuditEntry, Event
from tests.chat.test_api import caller_of
from tests.chat.world import World
from tests.walls import everywhere


@pytest.fixture
def ada(world: World) -> Principal:
    return world.person("Ada")


@pytest.fixture
def ben(world: World) -> Principal:
    return world.person("Ben")


@pytest.fixture
def channel(world: World, ada: Principal, ben: Principal) -> UUID:
    return world.channel(ada, "allgemein", [ben])


@pytest.fixture
def moderator(world: World) -> Principal:
    return world.person("Mona", role="moderator")


def make_final() -> int:
    with everywhere():
        return deleted.purge_due()


def logged(word: str) -> list[object]:
    return [row for row in Event.objects.values_list("payload", flat=True) if word in str(row)]


def test_a_deleted_message_comes_back_as_it_was(
    world: World, ada: Principal, ben: Principal, channel: UUID
) -> None:
    sent = world.say(ada, channel, "hello @Ben")
    messages.edit_message(principal=ada, message_id=sent.id, body="hello **again** @Ben")
    before = get_message(ada, sent.id)
    messages.delete_message(principal=ada, message_id=sent.id)
    assert (get_message(ben, sent.id).body, Mention.objects.count()) == ("", 0)
    assert logged("hello") == []  # who resumes from before is not told either
    (kept,) = selectors.list_restorable(ada, channel)
    assert (kept.body, selectors.list_restorable(ben, channel)) == (before.body, [])
    deleted.restore_message(principal=ada, message_id=sent.id)
    after = get_message(ben, sent.id)
    assert (after.body, after.html, after.mentions, after.deleted_at) == (
        before.body, before.html, before.mentions, None,
    )  # fmt: skip
    assert (after.version, Mention.objects.get().principal_id) == (before.version + 2, ben.id)
    assert MessageRevision.objects.count() == 1
    assert not DeletedMessage.objects.exists()
    told = Event.objects.filter(stream_id=channel).order_by("-sequence").first()
    assert told is not None
    assert (told.type, told.payload["message"]["html"]) == ("message.restored", before.html)


def test_only_the_author_and_moderators_bring_back_and_not_what_a_moderator_took_away(
    world: World, ada: Principal, ben: Principal, channel: UUID, moderator: Principal
) -> None:
    sent = world.say(ada, channel)
    messages.delete_message(principal=moderator, message_id=sent.id)
    for person in (ada, ben):
        with pytest.raises(NotRestorable):
            deleted.restore_message(principal=person, message_id=sent.id)
    assert Message.objects.get(pk=sent.id).deleted_at is not None
    deleted.restore_message(principal=moderator, message_id=sent.id)
    assert get_message(ben, sent.id).body == "hello"
    assert AuditEntry.objects.filter(action="message.restored").count() == 1


def test_an_outsider_learns_nothing(world: World, ada: Principal) -> None:
    secret = world.channel(ada, "geheim", is_private=True)
    sent = world.say(ada, secret)
    messages.delete_message(principal=ada, message_id=sent.id)
    with pytest.raises(MessageNotFound):
        deleted.restore_message(principal=world.person("Eve"), message_id=sent.id)
    assert DeletedMessage.objects.count() == 1


def test_after_the_window_the_words_are_gone_everywhere(world: World, ada: Principal, channel: UUID) -> None:
    sent = world.say(ada, channel, "secret words")
    messages.edit_message(principal=ada, message_id=sent.id, body="other words")
    messages.delete_message(principal=ada, message_id=sent.id)
    assert make_final() == 0
    with time_machine.travel(timezone.now() + timedelta(hours=25), tick=False):
        with pytest.raises(NotRestorable):
            deleted.restore_message(principal=ada, message_id=sent.id)
        DeletedMessage.objects.update(purge_at=timezone.now() - timedelta(hours=26))
        assert make_final() == 1
    assert not DeletedMessage.objects.exists()
    assert not MessageRevision.objects.exists()
    assert logged("words") == []


def test_without_a_window_nothing_is_kept(
    world: World, ada: Principal, channel: UUID, monkeypatch: Any
) -> None:
    monkeypatch.setattr(deleted, "restore_window", timedelta)
    sent = world.say(ada, channel, "secret words")
    messages.edit_message(principal=ada, message_id=sent.id, body="other words")
    messages.delete_message(principal=ada, message_id=sent.id)
    assert (DeletedMessage.objects.count(), MessageRevision.objects.count()) == (0, 0)
    assert logged("words") == []


def test_the_api_lists_and_restores(world: World, ada: Principal, channel: UUID) -> None:
    sent = world.say(ada, channel, "hello")
    messages.delete_message(principal=ada, message_id=sent.id)
    client = caller_of(ada)
    (listed,) = client.get(f"/api/v1/conversations/{channel}/deleted/").json()["results"]
    assert (listed["id"], listed["body"]) == (str(sent.id), "hello")
    answer = client.post(f"/api/v1/messages/{sent.id}/restore/")
    assert (answer.status_code, answer.json()["body"]) == (200, "hello")
    assert client.post(f"/api/v1/messages/{sent.id}/restore/").json()["code"] == "chat.not_restorable"
