"""Sending, editing, deleting: who may, what is stored, what is announced."""

from __future__ import annotations

from uuid import uuid4

import pytest

from apps.chat.errors import (
    AttachmentNotFound,
    ClientKeyInvalid,
    ClientKeyReused,
    ConversationArchived,
    ConversationNotFound,
    EmptyMessage,
    MessageChanged,
    MessageDeleted,
    MessageNotFound,
    MessageTooLong,
    NotAMember,
    NotTheAuthor,
    ThreadNotFound,
    UnreadableText,
)
from apps.chat.models import Mention, Message, MessageRevision
from apps.chat.selectors.messages import revisions
from apps.chat.services import conversations, messages
from apps.chat.types import SentMessage
from apps.core import tenancy
from apps.core.models import Event, OutboxEvent, Stream
from tests.chat.world import World, make_world


def test_a_message_takes_the_next_number_and_writes_event_and_outbox_row(world: World) -> None:
    ada = world.person("Ada")
    conversation = world.channel(ada, "allgemein")
    before = Stream.objects.get(pk=conversation).last_sequence
    sent = world.say(ada, conversation, "**hello**")
    assert sent.sequence == before + 1
    message = Message.objects.get()
    assert (message.body, message.html) == ("**hello**", "<p><strong>hello</strong></p>\n")
    event = Event.objects.get(stream_id=conversation, sequence=sent.sequence)
    assert event.type == "message.sent"
    assert event.payload["message"]["id"] == str(sent.id)
    assert OutboxEvent.objects.filter(stream_id=conversation, sequence=sent.sequence).count() == 1


def test_retry_with_the_same_key_stores_once(world: World) -> None:
    ada = world.person("Ada")
    conversation = world.channel(ada, "allgemein")
    first = world.say(ada, conversation, client_key="k1")
    again = world.say(ada, conversation, client_key="k1")
    assert (again.id, again.sequence, again.repeated) == (first.id, first.sequence, True)
    assert Message.objects.count() == 1
    assert Stream.objects.get(pk=conversation).last_sequence == first.sequence


def test_the_same_key_with_another_text_is_refused(world: World) -> None:
    ada = world.person("Ada")
    conversation = world.channel(ada, "allgemein")
    world.say(ada, conversation, "one", client_key="k1")
    with pytest.raises(ClientKeyReused):
        world.say(ada, conversation, "two", client_key="k1")
    assert list(Message.objects.values_list("body", flat=True)) == ["one"]


def test_the_same_key_of_another_sender_is_another_message(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    conversation = world.channel(ada, "allgemein", [ben])
    world.say(ada, conversation, "one", client_key="k1")
    assert not world.say(ben, conversation, "two", client_key="k1").repeated
    assert Message.objects.count() == 2


def test_a_batch_refuses_what_does_not_fit_and_harms_no_other(world: World) -> None:
    ada, eve = world.person("Ada"), world.person("Eve")
    conversation = world.channel(ada, "allgemein")
    drafts = [
        messages.composing.compose(principal=sender, conversation_id=conversation, body=body, client_key=key)
        for sender, body, key in [(ada, "a", "1"), (eve, "b", "2"), (ada, "c", "3"), (ada, "c", "3")]
    ]
    first, refused, third, doubled = messages.send_messages(drafts)
    assert isinstance(first, SentMessage)
    assert isinstance(refused, NotAMember)
    assert isinstance(third, SentMessage)
    assert isinstance(doubled, SentMessage)
    assert third.sequence == first.sequence + 1
    assert (doubled.id, doubled.repeated) == (third.id, True)
    assert Message.objects.count() == 2


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", EmptyMessage),
        (" \n\t ", EmptyMessage),
        ("x" * 20_001, MessageTooLong),
        ("a\x00b", UnreadableText),
        ("a\ud800b", UnreadableText),
    ],
)
def test_bad_text_is_refused_and_nothing_is_written(world: World, body: str, error: type[Exception]) -> None:
    ada = world.person("Ada")
    conversation = world.channel(ada, "allgemein")
    events = Event.objects.count()
    with pytest.raises(error):
        world.say(ada, conversation, body)
    assert not Message.objects.exists()
    assert Event.objects.count() == events


@pytest.mark.parametrize("key", ["", "a b", "x" * 65, "ä"])
def test_a_client_key_has_safe_characters(world: World, key: str) -> None:
    ada = world.person("Ada")
    conversation = world.channel(ada, "allgemein")
    with pytest.raises(ClientKeyInvalid):
        world.say(ada, conversation, client_key=key)


def test_an_outsider_of_a_private_channel_learns_nothing(world: World) -> None:
    ada, eve = world.person("Ada"), world.person("Eve")
    secret = world.channel(ada, "geheim", is_private=True)
    with pytest.raises(ConversationNotFound) as hidden:
        world.say(eve, secret)
    with pytest.raises(ConversationNotFound) as missing:
        world.say(eve, uuid4())
    assert hidden.value.detail == missing.value.detail
    assert not Message.objects.exists()


def test_a_foreign_organization_is_refused(world: World) -> None:
    ada = world.person("Ada")
    conversation = world.channel(ada, "allgemein")
    other = make_world("andere")
    with tenancy.use(other.organization.pk):
        eve = other.person("Eve", role="owner")
        with pytest.raises(ConversationNotFound):
            other.say(eve, conversation)
    assert not Message.objects.exists()


def test_nobody_sends_to_an_archived_channel(world: World) -> None:
    ada = world.person("Ada")
    conversation = world.channel(ada, "allgemein")
    conversations.update_conversation(principal=ada, conversation_id=conversation, is_archived=True)
    with pytest.raises(ConversationArchived):
        world.say(ada, conversation)


def test_replies_belong_to_a_message_of_the_same_conversation(world: World) -> None:
    ada = world.person("Ada")
    here, there = world.channel(ada, "hier"), world.channel(ada, "dort")
    root = world.say(ada, here)
    reply = world.say(ada, here, "reply", thread=root.id)
    assert Message.objects.get(pk=reply.id).thread_id == root.id
    for conversation, thread in [(there, root.id), (here, uuid4()), (here, reply.id)]:
        with pytest.raises(ThreadNotFound):
            world.say(ada, conversation, thread=thread)


def test_only_own_ready_files_can_be_attached(world: World) -> None:
    ada = world.person("Ada")
    conversation = world.channel(ada, "allgemein")
    with pytest.raises(AttachmentNotFound):
        world.say(ada, conversation, attachments=(uuid4(),))
    assert not Message.objects.exists()


def test_mentions_count_for_members_only_and_never_for_the_sender(world: World) -> None:
    ada, ben, eve = world.person("Ada Lovelace"), world.person("Ben"), world.person("Eve")
    conversation = world.channel(ada, "allgemein", [ben])
    world.say(ada, conversation, "@**Ada Lovelace** @ben @Eve look")
    assert set(Message.objects.get().mentions) == {ada.id, ben.id, eve.id}
    assert list(Mention.objects.values_list("principal_id", flat=True)) == [ben.id]


def test_mentioning_everyone_reaches_all_other_members(world: World) -> None:
    ada, ben, cem = world.person("Ada"), world.person("Ben"), world.person("Cem")
    conversation = world.channel(ada, "allgemein", [ben, cem])
    world.say(ada, conversation, "@all lunch")
    assert set(Mention.objects.values_list("principal_id", flat=True)) == {ben.id, cem.id}


def test_an_edit_keeps_the_old_text_and_moves_the_mentions(world: World) -> None:
    ada, ben, cem = world.person("Ada"), world.person("Ben"), world.person("Cem")
    conversation = world.channel(ada, "allgemein", [ben, cem])
    sent = world.say(ada, conversation, "@ben hi")
    version = messages.edit_message(principal=ada, message_id=sent.id, body="@cem hi", expected_version=1)
    message = Message.objects.get()
    assert (version, message.version, message.body) == (2, 2, "@cem hi")
    assert MessageRevision.objects.get().body == "@ben hi"
    assert list(Mention.objects.values_list("principal_id", flat=True)) == [cem.id]
    assert message.sequence == sent.sequence
    assert Event.objects.filter(type="message.edited", stream_id=conversation).count() == 1


def test_an_edit_with_the_same_text_changes_nothing(world: World) -> None:
    ada = world.person("Ada")
    sent = world.say(ada, world.channel(ada, "allgemein"), "same")
    assert messages.edit_message(principal=ada, message_id=sent.id, body="same") == 1
    assert not MessageRevision.objects.exists()


def test_an_edit_of_an_old_version_is_refused(world: World) -> None:
    ada = world.person("Ada")
    sent = world.say(ada, world.channel(ada, "allgemein"), "one")
    messages.edit_message(principal=ada, message_id=sent.id, body="two", expected_version=1)
    with pytest.raises(MessageChanged):
        messages.edit_message(principal=ada, message_id=sent.id, body="three", expected_version=1)
    assert Message.objects.get().body == "two"


def test_only_the_author_edits_and_an_outsider_sees_nothing(world: World) -> None:
    ada, ben, eve = world.person("Ada"), world.person("Ben", role="owner"), world.person("Eve")
    secret = world.channel(ada, "geheim", [ben], is_private=True)
    sent = world.say(ada, secret, "before")
    with pytest.raises(NotTheAuthor):
        messages.edit_message(principal=ben, message_id=sent.id, body="after")
    with pytest.raises(MessageNotFound):
        messages.edit_message(principal=eve, message_id=sent.id, body="after")
    assert Message.objects.get().body == "before"
    assert not MessageRevision.objects.exists()


def test_a_deleted_message_loses_its_text_and_keeps_its_place(world: World) -> None:
    ada = world.person("Ada")
    conversation = world.channel(ada, "allgemein")
    sent = world.say(ada, conversation, "@all secret")
    messages.edit_message(principal=ada, message_id=sent.id, body="secret two")
    messages.delete_message(principal=ada, message_id=sent.id)
    messages.delete_message(principal=ada, message_id=sent.id)
    message = Message.objects.get()
    assert (message.body, message.html, message.sequence) == ("", "", sent.sequence)
    with pytest.raises(MessageNotFound):
        revisions(ada, sent.id)
    assert not Mention.objects.exists()
    assert Event.objects.filter(type="message.deleted").count() == 1
    with pytest.raises(MessageDeleted):
        messages.edit_message(principal=ada, message_id=sent.id, body="back")


def test_a_moderator_may_delete_what_others_wrote_and_a_member_may_not(world: World) -> None:
    ada, mod, ben = world.person("Ada"), world.person("Mo", role="moderator"), world.person("Ben")
    conversation = world.channel(ada, "allgemein", [mod, ben])
    sent = world.say(ada, conversation)
    with pytest.raises(NotTheAuthor):
        messages.delete_message(principal=ben, message_id=sent.id)
    messages.delete_message(principal=mod, message_id=sent.id)
    assert Message.objects.get().deleted_at is not None
